// Files that a binary names as its companions are opened below the root of its process alone, and only where their
// owner may give names to the binary.
#include "symbolizer/companions/debug_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/opening/foreign_file.h"

// A user's debug file would name a program of root's for everybody, by way of the cache.
static void a_debug_file_of_a_stranger_is_none(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char root[] = "/tmp/hearth-test.XXXXXX", path[128];
    static const struct companion companion = {.kind = COMPANION_DWO, .name = "/x.dwo"};
    int fd, self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/x.dwo", root);
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int copy = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct debug_dirs where = {
        .dirs = (const char *const[]){NULL}, .root_fd = root_fd, .path = "/x", .has_owner = true};
    assert_true(sendfile(copy, self, NULL, 1 << 20) > 0);
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), 0);
    close(fd);
    assert_int_equal(fchown(copy, 65534, 65534), 0);
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    where.owner = 65534;
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), 0);
    close(fd);
    close(copy);
    close(self);
    close(root_fd);
    unlink(path);
    rmdir(root);
}

// Companions are named by the binary: they are looked for below the root of its process only.
static void names_do_not_lead_out_of_a_root(void **state)
{
    (void)state;
    char root[] = "/tmp/hearth-test.XXXXXX", path[128];
    int fd;
    assert_non_null(mkdtemp(root));
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/out", root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(foreign_file__open(root_fd, "/out", &fd), -ENOENT); // the link means the root's own /etc
    assert_int_equal(foreign_file__open(root_fd, "/../../../../etc/passwd", &fd), -ENOENT);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(foreign_file__open(root_fd, "/out", &fd), -EINVAL); // at once
    // A link to what the kernel makes as it is read, where the root has that.
    assert_int_equal(foreign_file__open(-1, "/proc/self/status", &fd), -EINVAL);
    assert_int_equal(foreign_file__open(-1, "/sys/kernel/notes", &fd), -EINVAL);
    assert_int_equal(foreign_file__open(-1, "/proc/self/exe", &fd), 0);
    close(fd);
    struct debug_dirs where = {
        .dirs = (const char *const[]){"/usr/lib/debug", NULL}, .root_fd = root_fd, .path = "/bin/x"};
    struct companion companion = {.kind = COMPANION_DEBUG_BY_LINK, .name = "../../etc/passwd"};
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    companion = (struct companion){.kind = COMPANION_DWO, .name = "/etc/passwd"};
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    companion = (struct companion){.kind = COMPANION_ALTERNATE, .name = "/etc/passwd", .build_id_bytes = 20};
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    where.root_fd = -1; // nothing but ELF files of the right id, from anywhere
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    companion.kind = COMPANION_DWO;
    assert_int_equal(debug_dirs__open(&where, &companion, &fd), -ENOENT);
    unlink(path);
    rmdir(root);
    close(root_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_lead_out_of_a_root),
        cmocka_unit_test(a_debug_file_of_a_stranger_is_none),
    };
    return cmocka_run_group_tests_name("debug_dirs", tests, NULL, NULL);
}
