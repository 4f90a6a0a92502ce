// What DWARF knows of a binary, for the units that are wanted: made into tables of an index.
#ifndef HEARTH_SYMBOLIZER_DWARF_INDEX_H
#define HEARTH_SYMBOLIZER_DWARF_INDEX_H

#include "symbolizer/dwarf_ahead.h"
#include "symbolizer/dwarf_file.h"
#include "symbolizer/index_parts.h"
#include "symbolizer/libdw_reader.h"

struct dwarf_index_request {
    struct elf_file *elf; // that says where code is
    struct dwarf_file *dwarf;
    const uint64_t *addresses; // whose units are wanted
    size_t count;
    bool complete;                   // all units
    struct helper *helper;           // NULL: nobody helps
    const struct dwarf_ahead *ahead; // what was done before; may be empty
    struct libdw_reader *second;     // reads the units that are refused; NULL: nobody
    // Opens the split half of a unit, or NULL. -ENOENT: it is not there. The file stays borrowed from `context`.
    int (*open_split)(void *context, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit);
    void *context;
};

// Fills units, ranges, scopes and lines of the parts, and their `complete`. Units that nobody can read whole are
// counted in `refused`, and cost what could not be read of them.
int dwarf_index__build(const struct dwarf_index_request *request, struct string_pool *pool, struct index_parts *parts);

#endif
