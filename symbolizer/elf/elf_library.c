#include "symbolizer/elf/elf_library.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"

Elf *elf_library__begin(const struct elf_file *file)
{
    elf_version(EV_CURRENT);
    return file->memory ? elf_memory((char *)file->memory, file->file_bytes) : elf_begin(file->fd, ELF_C_READ, NULL);
}

void elf_library__end(struct elf_file *file)
{
    elf_end(file->library);
}

static int read_segments(struct elf_file *file, size_t count)
{
    file->segments = calloc(count + 1, sizeof(*file->segments));
    if (!file->segments)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(file->library, (int)i, &header))
            return -EBADMSG;
        file->segments[i] = (struct elf_segment){.type = header.p_type,
                                                 .flags = header.p_flags,
                                                 .file_offset = header.p_offset,
                                                 .address = header.p_vaddr,
                                                 .file_bytes = header.p_filesz,
                                                 .memory_bytes = header.p_memsz};
    }
    file->segment_count = count;
    return 0;
}

static struct elf_section take_section(const GElf_Shdr *header)
{
    return (struct elf_section){.name = "",
                                .type = header->sh_type,
                                .flags = header->sh_flags,
                                .address = header->sh_addr,
                                .file_offset = header->sh_offset,
                                .bytes = header->sh_size,
                                .link = header->sh_link,
                                .info = header->sh_info,
                                .entry_bytes = header->sh_entsize};
}

// Whether libelf can read the names, which takes memory of the size that their section claims.
static bool has_names(const struct elf_file *file, size_t index)
{
    const struct elf_section *section = &file->sections[index];
    return index < file->section_count && section->bytes <= LIMIT_SECTION_NAMES_BYTES &&
           section->file_offset <= file->file_bytes && section->bytes <= file->file_bytes - section->file_offset &&
           !(section->flags & SHF_COMPRESSED);
}

static int read_sections(struct elf_file *file, size_t count, size_t names_index)
{
    int err = elf_bytes__reserve(file, count);
    if (err)
        return err;
    GElf_Shdr header;
    for (size_t i = 0; i < count; i++) {
        if (!gelf_getshdr(elf_getscn(file->library, i), &header))
            return i ? -EBADMSG : 0; // the table was cut off meanwhile
        file->sections[i] = take_section(&header);
    }
    file->section_count = count;
    for (size_t i = 0; i < count && has_names(file, names_index); i++) {
        gelf_getshdr(elf_getscn(file->library, i), &header);
        const char *name = elf_strptr(file->library, names_index, header.sh_name);
        file->sections[i].name = name ? name : "";
    }
    return 0;
}

int elf_library__read_tables(struct elf_file *file, const struct elf_tables *tables)
{
    file->library = elf_library__begin(file);
    if (!file->library)
        return -ENOMEM; // the header is sound
    if (elf_kind(file->library) != ELF_K_ELF)
        return -EBADMSG;
    int err = read_segments(file, tables->segments_at ? tables->segment_count : 0);
    return err ? err : read_sections(file, tables->section_count, tables->names_index);
}
