#include "symbolizer/elf_relocatable.h"

#include <errno.h>
#include <string.h>

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
static size_t width_of(uint16_t machine, uint64_t type)
{
    if (machine == EM_X86_64)
        return type == R_X86_64_64 ? 8 : type == R_X86_64_32 || type == R_X86_64_32S ? 4 : 0;
    if (machine == EM_AARCH64)
        return type == R_AARCH64_ABS64 ? 8 : type == R_AARCH64_ABS32 ? 4 : 0;
    return 0;
}

static void apply_rows(const struct elf_file *file, struct elf_data rows, struct elf_data symbols, uint8_t *bytes,
                       size_t length_bytes)
{
    for (size_t at = 0; at + sizeof(Elf64_Rela) <= rows.length_bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela row;
        memcpy(&row, rows.bytes + at, sizeof(row));
        size_t width = width_of(elf_file__machine(file), ELF64_R_TYPE(row.r_info));
        if (width == 0 || row.r_offset > length_bytes || length_bytes - row.r_offset < width)
            continue;
        uint64_t value = elf_file__symbol(file, symbols, ELF64_R_SYM(row.r_info)).value + (uint64_t)row.r_addend;
        memcpy(bytes + row.r_offset, &value, width); // little-endian, as both machines are
    }
}

int elf_relocatable__apply(struct elf_file *file, const struct elf_section *section, uint8_t *bytes,
                           size_t length_bytes)
{
    for (size_t i = 1; i < elf_file__section_count(file); i++) {
        const struct elf_section *rela = elf_file__section(file, i);
        const struct elf_section *symtab = elf_file__section(file, rela->link);
        struct elf_data rows, symbols;
        if (rela->type != SHT_RELA || elf_file__section(file, rela->info) != section || !symtab ||
            symtab->type != SHT_SYMTAB || !elf_file__is_64(file))
            continue;
        int err = elf_file__read(file, symtab, &symbols);
        if (!err)
            err = elf_file__read(file, rela, &rows);
        if (err)
            return err == -EBADMSG ? 0 : err;
        apply_rows(file, rows, symbols, bytes, length_bytes);
        elf_file__forget(file, rela);
    }
    return 0;
}
