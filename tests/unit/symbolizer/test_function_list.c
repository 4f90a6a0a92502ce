// Functions by a pattern: by every name they have, with versions, clones and labels, and from files that lie.
#include "symbolizer/symbols/function_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/symbolizer/small_elf.h"

// Names of the symbols, and their places among them.
#define NAMES                                                                                                          \
    "\0run\0other_run\0_ZN3app5serveEi\0chosen\0label\0worker.constprop.0\0worker.cold\0imported\0"                    \
    "memcpy@@V_2\0outside"
static const char names[] = NAMES;
static const char versioned_names[] = "\0copy\0V_1\0V_2";

static uint32_t at(const char *name)
{
    for (size_t i = 0; i < sizeof(names); i += strlen(names + i) + 1)
        if (strcmp(names + i, name) == 0)
            return (uint32_t)i;
    fail_msg("no name '%s'", name);
    return 0;
}

#define SYMBOL(name, type, section, value, bytes)                                                                      \
    {                                                                                                                  \
        at(name), ELF64_ST_INFO(STB_GLOBAL, type), 0, section, value, bytes                                            \
    }

static void put_symbols(Elf64_Sym symbols[12])
{
    const Elf64_Sym rows[12] = {
        {0},
        SYMBOL("run", STT_FUNC, 1, 0x1010, 16),
        SYMBOL("other_run", STT_FUNC, 1, 0x1010, 16),
        SYMBOL("_ZN3app5serveEi", STT_FUNC, 1, 0x1020, 16),
        SYMBOL("chosen", STT_GNU_IFUNC, 1, 0x1030, 16),
        SYMBOL("label", STT_NOTYPE, 1, 0x1040, 0),
        SYMBOL("worker.constprop.0", STT_FUNC, 1, 0x1050, 16),
        SYMBOL("worker.cold", STT_FUNC, 1, 0x1060, 16),
        SYMBOL("imported", STT_FUNC, SHN_UNDEF, 0, 0),
        SYMBOL("memcpy@@V_2", STT_FUNC, 1, 0x1070, 16),
        SYMBOL("outside", STT_FUNC, 1, 0x9000, 16), // in no segment
        SYMBOL("run", STT_FUNC, 1, 0x1010, 16),     // again
    };
    memcpy(symbols, rows, sizeof(rows));
}

// The functions that fit, as "NAME@PLACE NAME@PLACE".
static const char *find(const struct small_elf *elf, const char *pattern, int *ret_err)
{
    static char text[512];
    struct function_list list = {0};
    struct elf_file *file = small_elf__open(elf);
    assert_non_null(file);
    *ret_err = function_list__find(&list, file, file, pattern);
    text[0] = '\0';
    for (size_t i = 0; i < list.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s@%llx", i ? " " : "", list.rows[i].name,
                 list.rows[i].is_resolver ? "!" : "", (unsigned long long)list.rows[i].file_offset);
    function_list__release(&list);
    elf_file__free(file);
    return text;
}

static void expect(const struct small_elf *elf, const char *pattern, const char *expected)
{
    int err;
    const char *found = find(elf, pattern, &err);
    assert_int_equal(err, 0);
    assert_string_equal(found, expected);
}

static void finds_by_every_name(void **state)
{
    Elf64_Sym symbols[12];
    struct small_elf elf = {0};
    (void)state;
    put_symbols(symbols);
    uint32_t strings = small_elf__add(&elf, ".strtab", SHT_STRTAB, names, sizeof(names), 0);
    small_elf__add(&elf, ".symtab", SHT_SYMTAB, symbols, sizeof(symbols), strings);
    expect(&elf, "run", "run@410");
    expect(&elf, "*run", "other_run@410 run@410");
    expect(&elf, "app::serve", "_ZN3app5serveEi@420");
    expect(&elf, "app::serve(int)", "_ZN3app5serveEi@420");
    expect(&elf, "app::serve(char)", "");
    expect(&elf, "_ZN3app5serveEi", "_ZN3app5serveEi@420");
    expect(&elf, "chosen", "chosen!@430");
    expect(&elf, "label", "label@440");
    expect(&elf, "labe*", "");
    expect(&elf, "worker", "worker.constprop.0@450");
    expect(&elf, "worker.c*", "worker.constprop.0@450 worker.cold@460");
    expect(&elf, "imported", "");
    expect(&elf, "outside", "");
    expect(&elf, "memcpy", "memcpy@470");
    expect(&elf, "memcpy@V_2", "memcpy@470");
    expect(&elf, "memcpy@@V_2", "memcpy@470");
    expect(&elf, "memcpy@V_1", "");
    expect(&elf, "", "");
    expect(&elf, "[", "");
}

struct versions {
    Elf64_Verdef first;
    Elf64_Verdaux first_name;
    Elf64_Verdef second;
    Elf64_Verdaux second_name;
};

static const Elf64_Sym versioned[3] = {
    {0},
    {1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0x1010, 16},
    {1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0x1020, 16},
};
static const uint16_t version_numbers[3] = {0, 0x8002, 3};

static struct versions good_versions(void)
{
    return (struct versions){
        .first = {1, 0, 2, 1, 0, sizeof(Elf64_Verdef), sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux)},
        .first_name = {6, 0},
        .second = {1, 0, 3, 1, 0, sizeof(Elf64_Verdef), 0},
        .second_name = {10, 0},
    };
}

static void put_versioned(struct small_elf *elf, const struct versions *versions, size_t number_bytes)
{
    uint32_t strings = small_elf__add(elf, ".dynstr", SHT_STRTAB, versioned_names, sizeof(versioned_names), 0);
    uint32_t table = small_elf__add(elf, ".dynsym", SHT_DYNSYM, versioned, sizeof(versioned), strings);
    small_elf__add(elf, ".gnu.version", SHT_GNU_versym, version_numbers, number_bytes, table);
    small_elf__add(elf, ".gnu.version_d", SHT_GNU_verdef, versions, sizeof(*versions), strings);
}

static void finds_versions(void **state)
{
    struct versions versions = good_versions();
    struct small_elf elf = {0};
    (void)state;
    put_versioned(&elf, &versions, sizeof(version_numbers));
    expect(&elf, "copy", "copy@410 copy@420");
    expect(&elf, "copy@V_1", "copy@410");
    expect(&elf, "copy@V_2", "copy@420");
    expect(&elf, "copy@@V_2", "copy@420");
    expect(&elf, "copy@@V_1", "");
    expect(&elf, "copy@*", "copy@410 copy@420");
}

// Each byte of the versions set to 0 and to 0xff, and each cut of the numbers: an answer, in time, from inside the
// file.
static void stands_lies_about_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(struct versions) * 2; i++) {
        struct versions versions = good_versions();
        struct small_elf elf = {0};
        int err;
        ((uint8_t *)&versions)[i / 2] = i % 2 ? 0xff : 0;
        put_versioned(&elf, &versions, sizeof(version_numbers));
        find(&elf, "copy@V_2", &err);
        assert_int_equal(err, 0);
    }
    for (size_t cut = 0; cut < sizeof(version_numbers); cut++) {
        struct versions versions = good_versions();
        struct small_elf elf = {0};
        put_versioned(&elf, &versions, cut);
        expect(&elf, "copy", "copy@410 copy@420");
        expect(&elf, "copy@V_2", "");
    }
}

static void stands_lies_about_symbols(void **state)
{
    Elf64_Sym symbols[12];
    (void)state;
    for (size_t i = 0; i < sizeof(symbols); i++) {
        struct small_elf elf = {0};
        int err;
        put_symbols(symbols);
        ((uint8_t *)symbols)[i] = 0xff;
        uint32_t strings = small_elf__add(&elf, ".strtab", SHT_STRTAB, names, sizeof(names), 0);
        small_elf__add(&elf, ".symtab", SHT_SYMTAB, symbols, sizeof(symbols) - i % 24, strings);
        find(&elf, "*", &err);
        assert_int_equal(err, 0);
    }
    const uint32_t links[] = {0, 7, 0xffffffff};
    for (size_t i = 0; i < 3; i++) {
        struct small_elf elf = {0};
        put_symbols(symbols);
        small_elf__add(&elf, ".symtab", SHT_SYMTAB, symbols, sizeof(symbols), links[i]);
        expect(&elf, "run", "");
    }
}

static void tells_what_is_stripped(void **state)
{
    struct versions versions = good_versions();
    struct small_elf elf = {0};
    struct function_list list = {0};
    (void)state;
    put_versioned(&elf, &versions, sizeof(version_numbers));
    struct elf_file *file = small_elf__open(&elf);
    assert_int_equal(function_list__find(&list, file, file, "copy"), 0);
    assert_true(list.is_stripped);
    function_list__release(&list);
    elf_file__free(file);
}

static void places_of_addresses(void **state)
{
    struct small_elf elf = {0};
    struct elf_file *file = small_elf__open(&elf);
    uint64_t offset = 0;
    (void)state;
    assert_int_equal(function_list__file_offset(file, 0x1000, &offset), 0);
    assert_int_equal(offset, 0x400);
    assert_int_equal(function_list__file_offset(file, 0x17ff, &offset), 0);
    assert_int_equal(function_list__file_offset(file, 0x1800, &offset), -ENOENT);
    assert_int_equal(function_list__file_offset(file, 0xfff, &offset), -ENOENT);
    assert_int_equal(function_list__file_offset(file, 0x4000, &offset), -ENOENT); // data
    assert_int_equal(function_list__file_offset(file, UINT64_MAX, &offset), -ENOENT);
    elf_file__free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_every_name),        cmocka_unit_test(finds_versions),
        cmocka_unit_test(stands_lies_about_versions), cmocka_unit_test(stands_lies_about_symbols),
        cmocka_unit_test(tells_what_is_stripped),     cmocka_unit_test(places_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
