// Overlays, whose files stat() tells by other devices than mountinfo has: mounted by each test in a mount namespace.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/jail/packet.h"
#include "symbolizer/opening/file_copy.h"
#include "symbolizer/opening/foreign_file.h"
#include "symbolizer/opening/local_mounts.h"
#include "symbolizer/opening/opener.h"

static char folder[] = "/tmp/hearth-mounts.XXXXXX";
static bool has_overlay;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name)
{
    _cleanup_fd_ int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(write(fd, "text", 4), 4);
}

// Two file systems in memory, and an overlay of both: so its files have a device of their own.
static bool mount_all(void)
{
    static const char *const names[] = {"one", "two", "merged"};
    char options[512];
    for (size_t i = 0; i < 3; i++)
        mkdir(path_of(names[i]), 0755);
    if (mount("none", path_of("one"), "tmpfs", 0, "") != 0 || mount("none", path_of("two"), "tmpfs", 0, "") != 0)
        return false;
    mkdir(path_of("two/upper"), 0755);
    mkdir(path_of("two/work"), 0755);
    write_file("one/program");
    snprintf(options, sizeof(options), "lowerdir=%s/one,upperdir=%s/two/upper,workdir=%s/two/work", folder, folder,
             folder);
    return mount("none", path_of("merged"), "overlay", 0, options) == 0;
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || geteuid() != 0 || unshare(CLONE_NEWNS) != 0)
        return 0;
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL); // fails in a chroot
    has_overlay = mount_all();
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"merged", "two", "one"};
    (void)state;
    opener__end();
    for (size_t i = 0; i < 3; i++) {
        umount2(path_of(names[i]), MNT_DETACH);
        rmdir(path_of(names[i]));
    }
    rmdir(folder);
    return 0;
}

static void need_overlay(void)
{
    if (has_overlay)
        return;
    print_message("[  SKIP  ] needs root, and a kernel that mounts overlays\n");
    skip();
}

static uint32_t device_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(path_of(name), &status), 0);
    return (uint32_t)(status.st_dev >> 8 & 0xfff) << 20 | (uint32_t)(status.st_dev & 0xff);
}

static void a_file_of_an_overlay_is_opened_itself(void **state)
{
    _cleanup_fd_ int fd = -1;
    (void)state;
    need_overlay();
    assert_int_not_equal(device_of("merged/program"), device_of("merged"));
    assert_int_equal(foreign_file__open_itself(-1, path_of("merged/program"), &fd), 0);
    assert_true(local_mounts__has_place(fd));
    assert_true(local_mounts__may_walk(fd, ""));
}

struct asking {
    pthread_t thread;
    uint32_t device;
    bool has;
    atomic_bool is_done;
};

static void *ask_for_overlay(void *context)
{
    struct asking *asking = context;
    asking->has = local_mounts__has(asking->device);
    asking->is_done = true;
    return NULL;
}

static pid_t opener_pid(void)
{
    int pid = 0;
    _cleanup_file_ FILE *children = fopen("/proc/thread-self/children", "re");
    while (children && fscanf(children, "%d", &pid) == 1)
        ;
    return pid;
}

// The longest that a question about another file system takes while the opener is asked about the overlay.
static int64_t longest_ms(struct asking *asking, uint32_t other)
{
    int64_t longest = 0;
    while (!asking->is_done) {
        int64_t begun_ms = packet__now_ms();
        assert_true(local_mounts__has(other));
        int64_t took_ms = packet__now_ms() - begun_ms;
        longest = took_ms > longest ? took_ms : longest;
    }
    return longest;
}

// A mount makes the table be read again, and so the overlay be judged again.
static void an_overlay_that_is_judged_holds_up_no_other(void **state)
{
    (void)state;
    need_overlay();
    struct asking asking = {.device = device_of("merged")};
    uint32_t other = device_of("one");
    assert_int_equal(mount(path_of("one"), path_of("one"), NULL, MS_BIND, NULL), 0);
    opener__end();
    opener__begin();
    kill(opener_pid(), SIGSTOP);
    assert_int_equal(pthread_create(&asking.thread, NULL, ask_for_overlay, &asking), 0);
    int64_t longest = longest_ms(&asking, other);
    pthread_join(asking.thread, NULL);
    assert_false(asking.has);
    assert_true(longest < LIMIT_OPENER_ANSWER_MS * 3 / 4);
    umount2(path_of("one"), MNT_DETACH);
}

static void tell_nothing(void *context)
{
    (void)context;
}

// A memfd that has the name of a copy, with the facts that its maker likes, and the seals; mapped as a program would
// be.
static void *map_forgery(size_t *ret_length)
{
    _cleanup_fd_ int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1, forgery = -1;
    char link[64], name[256] = "", bytes[4096];
    assert_int_equal(file_copy__make(file, tell_nothing, NULL, &copy), 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", copy);
    assert_true(readlink(link, name, sizeof(name) - 1) > 0);
    *strstr(name, " (deleted)") = '\0';
    forgery = memfd_create(name + strlen("/memfd:"), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    memset(bytes, 1, sizeof(bytes));
    assert_int_equal(write(forgery, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(fcntl(forgery, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    assert_true(file_copy__is(forgery));
    *ret_length = sizeof(bytes);
    return mmap(NULL, sizeof(bytes), PROT_READ, MAP_PRIVATE, forgery, 0);
}

// The file is given out as a copy of itself.
static void a_forged_copy_is_not_believed(void **state)
{
    size_t length;
    struct stat told, program;
    uint32_t type;
    _cleanup_fd_ int fd = -1;
    (void)state;
    void *mapped = map_forgery(&length);
    struct foreign_mapping mapping = {.pid = getpid(), .start = (uintptr_t)mapped, .end = (uintptr_t)mapped + length};
    int err = foreign_file__open_mapping(&mapping, &fd);
    if (err == -EPERM) {
        print_message("[  SKIP  ] needs privilege to follow the links of map_files\n");
        skip();
    }
    assert_int_equal(err, 0);
    assert_int_equal(file_copy__stat(fd, &told, &type), 0);
    assert_int_equal(stat("/proc/self/exe", &program), 0);
    assert_int_equal(told.st_size, length);
    assert_false(told.st_ino == program.st_ino && told.st_dev == program.st_dev);
    munmap(mapped, length);
}

static bool refuse(int place_fd)
{
    assert_int_equal(fcntl(place_fd, F_GETFL) & O_PATH, O_PATH);
    return false;
}

// A process may map another file between the question of its device and the opening.
static void a_place_is_judged_before_it_is_read(void **state)
{
    struct opening opening = {.kind = OPENING_PATH, .path = "/proc/self/exe"};
    struct opened opened = OPENED_NONE;
    (void)state;
    assert_int_equal(opening__run(&opening, -1, refuse, &opened), -EXDEV);
    assert_int_equal(opened.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_an_overlay_is_opened_itself),
        cmocka_unit_test(an_overlay_that_is_judged_holds_up_no_other),
        cmocka_unit_test(a_forged_copy_is_not_believed),
        cmocka_unit_test(a_place_is_judged_before_it_is_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
