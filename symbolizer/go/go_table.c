#include "symbolizer/go/go_table.h"

#include <errno.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/go/go_inlines.h"

// The layouts are those of debug/gosym in Go's source; the magic number tells the version.
#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

#define INLINE_PROGRAM 2u // of a function's programs by number (PCDATA_InlTreeIndex), and of its data
#define INLINE_TREE    3u // (FUNCDATA_InlTree)

// The relocation that fills a word in, of a position-independent program; 0: there is none.
static uint64_t relocation_of(struct elf_file *file, uint64_t address)
{
    const struct elf_section *section = elf_file__find(file, ".rela.dyn");
    struct elf_data rows;
    uint64_t value = 0;
    if (!section || section->type != SHT_RELA || elf_file__read(file, section, &rows) != 0)
        return 0;
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= rows.length_bytes && value == 0; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, rows.bytes + at, sizeof(row));
        value = row.r_offset == address ? (uint64_t)row.r_addend : 0;
    }
    elf_file__forget(file, section);
    return value;
}

static uint64_t find_text(const struct go_table *table, uint64_t field)
{
    const struct elf_section *text = elf_file__find(table->file, ".text");
    uint64_t address = relocation_of(table->file, table->address + field);
    return address ? address : text ? text->address : 0;
}

static int read_header(struct go_table *table)
{
    struct byte_reader reader = dwarf_reader__over(table->data, 0);
    uint64_t magic = byte_reader__fixed(&reader, 4);
    byte_reader__skip(&reader, 2);
    table->quantum = (uint8_t)byte_reader__u8(&reader);
    table->pointer_bytes = (uint8_t)byte_reader__u8(&reader);
    table->version = magic == MAGIC_1_16 ? GO_1_16 : magic == MAGIC_1_18 ? GO_1_18 : GO_1_20;
    if ((magic != MAGIC_1_16 && magic != MAGIC_1_18 && magic != MAGIC_1_20) ||
        (table->pointer_bytes != 4 && table->pointer_bytes != 8))
        return -EBADMSG;
    table->function_count = byte_reader__fixed(&reader, table->pointer_bytes);
    byte_reader__skip(&reader, table->pointer_bytes); // number of files
    if (table->version != GO_1_16) {
        table->text = byte_reader__fixed(&reader, table->pointer_bytes);
        if (table->text == 0) // filled in by the loader, or no more since 1.26
            table->text = find_text(table, 8 + 2u * table->pointer_bytes);
    }
    table->names = byte_reader__fixed(&reader, table->pointer_bytes);
    table->units = byte_reader__fixed(&reader, table->pointer_bytes);
    table->files = byte_reader__fixed(&reader, table->pointer_bytes);
    table->programs = byte_reader__fixed(&reader, table->pointer_bytes);
    table->functions = byte_reader__fixed(&reader, table->pointer_bytes);
    return reader.failed || table->function_count > table->data.length_bytes ? -EBADMSG : 0;
}

// The end of a function's record: [its first line,] 3 bytes, the number of its data; offsets of its other programs, and
// of its data (addresses in 1.16, aligned).
static void find_inlines(const struct go_table *table, struct byte_reader reader, uint64_t programs,
                         struct go_function *function)
{
    byte_reader__skip(&reader, table->version == GO_1_20 ? 7 : 3);
    uint8_t data = byte_reader__u8(&reader);
    function->inline_program = function->inline_tree = 0;
    if (programs <= INLINE_PROGRAM || data <= INLINE_TREE)
        return;
    struct byte_reader program = reader;
    byte_reader__skip(&program, (uint64_t)INLINE_PROGRAM * 4);
    byte_reader__skip(&reader, programs * 4);
    bool has_addresses = table->version == GO_1_16;
    size_t bytes = has_addresses ? table->pointer_bytes : 4;
    if (has_addresses)
        byte_reader__skip(&reader, -byte_reader__offset(&reader) % bytes);
    byte_reader__skip(&reader, INLINE_TREE * bytes);
    uint64_t place = byte_reader__fixed(&reader, bytes), number = byte_reader__fixed(&program, 4);
    bool is_none = has_addresses ? place == 0 : place == UINT32_MAX || table->function_data == 0;
    if (reader.failed || is_none)
        return;
    function->inline_tree = place + table->function_data;
    function->inline_program = number;
}

// Row `index` of the table of functions: where it starts, and where its record is.
static bool read_function(const struct go_table *table, uint64_t index, struct go_function *ret_function)
{
    size_t bytes = table->version == GO_1_16 ? table->pointer_bytes : 4;
    struct byte_reader row = dwarf_reader__over(table->data, table->functions + index * 2 * bytes);
    uint64_t start = byte_reader__fixed(&row, bytes), record = byte_reader__fixed(&row, bytes);
    uint64_t end = byte_reader__fixed(&row, bytes); // the next one's, or the end of all
    if (row.failed || record > table->data.length_bytes)
        return false;
    struct byte_reader reader = dwarf_reader__over(table->data, table->functions + record);
    byte_reader__skip(&reader, bytes); // its start again
    uint64_t name = byte_reader__fixed(&reader, 4);
    byte_reader__skip(&reader, 12); // arguments, deferreturn, the stack's program
    ret_function->file_program = byte_reader__fixed(&reader, 4);
    ret_function->line_program = byte_reader__fixed(&reader, 4);
    uint64_t programs = byte_reader__fixed(&reader, 4);
    ret_function->unit = byte_reader__fixed(&reader, 4);
    find_inlines(table, reader, programs, ret_function);
    ret_function->start = table->text + start;
    ret_function->end = table->text + end;
    ret_function->name = go_table__string(table, table->names, name);
    return !reader.failed && ret_function->start < ret_function->end;
}

// Both programs side by side: a row wherever the file or the line changes.
static void add_lines(const struct go_table *table, const struct go_function *function)
{
    struct dwarf_sink *sink = table->sink;
    struct go_steps files = go_steps__of(table, function->file_program, function->start);
    struct go_steps lines = go_steps__of(table, function->line_program, function->start);
    struct dwarf_sequence sequence = {.first_row = (uint32_t)(sink->rows.length_bytes / sizeof(struct index_line))};
    if (!dwarf_sink__relative(sink, function->start, function->end, &sequence.start, &sequence.end))
        return;
    uint64_t address = function->start;
    bool more = go_steps__next(table, &files) && go_steps__next(table, &lines);
    uint32_t path = more ? go_table__path(table, function, files.value) : 0;
    while (more && address < function->end && sequence.row_count < LIMIT_GO_ROWS) {
        struct index_line row = {.start = (uint32_t)(address - sink->base), .file = path};
        row.line = lines.value < 0 || lines.value > UINT32_MAX ? 0 : (uint32_t)lines.value;
        uint64_t next = files.address < lines.address ? files.address : lines.address;
        if (next < address) // a step so long that the address went round
            break;
        if (next > address) { // programs of no bytes leave none
            buf__append(&sink->rows, &row, sizeof(row));
            sequence.row_count++;
        }
        if (lines.address == next)
            more = go_steps__next(table, &lines);
        if (files.address == next && more) {
            more = go_steps__next(table, &files);
            path = go_table__path(table, function, files.value);
        }
        address = next;
    }
    if (sequence.row_count > 0)
        buf__append(&sink->sequences, &sequence, sizeof(sequence));
}

// In a section of its own; Go programs linked with C have it amid other data, where its header is looked for.
static int find_table(struct go_table *table, const struct elf_section **ret_section)
{
    static const char *const own[] = {".gopclntab", ".data.rel.ro.gopclntab"};
    static const char *const others[] = {".data.rel.ro", ".rodata"};
    const struct elf_section *section = NULL;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !section; i++)
        section = elf_file__find(table->file, own[i]);
    if (section) {
        int err = elf_file__read(table->file, section, &table->data);
        table->address = section->address;
        *ret_section = section;
        return err ? err : read_header(table);
    }
    for (size_t i = 0; i < 2 && elf_file__find(table->file, ".go.buildinfo"); i++) {
        struct elf_data data;
        section = elf_file__find(table->file, others[i]);
        if (!section || elf_file__read(table->file, section, &data) != 0)
            continue;
        for (size_t at = 0; at + 64 <= data.length_bytes; at += 8) {
            if (data.bytes[at + 1] != 0xff || data.bytes[at + 2] != 0xff || data.bytes[at + 3] != 0xff)
                continue; // none of the magic numbers
            table->data = (struct elf_data){data.bytes + at, data.length_bytes - at};
            table->address = section->address + at;
            *ret_section = section;
            if (read_header(table) == 0 && table->function_count > 0 && table->names < table->units &&
                table->units < table->files && table->files < table->programs && table->programs < table->functions &&
                table->functions < table->data.length_bytes)
                return 0;
        }
        elf_file__forget(table->file, section);
    }
    return -ENOENT;
}

int go_table__add(struct elf_file *file, struct symbol_table *names, struct dwarf_sink *sink)
{
    const struct elf_section *section = NULL;
    struct go_table table = {.file = file, .sink = sink};
    int err = find_table(&table, &section);
    if (err)
        return err;
    go_inlines__prepare(&table);
    for (uint64_t i = 0; i < table.function_count && !err; i++) {
        struct go_function function;
        if (!read_function(&table, i, &function))
            continue;
        err = symbol_table__add(names, function.start, function.end - function.start, function.name);
        if (sink->rows.length_bytes < LIMIT_LINE_ROWS * sizeof(struct index_line))
            add_lines(&table, &function);
        if (!err)
            err = go_inlines__add(&table, &function);
    }
    elf_file__forget(file, section);
    return err;
}
