#include "symbolizer/go/go_inlines.h"

#include <errno.h>
#include <string.h>

#include "store/base/limits.h"

// Words of runtime.moduledata (runtime/symtab.go): the header of the table, its names; far behind, the data of
// functions.
#define NAMES_WORD              1
#define FUNCTION_DATA_WORD_1_18 38
#define FUNCTION_DATA_WORD_1_20 40

#define CALLS_A_FUNCTION 4096 // inlined into one; generated code has some hundreds

struct call {
    uint32_t scope; // INDEX_NONE: not yet made
    bool is_open;   // being made: its caller is itself
};

struct inlining {
    struct go_table *table;
    const struct go_function *function;
    struct elf_data tree;
    struct call *calls;
    size_t count;
    uint32_t outermost;
};

// --- Where trees are

static uint64_t word_at(struct elf_data data, uint64_t offset)
{
    struct byte_reader reader = dwarf_reader__over(data, offset);
    return byte_reader__fixed(&reader, 8);
}

static size_t function_data_word(const struct go_table *table)
{
    return table->version == GO_1_18 ? FUNCTION_DATA_WORD_1_18 : FUNCTION_DATA_WORD_1_20;
}

static uint64_t find_in_section(const struct go_table *table, struct elf_data data)
{
    for (uint64_t at = 0; at + 8 <= data.length_bytes; at += 8)
        if (word_at(data, at) == table->address && word_at(data, at + NAMES_WORD * 8) == table->address + table->names)
            return word_at(data, at + function_data_word(table) * 8);
    return 0;
}

// In position-independent programs the words are filled in by relocations, which have them.
static uint64_t relocated_word(struct elf_data rows, uint64_t address)
{
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= rows.length_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, rows.bytes + at, sizeof(row));
        if (row.r_offset == address)
            return (uint64_t)row.r_addend;
    }
    return 0;
}

static uint64_t find_in_relocations(const struct go_table *table, struct elf_data rows)
{
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= rows.length_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, rows.bytes + at, sizeof(row));
        if ((uint64_t)row.r_addend == table->address &&
            relocated_word(rows, row.r_offset + NAMES_WORD * 8) == table->address + table->names)
            return relocated_word(rows, row.r_offset + function_data_word(table) * 8);
    }
    return 0;
}

void go_inlines__prepare(struct go_table *table)
{
    static const char *const places[] = {".go.module", ".noptrdata", ".data", ".rela.dyn", ".rela"};
    table->steps_left = LIMIT_GO_STEPS;
    if (table->version == GO_1_16 || table->pointer_bytes != 8)
        return; // whose functions have addresses
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && table->function_data == 0; i++) {
        const struct elf_section *section = elf_file__find(table->file, places[i]);
        struct elf_data data;
        if (!section || elf_file__read(table->file, section, &data) != 0)
            continue;
        table->function_data =
            section->type == SHT_RELA ? find_in_relocations(table, data) : find_in_section(table, data);
        elf_file__forget(table->file, section);
    }
}

static struct elf_data data_at(struct elf_file *file, uint64_t address)
{
    for (size_t i = 1; i < elf_file__section_count(file); i++) {
        const struct elf_section *section = elf_file__section(file, i);
        struct elf_data data;
        if (!(section->flags & SHF_ALLOC) || section->type == SHT_NOBITS || address < section->address ||
            address - section->address >= section->bytes)
            continue;
        if (elf_file__read(file, section, &data) != 0)
            break;
        uint64_t offset = address - section->address;
        return (struct elf_data){data.bytes + offset, data.length_bytes - offset};
    }
    return (struct elf_data){0};
}

// --- Calls

// The value of a program at one address; -1: none.
static int64_t value_at(struct go_table *table, const struct go_function *function, uint64_t program, uint64_t address)
{
    struct go_steps steps = go_steps__of(table, program, function->start);
    while (table->steps_left > 0 && go_steps__next(table, &steps)) {
        table->steps_left--;
        if (address < steps.address)
            return steps.value;
    }
    return -1;
}

struct tree_row {
    const char *name;
    uint64_t place; // address of an instruction of the caller
};

// Go 1.20: id u8, 3 bytes, name, place, first line. Before: parent u16, id u8, 1 byte, file, line, name, place.
static bool read_row(const struct inlining *inlining, int64_t index, struct tree_row *ret_row)
{
    bool is_new = inlining->table->version == GO_1_20;
    struct byte_reader reader = dwarf_reader__over(inlining->tree, (uint64_t)index * (is_new ? 16 : 20));
    byte_reader__skip(&reader, is_new ? 4 : 12);
    uint64_t name = byte_reader__fixed(&reader, 4), place = byte_reader__fixed(&reader, 4);
    ret_row->name = go_table__string(inlining->table, inlining->table->names, name);
    ret_row->place = inlining->function->start + place;
    return !reader.failed && ret_row->name[0] && ret_row->place < inlining->function->end;
}

static uint32_t add_scope(struct dwarf_sink *sink, const char *name, uint32_t parent, uint32_t file, int64_t line)
{
    struct index_scope scope = {.name = string_pool__add(sink->pool, name, strnlen(name, LIMIT_MANGLED_BYTES)),
                                .parent = parent,
                                .call_file = file,
                                .call_line = line < 0 || line > UINT32_MAX ? 0 : (uint32_t)line};
    buf__append(&sink->scopes, &scope, sizeof(scope));
    return (uint32_t)(sink->scopes.length_bytes / sizeof(scope) - 1);
}

// The scope of a call, its callers' first; one that makes no sense is that of the function itself.
static uint32_t scope_of(struct inlining *inlining, int64_t index, size_t depth) // NOLINT(misc-no-recursion)
{
    struct go_table *table = inlining->table;
    const struct go_function *function = inlining->function;
    struct tree_row row;
    if (index < 0 || (size_t)index >= inlining->count || depth == LIMIT_CHAIN || inlining->calls[index].is_open ||
        !read_row(inlining, index, &row))
        return inlining->outermost;
    struct call *call = &inlining->calls[index];
    if (call->scope != INDEX_NONE)
        return call->scope;
    call->is_open = true;
    uint32_t parent = scope_of(inlining, value_at(table, function, function->inline_program, row.place), depth + 1);
    uint32_t file = go_table__path(table, function, value_at(table, function, function->file_program, row.place));
    call->scope =
        add_scope(table->sink, row.name, parent, file, value_at(table, function, function->line_program, row.place));
    call->is_open = false;
    return call->scope;
}

static size_t count_calls(const struct go_table *table, const struct go_function *function)
{
    struct go_steps steps = go_steps__of(table, function->inline_program, function->start);
    int64_t highest = -1;
    for (size_t i = 0; i < LIMIT_GO_ROWS && steps.address < function->end && go_steps__next(table, &steps); i++)
        if (steps.value > highest)
            highest = steps.value;
    return highest < CALLS_A_FUNCTION ? (size_t)(highest + 1) : CALLS_A_FUNCTION;
}

static void add_ranges(struct inlining *inlining)
{
    const struct go_function *function = inlining->function;
    struct dwarf_sink *sink = inlining->table->sink;
    struct go_steps steps = go_steps__of(inlining->table, function->inline_program, function->start);
    uint64_t start = function->start;
    for (size_t i = 0; i < LIMIT_GO_ROWS && start < function->end && go_steps__next(inlining->table, &steps); i++) {
        struct range range;
        uint64_t end = steps.address < function->end ? steps.address : function->end;
        if (dwarf_sink__relative(sink, start, end, &range.start, &range.end)) {
            range.value = scope_of(inlining, steps.value, 0);
            buf__append(&sink->ranges, &range, sizeof(range));
        }
        start = end;
    }
}

int go_inlines__add(struct go_table *table, const struct go_function *function)
{
    if (function->inline_program == 0 || table->sink->scopes.length_bytes > LIMIT_SCOPES * sizeof(struct index_scope))
        return 0;
    struct inlining inlining = {
        .table = table, .function = function, .tree = data_at(table->file, function->inline_tree)};
    inlining.count = count_calls(table, function);
    if (inlining.tree.length_bytes == 0 || inlining.count == 0)
        return 0;
    _cleanup_free_ struct call *calls = calloc(inlining.count, sizeof(*calls));
    if (!calls)
        return -ENOMEM;
    for (size_t i = 0; i < inlining.count; i++)
        calls[i].scope = INDEX_NONE;
    inlining.calls = calls;
    inlining.outermost = add_scope(table->sink, function->name, INDEX_NONE, 0, 0);
    add_ranges(&inlining);
    return 0;
}
