// The second DWARF reader: elfutils' libdw, asked for the units that our own reader (dwarf_file.h) refuses. It adds the
// same tables to the same sink, with the names and paths spelled alike. It runs in the sandboxed worker only, in a job
// of its own, since libdw trusts files more than we do: when it crashes or does not end, the worker dies, and the job
// before, by our own reader, still has its answer (naming_tries.h).
//
// libdw reads the descriptors that the job has and opens none: seccomp refuses open(). So it knows the file with
// .debug_info and dwz's alternate file (dwarf_setalt), but no split files, whose skeletons it would look up itself.
#ifndef HEARTH_SYMBOLIZER_LIBDW_READER_H
#define HEARTH_SYMBOLIZER_LIBDW_READER_H

#include "symbolizer/dwarf_sink.h"

struct libdw_reader;

// `fd` is the file with .debug_info, and `elf` the same file; `alternate_fd` is dwz's, or -1. Both stay open as long as
// the reader. -EBADMSG: libdw does not read it either; -EOPNOTSUPP: a relocatable file.
int libdw_reader__open(int fd, const struct elf_file *elf, int alternate_fd, struct libdw_reader **ret_reader);
void libdw_reader__free(struct libdw_reader *reader);
DEFINE_CLEANUP(struct libdw_reader *, libdw_reader__free);

// Adds the scopes, ranges and lines of the unit whose header is at `offset` of .debug_info. -EBADMSG: damaged; what was
// found before the damage is in the sink.
int libdw_reader__read_unit(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);
// The same of every unit from `offset` on.
int libdw_reader__read_from(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink);

#endif
