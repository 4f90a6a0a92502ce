// The split halves of units (DWARF 5's, and GNU's of DWARF 4): one .dwo file a source file, or all of them in one .dwp
// beside the binary.
#ifndef HEARTH_SYMBOLIZER_DWARF_SPLIT_UNITS_H
#define HEARTH_SYMBOLIZER_DWARF_SPLIT_UNITS_H

#include "symbolizer/companions/companion.h"
#include "symbolizer/dwarf/dwarf_file.h"

struct split_units {
    const struct companion_opener *companions;
    bool asked_for_package;
    struct elf_file *package;
    struct dwarf_file *package_dwarf; // its sections, whole
    struct buf opened;                // struct split_file
};

void split_units__release(struct split_units *split);

// The half of a skeleton, its root read. -ENOENT: its file is not there; -ESTALE: it is of another build.
int split_units__open(struct split_units *split, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit);

#endif
