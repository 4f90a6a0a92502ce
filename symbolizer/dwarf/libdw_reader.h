// The second DWARF reader: elfutils' libdw reads the units that our own reader (dwarf_file.h) refuses. The rows go into
// the tables of the same sink, with names and paths spelled alike. libdw checks damaged files less than we do, so it
// runs only in the sandboxed worker, in a job of its own: when libdw crashes or does not end, that worker dies, and the
// answer of the job before, by our own reader, is kept (naming_tries.h).
//
// libdw reads the descriptors that the job has; seccomp refuses open(). So libdw reads the file with .debug_info and
// dwz's alternate file (dwarf_setalt), but no split files: libdw links a skeleton with its half in one function alone,
// __libdw_find_split_unit() of libdw_find_split_unit.c, whose try_split_file() calls open(), and no call takes a
// descriptor or an Elf instead. So our own reader finds the half of a skeleton (split_units.h, also in a .dwp, which
// libdw 0.188 does not know), and libdw reads its entries from memory; their addresses, which depend on the skeleton,
// are decoded by dwarf_ranges.h.
#ifndef HEARTH_SYMBOLIZER_DWARF_LIBDW_READER_H
#define HEARTH_SYMBOLIZER_DWARF_LIBDW_READER_H

#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/dwarf/dwarf_sink.h"

struct libdw_reader;

// `fd` is the file with .debug_info, and `elf` the same file; `alternate_fd` is dwz's, or -1. Both stay open as long as
// the reader. -EBADMSG: libdw does not read it either; -EOPNOTSUPP: a relocatable file.
int libdw_reader__open(int fd, const struct elf_file *elf, int alternate_fd, struct libdw_reader **ret_reader);
void libdw_reader__free(struct libdw_reader *reader);
DEFINE_CLEANUP(struct libdw_reader *, libdw_reader__free);

// Adds the scopes, ranges and lines of the unit whose header is at `offset` of .debug_info. -EBADMSG: damaged; the
// rows before the damage are in the sink. -EOPNOTSUPP: a skeleton, whose lines are in the sink.
int libdw_reader__read_unit(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);
// The same of every unit from `offset` on.
int libdw_reader__read_from(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);

// Adds the scopes and ranges of the split half of a unit, whose root has been read; `files` are those of its skeleton's
// line program. -EBADMSG: damaged.
int libdw_reader__read_half(const struct dwarf_unit *half, struct dwarf_files *files, struct dwarf_sink *sink);

#endif
