// The second DWARF reader: elfutils' libdw reads the units that our own reader (dwarf_file.h) refuses. The rows go into
// the tables of the same sink, with names and paths spelled alike. libdw checks damaged files less than we do, so it
// runs only in the sandboxed worker, in a job of its own: when libdw crashes or does not end, that worker dies, and the
// answer of the job before, by our own reader, is kept (naming_tries.h).
//
// libdw reads the descriptors that the job has; seccomp refuses open(). So libdw reads the file with .debug_info and
// dwz's alternate file (dwarf_setalt), but no split files, which it would open itself.
#ifndef HEARTH_SYMBOLIZER_DWARF_LIBDW_READER_H
#define HEARTH_SYMBOLIZER_DWARF_LIBDW_READER_H

#include "symbolizer/dwarf/dwarf_sink.h"

struct libdw_reader;

// `fd` is the file with .debug_info, and `elf` the same file; `alternate_fd` is dwz's, or -1. Both stay open as long as
// the reader. -EBADMSG: libdw does not read it either; -EOPNOTSUPP: a relocatable file.
int libdw_reader__open(int fd, const struct elf_file *elf, int alternate_fd, struct libdw_reader **ret_reader);
void libdw_reader__free(struct libdw_reader *reader);
DEFINE_CLEANUP(struct libdw_reader *, libdw_reader__free);

// Adds the scopes, ranges and lines of the unit whose header is at `offset` of .debug_info. -EBADMSG: damaged; the
// rows before the damage are in the sink.
int libdw_reader__read_unit(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);
// The same of every unit from `offset` on.
int libdw_reader__read_from(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);

#endif
