// Object files that are not linked yet, as kernel modules and their debug files are: all sections begin at address 0,
// and what refers to them is filled in by relocations. Here they get addresses one behind the other, segments for their
// code (whose file offsets are these addresses: "offset" has no other meaning in such a file, since debug files lack
// the contents), and debug information is relocated as it is read.
//
//   .text 0..5ef5, .init.text 0..6e     ->     .text 1000..6ef5, .init.text 7000..706e
#ifndef HEARTH_SYMBOLIZER_ELF_RELOCATABLE_H
#define HEARTH_SYMBOLIZER_ELF_RELOCATABLE_H

#include "symbolizer/elf_file.h"

// Places the sections; ret_segments are to be freed.
int elf_relocatable__place(struct elf_section *sections, size_t count, struct elf_segment **ret_segments,
                           size_t *ret_count);

// Applies the relocations of a section to its contents. Those that make no sense are left out. -ENOMEM, -E2BIG.
int elf_relocatable__apply(struct elf_file *file, const struct elf_section *section, uint8_t *bytes,
                           size_t length_bytes);

#endif
