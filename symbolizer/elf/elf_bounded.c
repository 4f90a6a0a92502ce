#include "symbolizer/elf/elf_bounded.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/elf/elf_bytes.h"

// Section 0 says how many there are, where the header has no room for the number, and which has the names.
static void count_sections(const struct elf_file *file, struct elf_tables *tables)
{
    size_t header_bytes = file->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    _Alignas(8) uint8_t first[sizeof(Elf64_Shdr)] = {0};
    uint64_t count = tables->section_count;
    tables->section_count = 0;
    if (tables->sections_at == 0 || elf_bytes__read_at(file, tables->sections_at, first, header_bytes) != 0)
        return;
    if (count == 0)
        count = ELF_FIELD(file->is_64, Shdr, first, sh_size);
    if (tables->names_index == SHN_XINDEX)
        tables->names_index = ELF_FIELD(file->is_64, Shdr, first, sh_link);
    if (count <= LIMIT_SECTIONS && count * header_bytes <= file->file_bytes - tables->sections_at)
        tables->section_count = count;
}

int elf_bounded__read_header(struct elf_file *file, struct elf_tables *ret_tables)
{
    _Alignas(8) uint8_t header[sizeof(Elf64_Ehdr)] = {0};
    size_t length = file->file_bytes < sizeof(header) ? file->file_bytes : sizeof(header);
    int err = elf_bytes__read_at(file, 0, header, length);
    if (err)
        return err;
    unsigned char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    file->is_64 = header[EI_CLASS] == ELFCLASS64;
    if (memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_DATA] != order ||
        (!file->is_64 && header[EI_CLASS] != ELFCLASS32) ||
        length < (file->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return -EBADMSG;
    file->machine = ELF_FIELD(file->is_64, Ehdr, header, e_machine);
    file->is_relocatable = ELF_FIELD(file->is_64, Ehdr, header, e_type) == ET_REL;
    *ret_tables = (struct elf_tables){.segments_at = ELF_FIELD(file->is_64, Ehdr, header, e_phoff),
                                      .segment_count = ELF_FIELD(file->is_64, Ehdr, header, e_phnum),
                                      .sections_at = ELF_FIELD(file->is_64, Ehdr, header, e_shoff),
                                      .section_count = ELF_FIELD(file->is_64, Ehdr, header, e_shnum),
                                      .names_index = ELF_FIELD(file->is_64, Ehdr, header, e_shstrndx)};
    count_sections(file, ret_tables);
    return 0;
}

static int read_segments(struct elf_file *file, uint64_t offset, size_t count)
{
    size_t header_bytes = file->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    _cleanup_free_ uint8_t *headers = NULL;
    file->segments = calloc(count + 1, sizeof(*file->segments));
    if (!file->segments)
        return -ENOMEM;
    if (offset == 0 || count == 0)
        return 0;
    int err = elf_bytes__read_new(file, offset, count * header_bytes, &headers);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = headers + i * header_bytes;
        file->segments[i] = (struct elf_segment){
            .type = ELF_FIELD(file->is_64, Phdr, at, p_type),
            .flags = ELF_FIELD(file->is_64, Phdr, at, p_flags),
            .file_offset = ELF_FIELD(file->is_64, Phdr, at, p_offset),
            .address = ELF_FIELD(file->is_64, Phdr, at, p_vaddr),
            .file_bytes = ELF_FIELD(file->is_64, Phdr, at, p_filesz),
            .memory_bytes = ELF_FIELD(file->is_64, Phdr, at, p_memsz),
        };
    }
    file->segment_count = count;
    return 0;
}

static struct elf_section widen_section(bool is_64, const uint8_t *at)
{
    return (struct elf_section){
        .name = "",
        .type = ELF_FIELD(is_64, Shdr, at, sh_type),
        .flags = ELF_FIELD(is_64, Shdr, at, sh_flags),
        .address = ELF_FIELD(is_64, Shdr, at, sh_addr),
        .file_offset = ELF_FIELD(is_64, Shdr, at, sh_offset),
        .bytes = ELF_FIELD(is_64, Shdr, at, sh_size),
        .link = ELF_FIELD(is_64, Shdr, at, sh_link),
        .info = ELF_FIELD(is_64, Shdr, at, sh_info),
        .entry_bytes = ELF_FIELD(is_64, Shdr, at, sh_entsize),
    };
}

static int read_names(struct elf_file *file, uint32_t index, const uint8_t *headers, size_t header_bytes)
{
    uint8_t *bytes;
    if (index >= file->section_count)
        return 0;
    const struct elf_section *section = &file->sections[index];
    if (section->type == SHT_NOBITS || section->bytes > LIMIT_SECTION_NAMES_BYTES)
        return 0;
    int err = elf_bytes__read_new(file, section->file_offset, section->bytes, &bytes);
    if (err)
        return err == -EBADMSG ? 0 : err;
    file->section_names = (char *)bytes;
    for (size_t i = 0; i < file->section_count; i++) {
        uint32_t name = ELF_FIELD(file->is_64, Shdr, headers + i * header_bytes, sh_name);
        if (name < section->bytes)
            file->sections[i].name = file->section_names + name;
    }
    return 0;
}

static int read_sections(struct elf_file *file, const struct elf_tables *tables)
{
    size_t header_bytes = file->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    _cleanup_free_ uint8_t *headers = NULL;
    if (tables->section_count == 0)
        return 0; // there may still be program headers
    int err = elf_bytes__reserve(file, tables->section_count);
    if (!err)
        err = elf_bytes__read_new(file, tables->sections_at, tables->section_count * header_bytes, &headers);
    if (err)
        return err == -EBADMSG ? 0 : err;
    for (size_t i = 0; i < tables->section_count; i++)
        file->sections[i] = widen_section(file->is_64, headers + i * header_bytes);
    file->section_count = tables->section_count;
    return read_names(file, tables->names_index, headers, header_bytes);
}

int elf_bounded__read_tables(struct elf_file *file, const struct elf_tables *tables)
{
    int err = read_segments(file, tables->segments_at, tables->segment_count);
    return err ? err : read_sections(file, tables);
}
