// Makes tables of an index from the DWARF of a binary, for the units that are wanted.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_INDEX_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_INDEX_H

#include "symbolizer/dwarf/dwarf_ahead.h"
#include "symbolizer/dwarf/dwarf_file.h"
#include "symbolizer/dwarf/libdw_reader.h"
#include "symbolizer/index/index_parts.h"

struct dwarf_index_request {
    struct elf_file *elf; // that says where code is
    struct dwarf_file *dwarf;
    const uint64_t *addresses; // whose units are wanted
    size_t count;
    bool complete;                   // all units
    struct helper *helper;           // NULL: nobody helps
    const struct dwarf_ahead *ahead; // what was done before; may be empty
    struct libdw_reader *second;     // reads the units that our own reader refuses; NULL: nobody does
    // Opens the split half of a unit, or NULL. -ENOENT: it is not there. The file stays borrowed from `context`.
    int (*open_split)(void *context, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit);
    void *context;
};

// Fills units, ranges, scopes and lines of the parts, and their `complete`. Counts the units that no reader can read
// whole in `refused`; the rest of such a unit is lost.
int dwarf_index__build(const struct dwarf_index_request *request, struct string_pool *pool, struct index_parts *parts);

#endif
