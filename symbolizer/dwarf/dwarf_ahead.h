// The work of a second thread, while the first one inflates .debug_info, which takes as long as all the rest: to read
// the other sections, and runs the line programs that need nothing of the units (those of DWARF 5).
#ifndef HEARTH_SYMBOLIZER_DWARF_DWARF_AHEAD_H
#define HEARTH_SYMBOLIZER_DWARF_DWARF_AHEAD_H

#include "symbolizer/dwarf/dwarf_file.h"
#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/dwarf/dwarf_sink.h"

struct helper;

struct dwarf_ahead { // zeroed
    struct elf_file *elf;
    struct dwarf_file file; // its sections, but for .debug_info
    struct dwarf_unit unit; // that every program belongs to
    struct string_pool pool;
    struct dwarf_sink sink;
    struct buf programs; // struct dwarf_program
};

// Reads the sections of `elf`; dwarf_file__open finds them. `code` says where code is. Does nothing without a helper,
// for little, and where one section needs another (relocatable files).
void dwarf_ahead__read(struct dwarf_ahead *ahead, struct elf_file *elf, struct elf_file *code, uint64_t base,
                       struct helper *helper);
void dwarf_ahead__release(struct dwarf_ahead *ahead);

// The files of the program at an offset, whose rows are in the sink; yours. -ENOENT: it was not run; -ENOMEM.
int dwarf_ahead__files(const struct dwarf_ahead *ahead, uint64_t offset, struct dwarf_files *ret_files);

#endif
