// A symbolizer on debug information that wants to harm it: each file costs its own names, within its limits, and what
// comes after is named as ever.
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/symbolizer/named.h"

static void append_fixed(struct buf *buf, uint64_t value, size_t bytes)
{
    buf__append(buf, &value, bytes);
}

// Abbreviations: 1 the unit (low, high), 2 a function (low, length, name, sibling), 3 a function by reference, 4 a
// block.
static void make_abbrevs(struct buf *abbrevs)
{
    static const uint8_t bytes[] = {1,
                                    DW_TAG_compile_unit,
                                    1,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    0,
                                    0,
                                    2,
                                    DW_TAG_subprogram,
                                    1,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    DW_AT_name,
                                    DW_FORM_string,
                                    DW_AT_sibling,
                                    DW_FORM_ref4,
                                    0,
                                    0,
                                    3,
                                    DW_TAG_subprogram,
                                    0,
                                    DW_AT_low_pc,
                                    DW_FORM_addr,
                                    DW_AT_high_pc,
                                    DW_FORM_data4,
                                    DW_AT_abstract_origin,
                                    DW_FORM_ref4,
                                    0,
                                    0,
                                    4,
                                    DW_TAG_lexical_block,
                                    1,
                                    0,
                                    0,
                                    0};
    buf__append(abbrevs, bytes, sizeof(bytes));
}

static void begin_unit(struct buf *info)
{
    append_fixed(info, 0, 4); // length, filled in by end_unit
    append_fixed(info, 4, 2);
    append_fixed(info, 0, 4);
    append_fixed(info, 8, 1);
    append_fixed(info, 1, 1);
    append_fixed(info, 0x1000, 8);
    append_fixed(info, 0x1000, 4);
}

static void end_unit(struct buf *info)
{
    uint32_t length = (uint32_t)info->length_bytes - 4;
    memcpy(info->data, &length, sizeof(length));
}

static int resolve_dwarf(struct buf *info, struct answer *ret_answer)
{
    static const char *const names[] = {".debug_info", ".debug_abbrev"};
    struct buf sections[2] = {*info, {0}}, file = {0};
    make_abbrevs(&sections[1]);
    wrap(names, sections, 2, &file);
    int fd = file_of(&file), err = resolve(fd, 0x1004, ret_answer);
    close(fd);
    buf__release(&file);
    buf__release(&sections[1]);
    return err;
}

static void a_sibling_loop_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    uint32_t place = (uint32_t)info.length_bytes;
    append_fixed(&info, 2, 1);
    append_fixed(&info, 0x1000, 8);
    append_fixed(&info, 0x10, 4);
    buf__append(&info, "looped", 7);
    append_fixed(&info, place, 4); // its own sibling
    append_fixed(&info, 0, 2);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_string_equal(answer.function, "looped"); // what is sound of it counts
    buf__release(&info);
}

static void a_cycle_of_references_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    uint32_t first = (uint32_t)info.length_bytes, second = first + 17;
    for (int i = 0; i < 2; i++) {
        append_fixed(&info, 3, 1);
        append_fixed(&info, 0x1000 + (uint64_t)i * 16, 8);
        append_fixed(&info, 0x10, 4);
        append_fixed(&info, i == 0 ? second : first, 4);
    }
    append_fixed(&info, 0, 1);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_string_equal(answer.function, "");
    buf__release(&info);
}

static void endless_depth_ends(void **state)
{
    (void)state;
    struct buf info = {0};
    struct answer answer;
    begin_unit(&info);
    for (int i = 0; i < 1 << 20; i++)
        append_fixed(&info, 4, 1);
    end_unit(&info);
    assert_int_equal(resolve_dwarf(&info, &answer), 0);
    assert_int_equal(answer.calls, 1);
    buf__release(&info);
}

// A section that says it unpacks to far more than it can, or to more than a worker may have.
static void bombs_are_not_unpacked(void **state)
{
    (void)state;
    static const uint64_t claims[] = {1ull << 40, 900ull << 20, UINT64_MAX};
    static const char *const names[] = {".debug_info", ".debug_abbrev", ".debug_str"};
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct buf sections[3] = {0}, file = {0};
        struct answer answer;
        Elf64_Chdr bomb = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = claims[i], .ch_addralign = 1};
        begin_unit(&sections[0]);
        append_fixed(&sections[0], 0, 1);
        end_unit(&sections[0]);
        make_abbrevs(&sections[1]);
        buf__append(&sections[2], &bomb, sizeof(bomb));
        for (int j = 0; j < 1000; j++)
            append_fixed(&sections[2], 0, 8);
        wrap(names, sections, 3, &file);
        int fd = file_of(&file);
        assert_int_equal(resolve(fd, 0x1004, &answer), 0);
        assert_true(symbolizer__counts(symbolizer).worker_peak_bytes < 64u << 20);
        close(fd);
        buf__release(&file);
        for (int j = 0; j < 3; j++)
            buf__release(&sections[j]);
    }
    names_itself();
}

static void huge_counts_are_bounded(void **state)
{
    (void)state;
    struct buf file = {0};
    struct answer answer;
    wrap(NULL, NULL, 0, &file);
    Elf64_Ehdr *header = (Elf64_Ehdr *)file.data;
    header->e_shnum = 0; // section 0 says how many: as many as it likes
    ((Elf64_Shdr *)(file.data + header->e_shoff))->sh_size = UINT64_MAX / 64;
    int fd = file_of(&file);
    assert_int_equal(resolve(fd, 0x1004, &answer), 0);
    assert_int_equal(answer.length, 0);
    close(fd);
    header->e_phnum = 0xfffe;
    header->e_phoff = file.length_bytes - 8;
    fd = file_of(&file);
    assert_true(resolve(fd, 0x1004, &answer) < 0);
    assert_int_equal(answer.calls, 1); // each offset is answered for, also by a failure
    close(fd);
    buf__release(&file);
    names_itself();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sibling_loop_ends, start, stop),
        cmocka_unit_test_setup_teardown(a_cycle_of_references_ends, start, stop),
        cmocka_unit_test_setup_teardown(endless_depth_ends, start, stop),
        cmocka_unit_test_setup_teardown(bombs_are_not_unpacked, start, stop),
        cmocka_unit_test_setup_teardown(huge_counts_are_bounded, start, stop),
    };
    return cmocka_run_group_tests_name("hostile_dwarf", tests, NULL, NULL);
}
