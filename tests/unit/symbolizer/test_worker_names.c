// The names of a binary whose worker does a misdeed: its own are lost, once; the names of another reader stay.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/elf/elf_file.h"
#include "symbolizer/symbolizer.h"
#include "tests/unit/symbolizer/taken_over.h"

struct answer {
    size_t calls, named;
};

static void take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct answer *answer = context;
    (void)index;
    (void)chain;
    answer->calls++;
    answer->named += length > 0;
}

static int copy_of(int fd)
{
    uint8_t block[4096];
    int copy = memfd_create("copy", MFD_CLOEXEC);
    ssize_t got;
    for (off_t at = 0; (got = pread(fd, block, sizeof(block), at)) > 0; at += got)
        assert_int_equal(write(copy, block, (size_t)got), got);
    return copy;
}

static int resolve(struct symbolizer *symbolizer, int fd, uint64_t offset, struct answer *ret_answer)
{
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = ""};
    *ret_answer = (struct answer){0};
    return symbolizer__resolve_file(symbolizer, &file, &offset, 1, take, ret_answer);
}

static void a_binary_loses_its_own_names_once(void **state)
{
    (void)state;
    static const struct {
        enum misdeed misdeed;
        int err;
    } cases[] = {{SPIN, -ETIMEDOUT},    {CRASH, -ECHILD},   {RANDOM_BYTES, -EBADMSG},
                 {CUT_INDEX, -EBADMSG}, {UNSEALED, -EPERM}, {NO_MEMORY_FILE, -EPERM}};
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = copy_of(self);
        int err = resolve(symbolizer, fd, cases[i].misdeed, &answer);
        assert_true(err == cases[i].err || (IS_SANITIZED && cases[i].misdeed == CRASH && err < 0));
        assert_int_equal(answer.calls, 1);
        assert_int_equal(answer.named, 0);
        assert_int_equal(symbolizer__counts(symbolizer).failed, i + 1);
        uint64_t jobs = symbolizer__counts(symbolizer).jobs;
        assert_int_equal(resolve(symbolizer, fd, cases[i].misdeed, &answer), err);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, jobs); // not tried again
        assert_int_equal(write(fd, "changed", 7), 7);
        assert_int_equal(resolve(symbolizer, fd, 0x40, &answer), 0); // until it changes
        close(fd);
    }
    symbolizer__free(symbolizer);
}

static void a_binary_keeps_its_symbol_table(void **state)
{
    (void)state;
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, SPIN | WITH_DWARF_ONLY, &answer), 0);
    assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 1);
    assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
    symbolizer__free(symbolizer);
    close(fd);
}

// A copy whose first unit has a DWARF version that does not exist: our own reader refuses the unit.
static int odd_copy_of(int fd)
{
    static const uint8_t version[] = {9, 0};
    struct elf_file *file;
    int copy = copy_of(fd);
    assert_int_equal(elf_file__open(copy, ELF_BY_LIBELF, &file), 0);
    const struct elf_section *info = elf_file__find(file, ".debug_info");
    assert_non_null(info);
    assert_int_equal(pwrite(copy, version, sizeof(version), (off_t)info->file_offset + 4), sizeof(version));
    elf_file__free(file);
    return copy;
}

// Of 512 places in its code.
static size_t count_named(struct symbolizer *symbolizer, int fd)
{
    struct elf_file *file;
    struct answer answer;
    size_t named = 0;
    assert_int_equal(elf_file__open(fd, ELF_BY_LIBELF, &file), 0);
    const struct elf_section *text = elf_file__find(file, ".text");
    assert_non_null(text);
    for (uint64_t i = 0; i < 512; i++)
        if (resolve(symbolizer, fd, text->file_offset + text->bytes / 512 * i, &answer) == 0)
            named += answer.named;
    elf_file__free(file);
    return named;
}

// When libdw fails, in whichever way, the names that our own reader found stay, and the loss is counted.
static void libdw_costs_nothing_of_ours(void **state)
{
    (void)state;
    static const enum misdeed misdeeds[] = {SPIN, CRASH, EAT, RANDOM_BYTES, NO_FILE};
    for (size_t i = 0; i < sizeof(misdeeds) / sizeof(misdeeds[0]); i++) {
        struct symbolizer *symbolizer;
        struct symbolizer_options options = {.worker = worker};
        struct answer answer;
        int fd = odd_copy_of(self);
        assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
        assert_int_equal(resolve(symbolizer, fd, misdeeds[i] | WITH_LIBDW_ONLY, &answer), 0);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
        assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 1);
        assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
        assert_true(count_named(symbolizer, fd) > 10);
        assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
        symbolizer__free(symbolizer);
        close(fd);
    }
}

static void libdw_reads_what_crashes_ours(void **state)
{
    (void)state;
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, CRASH | WITH_OURS_ONLY, &answer), 0);
    assert_int_equal(symbolizer__counts(symbolizer).jobs, 2);
    assert_int_equal(symbolizer__counts(symbolizer).fallbacks, 0);
    assert_true(count_named(symbolizer, fd) > 10);
    symbolizer__free(symbolizer);
    close(fd);
}

static void leaves(uint64_t misdeed)
{
    struct symbolizer *symbolizer;
    struct symbolizer_options options = {.worker = worker, .is_quick = true};
    struct answer answer;
    int fd = copy_of(self);
    assert_int_equal(symbolizer__new(&options, NULL, &symbolizer), 0);
    assert_int_equal(resolve(symbolizer, fd, misdeed | WITH_DWARF_ONLY, &answer), -EAGAIN);
    assert_int_equal(answer.calls, 0);
    assert_int_equal(symbolizer__counts(symbolizer).failed, 0);
    symbolizer__free(symbolizer);
    close(fd);
}

static void a_quick_symbolizer_leaves_what_is_slow(void **state)
{
    (void)state;
    leaves(SPIN);
}

#if !defined(__SANITIZE_ADDRESS__)
static void a_quick_symbolizer_leaves_what_is_large(void **state)
{
    (void)state;
    leaves(EAT);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_binary_loses_its_own_names_once, start, stop),
        cmocka_unit_test_setup_teardown(a_binary_keeps_its_symbol_table, start, stop),
        cmocka_unit_test_setup_teardown(libdw_costs_nothing_of_ours, start, stop),
        cmocka_unit_test_setup_teardown(libdw_reads_what_crashes_ours, start, stop),
        cmocka_unit_test_setup_teardown(a_quick_symbolizer_leaves_what_is_slow, start, stop),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test_setup_teardown(a_quick_symbolizer_leaves_what_is_large, start_patient, stop),
#endif
    };
    return cmocka_run_group_tests_name("worker_names", tests, NULL, NULL);
}
