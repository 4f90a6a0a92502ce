#include "symbolizer/elf/elf_relocatable.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/arch/elf_machine.h"

// Sections are placed at multiples of this, the first one not at 0, which stands for code that was left out.
#define PLACE_BYTES 0x1000u

int elf_relocatable__place(struct elf_section *sections, size_t count, struct elf_segment **ret_segments,
                           size_t *ret_count)
{
    struct elf_segment *segments = calloc(count + 1, sizeof(*segments));
    uint64_t next = PLACE_BYTES;
    size_t used = 0;
    if (!segments)
        return -ENOMEM;
    for (size_t i = 1; i < count; i++) {
        struct elf_section *section = &sections[i];
        if (!(section->flags & SHF_ALLOC) || section->bytes > UINT32_MAX)
            continue;
        section->address = next;
        next += (section->bytes + PLACE_BYTES) & ~(uint64_t)(PLACE_BYTES - 1);
        if (section->flags & SHF_EXECINSTR)
            segments[used++] = (struct elf_segment){.type = PT_LOAD,
                                                    .flags = PF_R | PF_X,
                                                    .file_offset = section->address,
                                                    .address = section->address,
                                                    .file_bytes = section->bytes,
                                                    .memory_bytes = section->bytes};
    }
    *ret_segments = segments;
    *ret_count = used;
    return 0;
}

// How many bytes a relocation fills with an address, of those that debug information has; 0: none of these.
static size_t width_of(const struct elf_machine *machine, uint64_t type)
{
    return type == machine->word_8 ? 8 : type == machine->word_4 || type == machine->other_word_4 ? 4 : 0;
}

// The address of a symbol; 0 past the end of the table. Values count from the begin of the symbol's section.
static uint64_t address_of(struct elf_data symbols, const struct elf_section *sections, size_t section_count,
                           size_t index)
{
    Elf64_Sym symbol;
    if (index >= symbols.length_bytes / sizeof(symbol))
        return 0;
    memcpy(&symbol, symbols.bytes + index * sizeof(symbol), sizeof(symbol));
    return symbol.st_value + (symbol.st_shndx < section_count ? sections[symbol.st_shndx].address : 0);
}

void elf_relocatable__apply(uint16_t number, struct elf_data rows, struct elf_data symbols,
                            const struct elf_section *sections, size_t section_count, uint8_t *bytes,
                            size_t length_bytes)
{
    const struct elf_machine *machine = elf_machine__of(number);
    for (size_t at = 0; machine && at + sizeof(Elf64_Rela) <= rows.length_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, rows.bytes + at, sizeof(row));
        size_t width = width_of(machine, ELF64_R_TYPE(row.r_info));
        if (width == 0 || row.r_offset > length_bytes || length_bytes - row.r_offset < width)
            continue;
        uint64_t value = address_of(symbols, sections, section_count, ELF64_R_SYM(row.r_info)) + (uint64_t)row.r_addend;
        memcpy(bytes + row.r_offset, &value, width); // little-endian, as all machines here are
    }
}
