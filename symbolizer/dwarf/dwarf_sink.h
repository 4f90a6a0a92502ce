// The tables of an index in the making; the parts of the DWARF readers append to them.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_SINK_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_SINK_H

#include "symbolizer/elf/elf_file.h"
#include "symbolizer/index/index_parts.h"
#include "symbolizer/index/string_pool.h"

struct dwarf_sequence { // rows of ascending addresses, [start, end)
    uint32_t start;
    uint32_t end;
    uint32_t first_row;
    uint32_t row_count;
};

struct dwarf_name { // of the map from an entry to its name
    uint64_t entry; // its file's number and its offset there; 0: free
    uint32_t name;
    bool is_bare; // INDEX_SCOPE_BARE
};

struct dwarf_sink {
    struct elf_file *elf; // says where code is
    uint64_t base;
    struct string_pool *pool;
    struct buf ranges;        // struct range, of each unit disjoint and sorted
    struct buf scopes;        // struct index_scope
    struct buf rows;          // struct index_line
    struct buf sequences;     // struct dwarf_sequence
    struct dwarf_name *names; // an inline function is named once, however often it is inlined
    size_t name_slots;
    size_t names_used;
    uint64_t ranges_read; // of all entries, and bytes of line programs: lists and programs may be shared by many
    uint64_t line_bytes_run;
    const struct elf_section *code; // where the last range was
};

// Makes a range relative to the base. False for what is no code of this file: functions the linker threw away have
// ranges at 0 or behind the end.
bool dwarf_sink__relative(struct dwarf_sink *sink, uint64_t low, uint64_t high, uint32_t *ret_low, uint32_t *ret_high);

// Adds a row of the sequence whose first row is `first_row`. Of several rows at one address the last counts; a row with
// the file and line of the row before it is left out.
static inline void dwarf_sink__add_row(struct dwarf_sink *sink, uint32_t first_row, struct index_line row)
{
    if (sink->rows.length_bytes > first_row * sizeof(row) && !sink->rows.failed) {
        struct index_line *last = (struct index_line *)(sink->rows.data + sink->rows.length_bytes) - 1;
        if (last->start == row.start) {
            *last = row;
            return;
        }
        if (last->file == row.file && last->line == row.line)
            return;
    }
    buf__append(&sink->rows, &row, sizeof(row));
}

// Makes the rows from `first_row` on a sequence of the code at [low, high), or drops them where that is no code of this
// file.
void dwarf_sink__end_sequence(struct dwarf_sink *sink, uint32_t first_row, uint64_t low, uint64_t high);

// The name of an entry, or the free place for it; NULL without memory.
struct dwarf_name *dwarf_sink__name(struct dwarf_sink *sink, uint64_t entry);

struct dwarf_mark { // lengths of the tables
    size_t ranges, scopes, rows, sequences;
};

// The mark says where the tables end now; a cut drops what was appended since.
struct dwarf_mark dwarf_sink__mark(const struct dwarf_sink *sink);
void dwarf_sink__cut(struct dwarf_sink *sink, const struct dwarf_mark *mark);

// Appends what another sink holds, whose strings are in a pool of its own. -ENOMEM.
int dwarf_sink__append(struct dwarf_sink *sink, const struct dwarf_sink *other);

// Sorts what the units left and appends it to the tables of the index.
int dwarf_sink__finish(struct dwarf_sink *sink, struct index_parts *parts);
void dwarf_sink__release(struct dwarf_sink *sink);

#endif
