// Disks that are full and places that cannot be written to: said in one line, nothing committed is lost, and the next
// append succeeds when there is room again.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/store/load.h"

static char folder[PATH_MAX], path[PATH_MAX];
static bool has_small_disk;

// A tmpfs of 400 KiB over the scratch folder, seen by this test alone; in a chroot, whose root is no mount point, for
// the moment by others too.
static int make_folder(void **state)
{
    (void)state;
    scratch__make(folder);
    snprintf(path, sizeof(path), "%.4000s/x.db", folder);
    has_small_disk = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                     (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || errno == EINVAL) &&
                     mount("tmpfs", folder, "tmpfs", 0, "size=400k") == 0;
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    if (has_small_disk)
        umount2(folder, MNT_DETACH);
    scratch__remove(folder);
    return 0;
}

static void need_small_disk(void)
{
    if (has_small_disk)
        return;
    print_message("[  SKIP  ] needs root and a mount namespace: to mount a small tmpfs\n");
    skip();
}

// Fills the disk, except for `left` bytes.
static void fill(const char *name, off_t left)
{
    static char zeroes[4096];
    _cleanup_fd_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    off_t size = 0;
    assert_true(fd >= 0);
    while (write(fd, zeroes, sizeof(zeroes)) == sizeof(zeroes))
        size += (off_t)sizeof(zeroes);
    must(ftruncate(fd, size > left ? size - left : 0));
}

// Appends until it fails; what was appended is in the model. Returns why it failed.
static int append_until_full(struct store_writer *writer, uint64_t *number, struct model *written, struct fault *fault)
{
    for (int i = 0; i < 1000; i++) {
        _cleanup_(model__release) struct model one = {0};
        int err = append_load(writer, START_NS + *number * 10 * SECOND_NS, 100, NULL, &one, fault);
        if (err)
            return err;
        (*number)++;
        for (size_t j = 0; j < one.count; j++)
            model__add(written, one.rows[j].key, one.rows[j].count, one.rows[j].value);
    }
    return 0;
}

static void assert_holds(struct model *written)
{
    _cleanup_(model__release) struct model read = {0};
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    read_model(reader, &(struct store_query){0}, &read);
    assert_int_equal(store_reader__damage(reader)->places, 0);
    model__assert_equal(written, &read);
}

static void a_full_disk_loses_nothing_committed(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0};
    char filler[PATH_MAX];
    struct fault fault = {0};
    uint64_t number = 0;
    need_small_disk();
    snprintf(filler, sizeof(filler), "%.4000s/filler", folder);
    _cleanup_(store_writer__freep) struct store_writer *writer = create(path);
    declare_events(writer);
    assert_int_equal(append_until_full(writer, &number, &written, &fault), -ENOSPC);
    assert_true(number > 0);
    assert_non_null(strstr(fault.text, "No space left"));
    assert_non_null(strstr(fault.text, path));
    assert_null(strchr(fault.text, '\n'));
    assert_holds(&written);
    // The disk stays full for a while, and the writer is not hurt by that.
    for (int i = 0; i < 3; i++)
        assert_int_equal(append_load(writer, START_NS, 100, NULL, NULL, &fault), -ENOSPC);
    assert_holds(&written);
    must(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=4m"));
    must(append_load(writer, START_NS + number++ * 10 * SECOND_NS, 100, NULL, &written, &fault));
    assert_holds(&written);
    fill(filler, 0);
    uint64_t before = number;
    assert_int_equal(append_until_full(writer, &number, &written, &fault), -ENOSPC);
    must(unlink(filler));
    must(append_load(writer, START_NS + number * 10 * SECOND_NS, 100, NULL, &written, &fault));
    assert_true(number >= before);
    close_writer(take_pointer(writer));
    assert_holds(&written);
    must(unlink(path));
    must(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=400k"));
}

static void a_store_is_not_begun_on_a_full_disk(void **state)
{
    (void)state;
    char filler[PATH_MAX];
    need_small_disk();
    snprintf(filler, sizeof(filler), "%.4000s/filler", folder);
    for (off_t left = 0; left < 120 << 10; left += 8 << 10) {
        struct fault fault = {0};
        struct store_writer *writer = NULL;
        fill(filler, left);
        int err = store_writer__create(path, &meta, &fault, &writer);
        if (err) {
            assert_int_equal(err, -ENOSPC);
            assert_non_null(strstr(fault.text, "No space left"));
            assert_int_equal(access(path, F_OK), -1); // no half of a store stays
        } else {
            store_writer__free(writer);
            must(unlink(path));
        }
        must(unlink(filler));
    }
}

// RLIMIT_FSIZE needs no root: in a child, since it is for good.
static void a_limit_on_file_sizes_is_said(void **state)
{
    (void)state;
    char other[PATH_MAX];
    snprintf(other, sizeof(other), "%.4000s.db", folder);
    pid_t pid = fork();
    if (pid == 0) {
        _cleanup_(model__release) struct model written = {0};
        struct fault fault = {0};
        uint64_t number = 0;
        signal(SIGXFSZ, SIG_IGN);
        struct store_writer *writer = create(other);
        declare_events(writer);
        if (append_load(writer, START_NS, 100, NULL, NULL, &fault))
            _exit(10);
        if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){150 << 10, 150 << 10}))
            _exit(11);
        int err = append_until_full(writer, &number, &written, &fault);
        if (err != -EFBIG || !strstr(fault.text, "ulimit"))
            _exit(12);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "%.4000s.db%s", folder, suffixes[i]);
        unlink(name);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_not_created(const char *name, int err, const char *word)
{
    struct fault fault = {0};
    struct store_writer *writer = NULL;
    int result = store_writer__create(name, &meta, &fault, &writer);
    if (result != err || !strstr(fault.text, word) || !strstr(fault.text, name))
        fail_msg("%d: %s", result, fault.text);
}

static void places_that_cannot_be_written_are_said(void **state)
{
    (void)state;
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%.4000s/no/x.db", folder);
    assert_not_created(name, -ENOENT, "No such file or directory");
    assert_not_created("/proc/hearth.db", -ENOENT, "cannot create");
    need_small_disk();
    must(mount("tmpfs", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=400k"));
    assert_not_created(path, -EROFS, "Read-only file system");
    must(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=400k"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_loses_nothing_committed),
        cmocka_unit_test(a_store_is_not_begun_on_a_full_disk),
        cmocka_unit_test(a_limit_on_file_sizes_is_said),
        cmocka_unit_test(places_that_cannot_be_written_are_said),
    };
    return cmocka_run_group_tests_name("store: full", tests, make_folder, remove_folder);
}
