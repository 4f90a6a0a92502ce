// Go's own table: names, sizes, files, lines and inlined calls of functions, from a table built here by its description
// in Go's debug/gosym and runtime/symtab.go, in the layouts of 1.16, 1.18 and 1.20.
#include "symbolizer/go/go_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT    0x401000u
#define TABLE   0x500000u // address of .gopclntab
#define TREE    0x600000u // of main.work's inlined calls, in .rodata
#define DATA    0x5ff000u // what offsets of functions' data count from
#define DATA_AT 0x1000u   // TREE - DATA

static void append_fixed(struct buf *buf, uint64_t value, size_t bytes)
{
    buf__append(buf, &value, bytes);
}

static void patch(struct buf *buf, size_t at, uint64_t value, size_t bytes)
{
    memcpy(buf->data + at, &value, bytes);
}

static void append_function(uint32_t magic, uint64_t start, bool is_work, struct buf *table)
{
    bool is_1_16 = magic == 0xfffffffa;
    append_fixed(table, start, is_1_16 ? 8 : 4);
    append_fixed(table, is_work ? 1 : 11, 4); // name
    append_fixed(table, 0, 8);                // arguments, deferreturn
    append_fixed(table, 0, 4);                // the stack's program
    append_fixed(table, is_work ? 1 : 9, 4);  // the file's program
    append_fixed(table, is_work ? 4 : 12, 4); // the line's program
    append_fixed(table, is_work ? 3 : 0, 4);  // other programs
    append_fixed(table, 0, 4);                // unit
    if (magic == 0xfffffff1)
        append_fixed(table, 7, 4); // first line
    append_fixed(table, 0, 3);
    append_fixed(table, is_work ? 4 : 0, 1); // data
    if (!is_work)
        return;
    append_fixed(table, 0, 8);
    append_fixed(table, 15, 4); // the calls' program
    while (is_1_16 && table->length_bytes % 8)
        append_fixed(table, 0, 1);
    append_fixed(table, 0, is_1_16 ? 8 : 4);
    append_fixed(table, 0, is_1_16 ? 8 : 4);
    append_fixed(table, 0, is_1_16 ? 8 : 4);
    append_fixed(table, is_1_16 ? TREE : DATA_AT, is_1_16 ? 8 : 4);
}

// Call 0: main.middle, by what stands at +5; call 1: main.leaf, by what stands at +0x32.
static void make_tree(uint32_t magic, struct buf *tree)
{
    for (int i = 0; i < 2; i++) {
        append_fixed(tree, 0, 4);
        append_fixed(tree, 0, magic == 0xfffffff1 ? 0 : 8);
        append_fixed(tree, i == 0 ? 31 : 21, 4); // name
        append_fixed(tree, i == 0 ? 0x05 : 0x32, 4);
        append_fixed(tree, 0, magic == 0xfffffff1 ? 4 : 0);
    }
}

// runtime.moduledata: the table, its names, ..., what data are counted from.
static void make_module(uint32_t magic, const struct buf *table, struct buf *module)
{
    uint64_t names;
    memcpy(&names, table->data + (magic == 0xfffffffa ? 24 : 32), sizeof(names));
    append_fixed(module, 0, 8); // something before it
    append_fixed(module, TABLE, 8);
    append_fixed(module, TABLE + names, 8);
    for (int i = 2; i < (magic == 0xfffffff1 ? 40 : 38); i++)
        append_fixed(module, (uint64_t)i, 8);
    append_fixed(module, DATA, 8);
}

// main.work at +0x10..+0x50: a.go:7 for 0x20 bytes, then a.go:9; main.main at +0x50..+0x80: b.go:20. Of main.work, from
// +0x30 on, main.leaf was inlined into main.middle, and that at +0x10; from +0x40 on it is main.middle's own code.
static void make_table(uint32_t magic, struct buf *table)
{
    bool is_1_16 = magic == 0xfffffffa;
    size_t word = is_1_16 ? 8 : 4;
    append_fixed(table, magic, 4);
    append_fixed(table, 0, 2);
    append_fixed(table, 1, 1); // quantum
    append_fixed(table, 8, 1); // bytes of a pointer
    append_fixed(table, 2, 8); // functions
    append_fixed(table, 2, 8); // files
    if (!is_1_16)
        append_fixed(table, TEXT, 8);
    size_t places = table->length_bytes;
    for (int i = 0; i < 5; i++)
        append_fixed(table, 0, 8);

    patch(table, places, table->length_bytes, 8);
    buf__append(table, "\0main.work\0main.main\0main.leaf\0main.middle", 43);
    patch(table, places + 8, table->length_bytes, 8); // files of each unit
    append_fixed(table, 0, 4);
    append_fixed(table, 6, 4);
    patch(table, places + 16, table->length_bytes, 8);
    buf__append(table, "/a.go\0/b.go", 12);
    patch(table, places + 24, table->length_bytes, 8); // programs; 0 is none
    static const uint8_t programs[] = {0, 2,  0x40, 0, 16, 0x20, 4, 0x20, 0, 4,    0x30,
                                       0, 42, 0x30, 0, 0,  0x20, 4, 0x10, 1, 0x10, 0};
    // at 1: file -1 +1 = 0; at 4: line -1 +8 = 7, then +2 = 9; at 9: file -1 +2 = 1; at 12: line -1 +21 = 20;
    // at 15: call -1, then +2 = 1 (main.leaf), then -1 = 0 (main.middle)
    buf__append(table, programs, sizeof(programs));
    patch(table, places + 32, table->length_bytes, 8);

    size_t functions = table->length_bytes;
    uint64_t base = is_1_16 ? TEXT : 0;
    uint64_t starts[] = {base + 0x10, base + 0x50, base + 0x80};
    for (int i = 0; i < 3; i++) {
        append_fixed(table, starts[i], word);
        append_fixed(table, 0, i < 2 ? word : 0);
    }
    for (int i = 0; i < 2; i++) {
        patch(table, functions + ((size_t)i * 2 + 1) * word, table->length_bytes - functions, word);
        append_function(magic, starts[i], i == 0, table);
    }
}

struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[6];
    char names[64];
};

static struct elf_file *wrap(uint32_t magic, const struct buf *table)
{
    static const char names[] = "\0.text\0.gopclntab\0.rodata\0.noptrdata\0.shstrtab";
    struct buf tree = {0}, module = {0};
    make_tree(magic, &tree);
    make_module(magic, table, &module);
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_machine = EM_X86_64,
                   .e_shoff = offsetof(struct image, sections),
                   .e_shnum = 6,
                   .e_shstrndx = 5},
        .sections = {{0},
                     {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_EXECINSTR, .sh_addr = TEXT},
                     {.sh_name = 7, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = TABLE},
                     {.sh_name = 18, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = TREE},
                     {.sh_name = 26, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC},
                     {.sh_name = 37, .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, names)}},
    };
    const struct buf *contents[] = {table, &tree, &module};
    struct buf bytes = {0};
    image.sections[1].sh_size = 0x1000;
    image.sections[5].sh_size = sizeof(names);
    memcpy(image.names, names, sizeof(names));
    buf__append(&bytes, &image, sizeof(image));
    for (int i = 0; i < 3; i++) {
        image.sections[i + 2].sh_offset = bytes.length_bytes;
        image.sections[i + 2].sh_size = contents[i]->length_bytes;
        buf__append(&bytes, contents[i]->data, contents[i]->length_bytes);
    }
    memcpy(bytes.data, &image, sizeof(image));
    struct elf_file *file = NULL;
    assert_int_equal(elf_file__open_memory(bytes.data, bytes.length_bytes, ELF_BY_LIBELF, &file), 0);
    buf__release(&tree);
    buf__release(&module);
    return file;
}

// The whole, as an index: "main.leaf /a.go:9 main.middle /a.go:9 main.work /a.go:7 ".
static void check_chains(const struct string_pool *pool, struct index_parts *parts)
{
    static const struct {
        uint32_t address;
        const char *chain;
    } cases[] = {{0x10, "main.work /a.go:7 "},
                 {0x2f, "main.work /a.go:7 "},
                 {0x30, "main.leaf /a.go:9 main.middle /a.go:9 main.work /a.go:7 "},
                 {0x3f, "main.leaf /a.go:9 main.middle /a.go:9 main.work /a.go:7 "},
                 {0x40, "main.middle /a.go:9 main.work /a.go:7 "},
                 {0x50, "main.main /b.go:20 "},
                 {0x80, ""}};
    struct buf bytes = {0};
    struct index_segment segment = {0, TEXT, 0x1000};
    struct index index;
    buf__append(&parts->segments, &segment, sizeof(segment));
    buf__append(&parts->strings, pool->bytes.data, pool->bytes.length_bytes);
    parts->base = TEXT;
    parts->complete = true;
    assert_int_equal(index_parts__write(parts, &bytes), 0);
    assert_int_equal(index__check(bytes.data, bytes.length_bytes, INDEX_CHECKSUM, &index), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct index_frame chain[LIMIT_CHAIN];
        char text[256] = "";
        size_t length;
        index__find(&index, cases[i].address, false, chain, &length);
        for (size_t j = 0; j < length; j++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s:%u ", index.strings + chain[j].function,
                     index.strings + chain[j].file, chain[j].line);
        assert_string_equal(text, cases[i].chain);
    }
    buf__release(&bytes);
}

static void check_answers(struct string_pool *pool, struct index_parts *parts)
{
    static const struct {
        uint32_t address;
        const char *function, *file;
        uint32_t line;
    } cases[] = {{0x10, "main.work", "/a.go", 7},
                 {0x2f, "main.work", "/a.go", 7},
                 {0x30, "main.work", "/a.go", 9},
                 {0x4f, "main.work", "/a.go", 9},
                 {0x50, "main.main", "/b.go", 20},
                 {0x7f, "main.main", "/b.go", 20},
                 {0x80, NULL, "", 0},
                 {0x0f, NULL, "", 0}};
    const struct range *symbols = (const struct range *)parts->symbols.data;
    const struct index_line *lines = (const struct index_line *)parts->lines.data;
    size_t symbol_count = parts->symbols.length_bytes / sizeof(*symbols);
    size_t line_count = parts->lines.length_bytes / sizeof(*lines);
    const char *strings = (const char *)pool->bytes.data;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct range *symbol = range__find(symbols, symbol_count, cases[i].address);
        assert_int_equal(symbol != NULL, cases[i].function != NULL);
        if (symbol)
            assert_string_equal(strings + symbol->value, cases[i].function);
        struct index_line line = {0};
        for (size_t j = 0; j < line_count && lines[j].start <= cases[i].address; j++)
            line = lines[j];
        assert_string_equal(strings + line.file, cases[i].file);
        assert_int_equal(line.line, cases[i].line);
    }
}

static void read_version(uint32_t magic)
{
    struct buf table = {0};
    make_table(magic, &table);
    struct elf_file *file = wrap(magic, &table);
    struct string_pool pool = {0};
    struct symbol_table symbols = {.base = TEXT};
    struct dwarf_sink sink = {.elf = file, .base = TEXT, .pool = &pool};
    struct index_parts parts = {0};
    string_pool__add(&pool, "", 0);
    assert_int_equal(go_table__add(file, &symbols, &sink), 0);
    assert_int_equal(symbol_table__flatten(&symbols, &pool, &parts.symbols), 0);
    assert_int_equal(dwarf_sink__finish(&sink, &parts), 0);
    check_answers(&pool, &parts);
    check_chains(&pool, &parts);
    index_parts__release(&parts);
    dwarf_sink__release(&sink);
    symbol_table__release(&symbols);
    string_pool__release(&pool);
    elf_file__free(file);
    buf__release(&table);
}

static void reads_each_version(void **state)
{
    (void)state;
    read_version(0xfffffffa);
    read_version(0xfffffff0);
    read_version(0xfffffff1);
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct buf table = {0};
    make_table(0xfffffff1, &table);
    table.data[0] = 0xf7;
    struct elf_file *file = wrap(0xfffffff1, &table);
    struct string_pool pool = {0};
    struct symbol_table symbols = {.base = TEXT};
    struct dwarf_sink sink = {.elf = file, .base = TEXT, .pool = &pool};
    assert_int_equal(go_table__add(file, &symbols, &sink), -EBADMSG);
    string_pool__release(&pool);
    elf_file__free(file);
    buf__release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_each_version),
                                       cmocka_unit_test(refuses_what_it_does_not_know)};
    return cmocka_run_group_tests_name("go_table", tests, NULL, NULL);
}
