// MiniDebugInfo: the .symtab of a stripped binary, as an xz-packed ELF file in its section .gnu_debugdata (Fedora's).
#ifndef HEARTH_SYMBOLIZER_ELF_MINI_DEBUG_H
#define HEARTH_SYMBOLIZER_ELF_MINI_DEBUG_H

#include "symbolizer/elf/elf_file.h"

// Unpacks it. -ENOENT: the file has none.
int mini_debug__open(struct elf_file *file, struct elf_file **ret_mini);

#endif
