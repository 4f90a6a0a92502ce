// The small reader of ELF headers for the privileged parent, which looks at strangers' files itself: pread into memory
// of our own, each offset and size held against the file's size before it is used. docs/decisions/0009-libelf.md.
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_BOUNDED_H
#define HEARTH_SYMBOLIZER_ELF_ELF_BOUNDED_H

#include "symbolizer/elf/elf_bytes.h"

// Reads the file's header, with is_64, machine and is_relocatable. -EBADMSG: no ELF file of this byte order.
int elf_bounded__read_header(struct elf_file *file, struct elf_tables *ret_tables);
// The tables of segments and of sections. -EBADMSG: segments are missing.
int elf_bounded__read_tables(struct elf_file *file, const struct elf_tables *tables);

#endif
