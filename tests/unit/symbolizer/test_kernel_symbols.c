// kallsyms: names with their modules, BPF programs, aliases, gaps; and the kernel that hides its addresses.
#include "symbolizer/kernel/kernel_symbols.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct kernel_symbols *read_text(const char *text, int expected)
{
    struct kernel_symbols *symbols = NULL;
    FILE *stream = fmemopen((void *)text, strlen(text), "re");
    assert_int_equal(kernel_symbols__read(stream, &symbols), expected);
    fclose(stream);
    return symbols;
}

static const char sample[] = "0000000000000000 A fixed_percpu_data\n"
                             "ffffffff81000000 T __entry_text_start\n"
                             "ffffffff81000000 T startup\n"
                             "ffffffff81000000 t _stext\n"
                             "ffffffff81000000 T _text\n"
                             "ffffffff81000100 t do_work\n"
                             "ffffffff81000180 d no_code\n"
                             "ffffffff81000200 W weak_one\n"
                             "ffffffff81000300 T _etext\n"
                             "this is no line\n"
                             "ffffffffc0a41000 t map_blocks\t[ext4]\n"
                             "ffffffffc0b10f44 t bpf_prog_6deef7357e7b4530_sd\t[bpf]\n"
                             "ffffffffc0a40000 t earlier\t[ext4]\n";

static void names_functions(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        const char *name;
    } cases[] = {{0xffffffff80ffffff, NULL},
                 {0xffffffff81000000, "startup"}, // GLOBAL before LOCAL, then fewest underscores
                 {0xffffffff810000ff, "startup"},
                 {0xffffffff81000100, "do_work"},
                 {0xffffffff810001ff, "do_work"}, // data does not end it
                 {0xffffffff81000200, "weak_one"},
                 {0xffffffff81000300, NULL}, // behind the end of the core's code
                 {0xffffffff81000400, NULL},
                 {0xffffffffc0a40fff, "earlier [ext4]"},
                 {0xffffffffc0a41010, "map_blocks [ext4]"},
                 {0xffffffffc0b10f44, "bpf_prog_6deef7357e7b4530_sd [bpf]"},
                 {0xffffffffc1b10f44, NULL}, // too far behind the last one
                 {0x1000, NULL},
                 {UINT64_MAX, NULL}};
    struct kernel_symbols *symbols = read_text(sample, 0);
    char name[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int err = kernel_symbols__find(symbols, cases[i].address, name, sizeof(name));
        assert_int_equal(err, cases[i].name ? 0 : -ENOENT);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
    }
    assert_int_equal(kernel_symbols__text(symbols), 0xffffffff81000000);
    kernel_symbols__free(symbols);
}

static void hidden_addresses_are_said(void **state)
{
    (void)state;
    assert_null(read_text("0000000000000000 T startup\n0000000000000000 t do_work\n", -EACCES));
    assert_null(read_text("\n", -EACCES));
}

static void finds_each_of_many(void **state)
{
    (void)state;
    static char text[64 * 1000 + 1];
    size_t length = 0;
    for (unsigned i = 0; i < 1000; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%llx t function_%u\n",
                                   0xffffffff81000000ull + 16 * i, i);
    struct kernel_symbols *symbols = read_text(text, 0);
    for (unsigned i = 0; i < 1000; i++) {
        char name[64], expected[64];
        snprintf(expected, sizeof(expected), "function_%u", i);
        assert_int_equal(kernel_symbols__find(symbols, 0xffffffff81000000ull + 16 * i + i % 16, name, sizeof(name)), 0);
        assert_string_equal(name, expected);
    }
    kernel_symbols__free(symbols);
}

// Core code and the inside of a module last; behind a module's last function, and in what is made at run time, nothing
// is sure.
static void tells_what_lasts(void **state)
{
    (void)state;
    struct kernel_symbols *symbols = read_text("ffffffff81000000 T _text\n"
                                               "ffffffff81000100 t do_work\n"
                                               "ffffffff81000300 T _etext\n"
                                               "ffffffffc0a40000 t first\t[ext4]\n"
                                               "ffffffffc0a41000 t last\t[ext4]\n"
                                               "ffffffffc0a43000 t only\t[dummy]\n"
                                               "ffffffffc0b10f40 t bpf_prog_6deef7357e7b4530_a\t[bpf]\n"
                                               "ffffffffc0b10f80 t bpf_prog_6deef7357e7b4530_b\t[bpf]\n",
                                               0);
    static const struct {
        uint64_t address;
        bool lasts;
    } cases[] = {{0xffffffff81000180, true},  {0xffffffff81000400, false},
                 {0xffffffffc0a40010, true},  {0xffffffffc0a41010, false},
                 {0xffffffffc0a43010, false}, {0xffffffffc0b10f44, false},
                 {0xffffffffc0b10f88, false}, {0x1000, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(kernel_symbols__is_lasting(symbols, cases[i].address), cases[i].lasts);
    kernel_symbols__free(symbols);
}

// The late reading takes modules and BPF programs alone, since the kernel's own code is known.
static void what_is_known_is_not_read_again(void **state)
{
    (void)state;
    char name[256];
    struct kernel_symbols *known = read_text(sample, 0), *late;
    static char later[] = "ffffffff81000000 T _text\n"
                          "ffffffff81000100 t of_the_kernel\n"
                          "ffffffffc0a41000 t came_later\t[ext4]\n"
                          "ffffffffc0b10f40 t bpf_prog_6deef7357e7b4530_b\t[bpf]\n";
    FILE *stream = fmemopen(later, sizeof(later) - 1, "r");
    assert_int_equal(kernel_symbols__read_late(stream, known, &late), 0);
    fclose(stream);
    assert_int_equal(kernel_symbols__find(late, 0xffffffff81000110, name, sizeof(name)), -ENOENT);
    assert_int_equal(kernel_symbols__find(late, 0xffffffffc0a41010, name, sizeof(name)), 0);
    assert_string_equal(name, "came_later [ext4]");
    assert_int_equal(kernel_symbols__find(late, 0xffffffffc0b10f44, name, sizeof(name)), 0);
    assert_string_equal(name, "bpf_prog_6deef7357e7b4530_b [bpf]");
    kernel_symbols__free(late);
    kernel_symbols__free(known);
}

// A file gives back the symbols that were written; not to another key, and not when it was cut or changed.
static void comes_back_from_a_file(void **state)
{
    (void)state;
    char name[256];
    struct kernel_symbols *symbols = read_text(sample, 0), *again = NULL;
    int fd = memfd_create("symbols", MFD_CLOEXEC);
    assert_int_equal(kernel_symbols__write(symbols, 42, fd), 0);
    kernel_symbols__free(symbols);
    assert_int_equal(kernel_symbols__map(fd, 41, &again), -ESTALE);
    assert_int_equal(kernel_symbols__map(fd, 42, &again), 0);
    assert_int_equal(kernel_symbols__text(again), 0xffffffff81000000);
    assert_int_equal(kernel_symbols__find(again, 0xffffffffc0a41010, name, sizeof(name)), 0);
    assert_string_equal(name, "map_blocks [ext4]");
    assert_int_equal(kernel_symbols__find(again, 0xffffffff81000300, name, sizeof(name)), -ENOENT);
    kernel_symbols__free(again);
    off_t bytes = lseek(fd, 0, SEEK_END);
    assert_int_equal(pwrite(fd, "x", 1, bytes - 1), 1); // the last name's end
    assert_int_equal(kernel_symbols__map(fd, 42, &again), -EBADMSG);
    for (off_t cut = bytes - 1; cut >= 0; cut--) {
        assert_int_equal(ftruncate(fd, cut), 0);
        assert_int_equal(kernel_symbols__map(fd, 42, &again), -EBADMSG);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_lasts),          cmocka_unit_test(what_is_known_is_not_read_again),
        cmocka_unit_test(comes_back_from_a_file),    cmocka_unit_test(names_functions),
        cmocka_unit_test(hidden_addresses_are_said), cmocka_unit_test(finds_each_of_many)};
    return cmocka_run_group_tests_name("kernel_symbols", tests, NULL, NULL);
}
