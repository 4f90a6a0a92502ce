// Line programs, run: which file and line each address comes from.
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_LINES_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_LINES_H

#include "symbolizer/dwarf/dwarf_file.h"

struct dwarf_sink;

// The files of one line program. A path is put into the pool when it is first asked for.
struct dwarf_files {
    const struct dwarf_unit *unit;
    struct buf folders; // const char *
    struct buf files;   // struct dwarf_file_name
    uint16_t version;
};

void dwarf_files__release(struct dwarf_files *files);
// The same files, with none of their paths in a pool. -ENOMEM.
int dwarf_files__copy(const struct dwarf_files *files, struct dwarf_files *ret_copy);
// The path of file `index` of the program, as an offset in the pool; 0: unknown.
uint32_t dwarf_files__path(struct dwarf_files *files, struct string_pool *pool, uint64_t index);

// Runs the program at `offset` of the unit's .debug_line. Rows go to the sink; `ret_files` is yours, also on failure.
int dwarf_lines__run(const struct dwarf_unit *unit, uint64_t offset, struct dwarf_sink *sink,
                     struct dwarf_files *ret_files);

#endif
