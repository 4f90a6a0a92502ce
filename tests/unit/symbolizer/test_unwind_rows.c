// Small ELF files made by hand, one rule each, and what must become of them; and damaged ones, which must end well.
#include "symbolizer/unwind/unwind_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define ADDRESS 0x400000u // of the only segment, whose file offset is 0
#define CODE    0x1000u   // the function: CODE .. CODE + 0x100
#define IMAGE   0x2000u
#define EH      0x400u // .eh_frame_hdr, and .eh_frame 8 bytes behind it

struct image {
    uint8_t bytes[IMAGE];
    size_t at;
};

static void put(struct image *image, const void *bytes, size_t count)
{
    memcpy(image->bytes + image->at, bytes, count);
    image->at += count;
}

static void put_u32(struct image *image, uint32_t value)
{
    put(image, &value, sizeof(value));
}

static void start_image(struct image *image)
{
    memset(image, 0, sizeof(*image));
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_machine = EM_X86_64,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    Elf64_Phdr headers[] = {
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = ADDRESS, .p_filesz = IMAGE, .p_memsz = IMAGE},
        {.p_type = PT_GNU_EH_FRAME, .p_flags = PF_R, .p_offset = EH, .p_vaddr = ADDRESS + EH, .p_filesz = 8}};
    put(image, &header, sizeof(header));
    put(image, headers, sizeof(headers));
    image->at = EH;
    put(image, "\x01\x1b\xff\xff\x04\x00\x00\x00", 8); // .eh_frame follows at once
}

// A CIE with this augmentation ("zR" or "zRS"): CFA = rsp + 8, RA at CFA - 8. Returns where it is.
static size_t put_cie(struct image *image, const char *augmentation)
{
    size_t start = image->at;
    put_u32(image, 0);
    put_u32(image, 0);
    put(image, "\x01", 1);
    put(image, augmentation, strlen(augmentation) + 1);
    put(image, "\x01\x78\x10\x01\x1b", 5); // factors 1 and -8, RA in 16, FDE addresses pcrel sdata4
    put(image, "\x0c\x07\x08\x90\x01", 5); // def_cfa rsp + 8; ra at cfa - 8
    while ((image->at - start) % 4)
        put(image, "", 1);
    uint32_t length = (uint32_t)(image->at - start - 4);
    memcpy(image->bytes + start, &length, sizeof(length));
    return start;
}

static void put_fde(struct image *image, size_t cie, uint32_t code, uint32_t bytes, const void *program, size_t length)
{
    put_u32(image, (uint32_t)(13 + length));
    put_u32(image, (uint32_t)(image->at - cie));
    put_u32(image, code - (uint32_t)image->at);
    put_u32(image, bytes);
    put(image, "", 1);
    put(image, program, length);
}

static struct unwind_table *compile(const struct image *image)
{
    struct unwind_table *table;
    struct fault fault = {0};
    assert_int_equal(unwind_table__compile_memory(image->bytes, sizeof(image->bytes), &fault, &table), 0);
    assert_int_equal(unwind_table__check(table), 0);
    return table;
}

#define PROGRAM(text) (text), sizeof(text) - 1

// The rule at a distance from the function's start, for a program that is all of one FDE.
static struct unwind_rule rule_of(const char *augmentation, const void *program, size_t length, uint32_t distance)
{
    struct image image;
    start_image(&image);
    put_fde(&image, put_cie(&image, augmentation), CODE, 0x100, program, length);
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    return unwind_table__find(table, CODE + distance);
}

static void assert_rule(struct unwind_rule rule, int kind, int cfa_offset, int rbp, int bp_offset)
{
    assert_int_equal(UNWIND_KIND_OF(rule.kind), kind);
    assert_int_equal(rule.cfa_offset, cfa_offset);
    assert_int_equal(UNWIND_BP_OF(rule.kind), rbp);
    assert_int_equal(rule.bp_offset, bp_offset);
}

static void follows_a_prologue(void **state)
{
    (void)state;
    // push rbp (1 byte): cfa 16, rbp at cfa - 16; mov rsp, rbp (3 bytes): cfa = rbp + 16
    static const char program[] = "\x41\x0e\x10\x86\x02\x43\x0d\x06";
    assert_rule(rule_of("zR", PROGRAM(program), 0), UNWIND_SP, 8, UNWIND_BP_SAME, 0);
    assert_rule(rule_of("zR", PROGRAM(program), 1), UNWIND_SP, 16, UNWIND_BP_AT_CFA, -16);
    assert_rule(rule_of("zR", PROGRAM(program), 3), UNWIND_SP, 16, UNWIND_BP_AT_CFA, -16);
    assert_rule(rule_of("zR", PROGRAM(program), 4), UNWIND_BP, 16, UNWIND_BP_AT_CFA, -16);
    assert_rule(rule_of("zR", PROGRAM(program), 0xff), UNWIND_BP, 16, UNWIND_BP_AT_CFA, -16);
    assert_rule(rule_of("zR", PROGRAM(program), 0x100), UNWIND_GAP, 0, UNWIND_BP_SAME, 0);
}

static void remembers_and_restores(void **state)
{
    (void)state;
    // cfa 16; remember; advance 4: cfa 8; restore rip, advance 4: restore state
    static const char program[] = "\x0e\x10\x0a\x44\x0e\x08\x44\x0b";
    assert_rule(rule_of("zR", PROGRAM(program), 0), UNWIND_SP, 16, UNWIND_BP_SAME, 0);
    assert_rule(rule_of("zR", PROGRAM(program), 4), UNWIND_SP, 8, UNWIND_BP_SAME, 0);
    assert_rule(rule_of("zR", PROGRAM(program), 8), UNWIND_SP, 16, UNWIND_BP_SAME, 0);
    // rbp at cfa - 16, then DW_CFA_restore of what the CIE said of it: nothing
    assert_rule(rule_of("zR", PROGRAM("\x86\x02\x44\xc6"), 4), UNWIND_SP, 8, UNWIND_BP_SAME, 0);
}

static void knows_expressions_by_their_shape(void **state)
{
    (void)state;
    static const char plt[] = "\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22";
    assert_rule(rule_of("zR", PROGRAM(plt), 0), UNWIND_PLT, 8, UNWIND_BP_SAME, 11);
    static const char deref_bp[] = "\x0f\x03\x76\x78\x06\x10\x06\x02\x76\x00"; // realigned stack: rbp at *rbp
    assert_rule(rule_of("zR", PROGRAM(deref_bp), 0), UNWIND_BP_DEREF, -8, UNWIND_BP_AT_BP, 0);
    assert_rule(rule_of("zR", PROGRAM("\x0f\x05\x77\x28\x06\x23\x08"), 0), UNWIND_SP_DEREF_8, 40, UNWIND_BP_SAME, 0);
    assert_rule(rule_of("zR", PROGRAM("\x0f\x03\x77\x28\x06"), 0), UNWIND_SP_DEREF, 40, UNWIND_BP_SAME, 0);
    // what is only nearly so is not guessed
    assert_rule(rule_of("zR", PROGRAM("\x0f\x05\x77\x28\x06\x23\x10"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);
    assert_rule(rule_of("zR", PROGRAM("\x0f\x03\x72\x00\x06"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);
    static const char odd_plt[] = "\x0f\x0b\x77\x08\x80\x00\x37\x1a\x3b\x2a\x33\x24\x22";
    assert_rule(rule_of("zR", PROGRAM(odd_plt), 0), UNWIND_UNSUPPORTED, 0, 0, 0);
}

static void marks_what_it_cannot_do(void **state)
{
    (void)state;
    assert_rule(rule_of("zR", PROGRAM("\x07\x10"), 0), UNWIND_END, 0, 0, 0);                 // undefined: ra
    assert_rule(rule_of("zR", PROGRAM("\x0c\x0a\x00"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);     // cfa = r10
    assert_rule(rule_of("zR", PROGRAM("\x90\x02"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);         // ra at cfa - 16
    assert_rule(rule_of("zR", PROGRAM("\x09\x10\x02"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);     // ra in rcx
    assert_rule(rule_of("zR", PROGRAM("\x09\x06\x08"), 0), UNWIND_SP, 8, UNWIND_BP_LOST, 0); // rbp in r8
    assert_rule(rule_of("zR", PROGRAM("\x0b"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);             // nothing remembered
    assert_rule(rule_of("zR", PROGRAM("\x0e\x10\x44\x3f"), 0), UNWIND_UNSUPPORTED, 0, 0, 0); // unknown opcode
    assert_rule(rule_of("zRQ", PROGRAM(""), 0), UNWIND_UNSUPPORTED, 0, 0, 0);                // unknown augmentation
}

static void knows_signal_frames(void **state)
{
    (void)state;
    static const char program[] = "\x0f\x04\x77\xa0\x01\x06"  // cfa = *(rsp + 160)
                                  "\x10\x06\x03\x77\xf8\x00"  // rbp at rsp + 120
                                  "\x10\x03\x03\x77\x80\x01"  // rbx at rsp + 128
                                  "\x10\x10\x03\x77\xa8\x01"; // rip at rsp + 168
    assert_rule(rule_of("zRS", PROGRAM(program), 0), UNWIND_SIGNAL, 160, 0, 0);
    assert_rule(rule_of("zR", PROGRAM(program), 0), UNWIND_UNSUPPORTED, 0, 0, 0);
    assert_rule(rule_of("zRS", PROGRAM("\x00"), 0), UNWIND_UNSUPPORTED, 0, 0, 0);
}

static void keeps_rbx_only_where_it_is_needed(void **state)
{
    (void)state;
    struct image image;
    start_image(&image);
    size_t cie = put_cie(&image, "zR");
    put_fde(&image, cie, CODE, 0x40, PROGRAM("\x0e\x10\x83\x02"));
    size_t without = image.at;
    put_fde(&image, cie, CODE + 0x40, 0x40, PROGRAM("\x0c\x03\x10")); // cfa = rbx + 16
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    assert_int_equal(unwind_table__find(table, CODE).bx_slot, -2);
    assert_rule(unwind_table__find(table, CODE + 0x40), UNWIND_BX, 16, UNWIND_BP_SAME, 0);
    memset(image.bytes + without, 0, IMAGE - without);
    _cleanup_(unwind_table__freep) struct unwind_table *other = compile(&image);
    assert_int_equal(unwind_table__find(other, CODE).bx_slot, UNWIND_BX_LOST);
}

static void fills_padding_but_not_holes(void **state)
{
    (void)state;
    struct image image;
    start_image(&image);
    size_t cie = put_cie(&image, "zR");
    put_fde(&image, cie, CODE, 0x31, PROGRAM("\x0e\x10"));
    put_fde(&image, cie, CODE + 0x40, 0x20, PROGRAM("\x0e\x20")); // 15 bytes behind
    put_fde(&image, cie, CODE + 0x70, 0x20, PROGRAM("\x0e\x30")); // 16 bytes behind
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    assert_int_equal(unwind_table__find(table, CODE + 0x3f).cfa_offset, 16);
    assert_int_equal(unwind_table__find(table, CODE + 0x40).cfa_offset, 32);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 0x60).kind), UNWIND_GAP);
    assert_int_equal(unwind_table__find(table, CODE + 0x70).cfa_offset, 48);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE - 1).kind), UNWIND_GAP);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, UINT64_MAX).kind), UNWIND_GAP);
}

static void ends_the_stack_at_the_entry_point(void **state)
{
    (void)state;
    struct image image;
    start_image(&image);
    ((Elf64_Ehdr *)(void *)image.bytes)->e_entry = ADDRESS + CODE + 0x200;
    put_fde(&image, put_cie(&image, "zR"), CODE, 0x100, PROGRAM(""));
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 0x210).kind), UNWIND_END);
    assert_int_equal(UNWIND_KIND_OF(unwind_table__find(table, CODE + 0x180).kind), UNWIND_GAP);
}

static void finds_trampolines_without_cfi(void **state)
{
    (void)state;
    struct image image;
    start_image(&image);
    put_fde(&image, put_cie(&image, "zR"), CODE, 0x100, PROGRAM(""));
    memcpy(image.bytes + CODE + 0x300, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9);
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    assert_rule(unwind_table__find(table, CODE + 0x2ff), UNWIND_SIGNAL, 160, 0, 0); // the return address minus one
    assert_rule(unwind_table__find(table, CODE + 0x308), UNWIND_SIGNAL, 160, 0, 0);
    assert_rule(unwind_table__find(table, CODE + 0x309), UNWIND_GAP, 0, 0, 0);
}

static void refuses_what_does_not_run_here(void **state)
{
    (void)state;
    struct image image;
    struct unwind_table *table;
    struct fault fault = {0};
    start_image(&image);
    ((Elf64_Ehdr *)(void *)image.bytes)->e_machine = EM_AARCH64;
    assert_int_equal(unwind_table__compile_memory(image.bytes, IMAGE, &fault, &table), -ENOEXEC);
    assert_int_equal(unwind_table__compile_memory("no ELF", 6, &fault, &table), -ENOEXEC);
    start_image(&image);
    assert_int_equal(unwind_table__compile_memory(image.bytes, IMAGE - 1, &fault, &table), -EBADMSG); // cut
}

struct walked {
    uint64_t last;
    size_t count;
    const struct unwind_table *table;
};

static void compare_row(uint64_t file_offset, const struct unwind_rule *rule, void *context)
{
    struct walked *walked = context;
    struct unwind_rule found = unwind_table__find(walked->table, file_offset);
    assert_true(walked->count == 0 || file_offset > walked->last);
    assert_memory_equal(&found, rule, sizeof(found));
    walked->last = file_offset;
    walked->count++;
}

// This very program: the walk and the look-up agree on every row, and a table renumbered by a shift still does.
static void packs_a_whole_library(void **state)
{
    (void)state;
    _cleanup_fd_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    assert_int_equal(unwind_table__compile(fd, NULL, &table), 0);
    assert_int_equal(unwind_table__check(table), 0);
    struct walked walked = {.table = table};
    unwind_table__each(table, compare_row, &walked);
    assert_true(walked.count > 100);
    uint16_t ids[UNWIND_RULES_MAX] = {0};
    for (size_t i = 0; i < table->rule_count; i++)
        ids[i] = (uint16_t)(i + 1000);
    uint32_t *words = malloc(table->word_count * sizeof(*words));
    unwind_table__renumber(table, ids, 0, table->word_count, words);
    uint32_t last = words[UNWIND_HEAD_WORDS]; // the run of the first granule
    assert_int_equal(UNWIND_ROW_RULE(words[last]), UNWIND_ROW_RULE(table->words[last]) + 1000);
    enum { PART = 100 };
    uint32_t part[PART];
    for (size_t first = 0; first < table->word_count + PART; first += PART) {
        unwind_table__renumber(table, ids, first, PART, part);
        for (size_t i = 0; i < PART; i++)
            assert_int_equal(part[i], first + i < table->word_count ? words[first + i] : 0);
    }
    free(words);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

// Bytes changed at random in a file with real CFI: the result is an error or a sound table.
static void survives_damage(void **state)
{
    (void)state;
    _cleanup_fd_ int fd = open("/lib64/ld-linux-x86-64.so.2", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    size_t bytes = (size_t)status.st_size;
    uint8_t *whole = malloc(bytes), *damaged = malloc(bytes);
    assert_int_equal(read(fd, whole, bytes), bytes);
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (int turn = 0; turn < 300; turn++) {
        memcpy(damaged, whole, bytes);
        // Most of it in the headers and in the last part, where the CFI is.
        for (int i = 0; i < 20; i++)
            damaged[i % 4 ? bytes - 1 - next_random(&seed) % (bytes / 4) : next_random(&seed) % 0x400] =
                (uint8_t)next_random(&seed);
        memcpy(damaged, whole, turn % 2 ? 0x40 : 4);
        struct unwind_table *table;
        size_t kept = turn % 3 ? bytes : next_random(&seed) % bytes;
        if (unwind_table__compile_memory(damaged, kept, NULL, &table) == 0) {
            assert_int_equal(unwind_table__check(table), 0);
            unwind_table__free(table);
        }
    }
    free(whole);
    free(damaged);
}

static void checks_tables_from_elsewhere(void **state)
{
    (void)state;
    struct image image;
    start_image(&image);
    put_fde(&image, put_cie(&image, "zR"), CODE, 0x100, PROGRAM("\x44\x0e\x10\x44\x0e\x18"));
    _cleanup_(unwind_table__freep) struct unwind_table *table = compile(&image);
    uint32_t run = table->words[UNWIND_HEAD_WORDS];
    const struct {
        size_t word;
        uint32_t value;
    } lies[] = {
        {0, 1},                                 // base not at a granule's start
        {1, 1u << 30},                          // more granules than words
        {2, 40},                                // shift
        {3, 0},                                 // words
        {UNWIND_HEAD_WORDS, 0},                 // a run in the head
        {UNWIND_HEAD_WORDS, 1u << 31},          // a run outside
        {run, UINT32_MAX},                      // a run that is too long
        {run + 1, 0},                           // a row without a place
        {run + 2, table->words[run + 1]},       // two rows at one place
        {run + 1, table->words[run + 1] | 999}, // a rule that is not there
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint32_t truth = table->words[lies[i].word];
        table->words[lies[i].word] = lies[i].value;
        assert_int_equal(unwind_table__check(table), -EBADMSG);
        table->words[lies[i].word] = truth;
    }
    assert_int_equal(unwind_table__check(table), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_a_prologue),
        cmocka_unit_test(remembers_and_restores),
        cmocka_unit_test(knows_expressions_by_their_shape),
        cmocka_unit_test(marks_what_it_cannot_do),
        cmocka_unit_test(knows_signal_frames),
        cmocka_unit_test(keeps_rbx_only_where_it_is_needed),
        cmocka_unit_test(fills_padding_but_not_holes),
        cmocka_unit_test(ends_the_stack_at_the_entry_point),
        cmocka_unit_test(finds_trampolines_without_cfi),
        cmocka_unit_test(refuses_what_does_not_run_here),
        cmocka_unit_test(packs_a_whole_library),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(checks_tables_from_elsewhere),
    };
    return cmocka_run_group_tests_name("unwind_rows", tests, NULL, NULL);
}
