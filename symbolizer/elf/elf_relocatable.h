// Object files that are not linked yet, as kernel modules and their debug files are: all sections begin at address 0,
// and what refers to them is filled in by relocations. Here they get addresses one behind the other, segments for their
// code (whose file offsets are these addresses: "offset" has no other meaning in such a file, since debug files lack
// the contents), and debug information is relocated as it is read.
//
//   .text 0..5ef5, .init.text 0..6e     ->     .text 1000..6ef5, .init.text 7000..706e
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_RELOCATABLE_H
#define HEARTH_SYMBOLIZER_ELF_ELF_RELOCATABLE_H

#include "symbolizer/elf/elf_section.h"

// Places the sections; ret_segments are to be freed.
int elf_relocatable__place(struct elf_section *sections, size_t count, struct elf_segment **ret_segments,
                           size_t *ret_count);

// Applies relocation rows (of SHT_RELA, 64 bits) to the contents of the section they are for. `symbols` are the
// contents of their symbol table, `sections` those of the file, placed. Rows that make no sense are left out.
void elf_relocatable__apply(uint16_t machine, struct elf_data rows, struct elf_data symbols,
                            const struct elf_section *sections, size_t section_count, uint8_t *bytes,
                            size_t length_bytes);

#endif
