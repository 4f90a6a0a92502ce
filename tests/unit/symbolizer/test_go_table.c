// Go's own table: names, sizes, files and lines of functions, from a table built here by its description in Go's
// debug/gosym, in the layouts of 1.16, 1.18 and 1.20.
#include "symbolizer/go_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT 0x401000u

static void append_fixed(struct buf *buf, uint64_t value, size_t bytes)
{
    buf__append(buf, &value, bytes);
}

static void patch(struct buf *buf, size_t at, uint64_t value, size_t bytes)
{
    memcpy(buf->data + at, &value, bytes);
}

// main.work at +0x10..+0x50: a.go:7 for 0x20 bytes, then a.go:9; main.main at +0x50..+0x80: b.go:20.
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
    buf__append(table, "\0main.work\0main.main", 21);
    patch(table, places + 8, table->length_bytes, 8); // files of each unit
    append_fixed(table, 0, 4);
    append_fixed(table, 6, 4);
    patch(table, places + 16, table->length_bytes, 8);
    buf__append(table, "/a.go\0/b.go", 12);
    patch(table, places + 24, table->length_bytes, 8); // programs; 0 is none
    static const uint8_t programs[] = {0, 2, 0x40, 0, 16, 0x20, 4, 0x20, 0, 4, 0x30, 0, 42, 0x30, 0};
    // at 1: file -1 +1 = 0; at 4: line -1 +8 = 7, then +2 = 9; at 9: file -1 +2 = 1; at 12: line -1 +21 = 20
    buf__append(table, programs, sizeof(programs));
    patch(table, places + 32, table->length_bytes, 8);

    size_t functions = table->length_bytes;
    uint64_t base = is_1_16 ? TEXT : 0, records = 5 * word;
    uint64_t starts[] = {base + 0x10, base + 0x50, base + 0x80};
    size_t record_bytes = word + 9 * 4;
    for (int i = 0; i < 2; i++) {
        append_fixed(table, starts[i], word);
        append_fixed(table, records + (uint64_t)i * record_bytes, word);
    }
    append_fixed(table, starts[2], word);
    assert_int_equal(table->length_bytes, functions + records);
    for (int i = 0; i < 2; i++) {
        append_fixed(table, starts[i], word);
        append_fixed(table, i == 0 ? 1 : 11, 4); // name
        append_fixed(table, 0, 4);               // arguments
        append_fixed(table, 0, 4);               // deferreturn
        append_fixed(table, 0, 4);               // the stack's program
        append_fixed(table, i == 0 ? 1 : 9, 4);  // the file's program
        append_fixed(table, i == 0 ? 4 : 12, 4); // the line's program
        append_fixed(table, 0, 4);
        append_fixed(table, 0, 4); // unit
        append_fixed(table, 0, 4);
    }
}

struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[4];
    char names[32];
};

static struct elf_file *wrap(const struct buf *table)
{
    static const char names[] = "\0.text\0.gopclntab\0.shstrtab";
    struct image image = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_shoff = offsetof(struct image, sections),
                   .e_shnum = 4,
                   .e_shstrndx = 3},
        .sections =
            {{0},
             {.sh_name = 1,
              .sh_type = SHT_PROGBITS,
              .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
              .sh_addr = TEXT,
              .sh_size = 0x1000},
             {.sh_name = 7, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(image), .sh_size = table->length_bytes},
             {.sh_name = 18,
              .sh_type = SHT_STRTAB,
              .sh_offset = offsetof(struct image, names),
              .sh_size = sizeof(names)}},
    };
    struct elf_file *file = NULL;
    uint8_t *memory = malloc(sizeof(image) + table->length_bytes);
    memcpy(image.names, names, sizeof(names));
    memcpy(memory, &image, sizeof(image));
    memcpy(memory + sizeof(image), table->data, table->length_bytes);
    assert_int_equal(elf_file__open_memory(memory, sizeof(image) + table->length_bytes, &file), 0);
    return file;
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
    struct elf_file *file = wrap(&table);
    struct string_pool pool = {0};
    struct symbol_table symbols = {.base = TEXT};
    struct dwarf_sink sink = {.elf = file, .base = TEXT, .pool = &pool};
    struct index_parts parts = {0};
    string_pool__add(&pool, "", 0);
    assert_int_equal(go_table__add(file, &symbols, &sink), 0);
    assert_int_equal(symbol_table__flatten(&symbols, &pool, &parts.symbols), 0);
    assert_int_equal(dwarf_sink__finish(&sink, &parts), 0);
    check_answers(&pool, &parts);
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
    struct elf_file *file = wrap(&table);
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
