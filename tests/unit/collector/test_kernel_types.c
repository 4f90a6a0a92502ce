// Programs that were moved by the types cut out of the kernel's BTF are those that libbpf makes of the whole of it:
// cut out now, kept from before, and where the kept file is damaged or not to be trusted.
#include "collector/programs/kernel_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <bpf/libbpf.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/programs/loader.h"
#include "collector/programs/mapped_files.h"
#include "store/base/buf.h"

// Between them they ask for nearly all fields, and for some that this kernel may not have.
static const char *const objects[] = {"targets", "source_perf", "mapped_files", "source_off_cpu"};
enum { OBJECTS = sizeof(objects) / sizeof(objects[0]) };

struct fixture {
    char folder[64];
    struct buf plain[OBJECTS]; // the programs as libbpf makes them alone
};

// Numbers of maps differ from one load to the next.
static void append_program(const struct bpf_program *program, struct buf *text)
{
    const struct bpf_insn *insns = bpf_program__insns(program);
    for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
        struct bpf_insn insn = insns[i];
        if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg)
            insn.imm = 0;
        buf__append(text, &insn, sizeof(insn));
    }
}

static void make_loader(bool cuts, const char *folder, struct loader **ret_loader)
{
    struct wire_config config = {.uid = WIRE_UID_ANY};
    struct loader_bounds bounds = {.counts = 16, .stacks = 16, .hists = 16, .cpus = 1};
    assert_int_equal(loader__new(&config, &bounds, NULL, ret_loader), 0);
    if (cuts)
        loader__keep_types(*ret_loader, folder);
}

static void load(const char *name, bool cuts, const char *folder, struct buf *ret_text)
{
    _cleanup_(loader__freep) struct loader *loader = NULL;
    _cleanup_(loaded__freep) struct loaded *loaded = NULL;
    struct bpf_program *program;
    make_loader(cuts, folder, &loader);
    assert_int_equal(loader__open(loader, name, NULL, &loaded), 0);
    assert_int_equal(loaded__load(loaded, NULL), 0);
    bpf_object__for_each_program(program, loaded__object(loaded))
    {
        append_program(program, ret_text);
    }
}

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    if (geteuid() != 0 || access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        return 0;
    strcpy(fixture->folder, "/tmp/kernel_types_XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    for (size_t i = 0; i < OBJECTS; i++)
        load(objects[i], false, NULL, &fixture->plain[i]);
    return 0;
}

static void path_of(const struct fixture *fixture, const char *object, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.types", fixture->folder, object);
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;
    char path[PATH_MAX];
    for (size_t i = 0; i < OBJECTS; i++) {
        buf__release(&fixture->plain[i]);
        path_of(fixture, objects[i], path);
        unlink(path);
    }
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void expect_plain(const struct fixture *fixture, size_t which, const char *folder)
{
    struct buf text = {0};
    load(objects[which], true, folder, &text);
    assert_true(text.length_bytes > 0);
    assert_int_equal(text.length_bytes, fixture->plain[which].length_bytes);
    assert_memory_equal(text.data, fixture->plain[which].data, text.length_bytes);
    buf__release(&text);
}

static void programs_are_the_same(void **state)
{
    const struct fixture *fixture = *state;
    if (!fixture->folder[0])
        skip(); // takes root, and the kernel's types in sysfs
    for (size_t i = 0; i < OBJECTS; i++) {
        struct stat status;
        char path[PATH_MAX];
        expect_plain(fixture, i, NULL);
        path_of(fixture, objects[i], path);
        assert_int_equal(stat(path, &status), -1);
        expect_plain(fixture, i, fixture->folder);
        assert_int_equal(stat(path, &status), 0);
        assert_true(status.st_size > 1000 && status.st_size < 200000);
        expect_plain(fixture, i, fixture->folder);
    }
}

static void expect_own_files(struct loader *loader)
{
    struct mapped_files files = {0};
    uint32_t own = (uint32_t)getpid();
    size_t wanted = 0;
    assert_int_equal(mapped_files__read(loader, &own, 1, &files), 0);
    for (size_t i = 0; i < files.count; i++)
        wanted += files.files[i].is_wanted;
    assert_true(wanted >= 3); // this program, libc, the vDSO
    mapped_files__release(&files);
}

// By numbers that were found now, that were kept, and that libbpf looks up.
static void iterators_are_found(void **state)
{
    const struct fixture *fixture = *state;
    if (!fixture->folder[0])
        skip();
    for (int turn = 0; turn < 3; turn++) {
        _cleanup_(loader__freep) struct loader *loader = NULL;
        make_loader(turn < 2, fixture->folder, &loader);
        expect_own_files(loader);
    }
}

static ino_t inode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

// Each time the file is written anew.
static void what_is_wrong_is_cut_again(void **state)
{
    const struct fixture *fixture = *state;
    if (!fixture->folder[0])
        skip();
    char path[PATH_MAX];
    path_of(fixture, objects[1], path);
    expect_plain(fixture, 1, fixture->folder);
    ino_t kept = inode_of(path);
    expect_plain(fixture, 1, fixture->folder);
    assert_int_equal(inode_of(path), kept);

    _cleanup_fd_ int damaged = open(path, O_RDWR | O_CLOEXEC);
    uint32_t wrong = 0xdeadbeef;
    assert_int_equal(pwrite(damaged, &wrong, sizeof(wrong), 5000), sizeof(wrong));
    expect_plain(fixture, 1, fixture->folder);
    ino_t again = inode_of(path);
    assert_int_not_equal(again, kept);

    _cleanup_fd_ int shared = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(chmod(path, 0666), 0);
    expect_plain(fixture, 1, fixture->folder);
    assert_int_not_equal(inode_of(path), again);

    _cleanup_fd_ int cut = open(path, O_RDWR | O_CLOEXEC);
    kept = inode_of(path);
    assert_int_equal(ftruncate(cut, 4000), 0);
    expect_plain(fixture, 1, fixture->folder);
    assert_int_not_equal(inode_of(path), kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_the_same),
        cmocka_unit_test(what_is_wrong_is_cut_again),
        cmocka_unit_test(iterators_are_found),
    };
    return cmocka_run_group_tests_name("kernel_types", tests, make, destroy);
}
