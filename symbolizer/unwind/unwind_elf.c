#include "symbolizer/unwind/unwind_elf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/limits.h"
#include "store/system/file_bytes.h"
#include "symbolizer/arch/elf_machine.h"
#include "symbolizer/elf/inflate.h"

static int read_into(const struct unwind_elf *elf, uint64_t offset, uint64_t bytes, void *data)
{
    if (offset > elf->bytes || bytes > elf->bytes - offset)
        return -EBADMSG;
    if (elf->memory) {
        memcpy(data, elf->memory + offset, bytes);
        return 0;
    }
    return file_bytes__read(elf->fd, offset, data, bytes);
}

int unwind_elf__read(const struct unwind_elf *elf, uint64_t offset, uint64_t bytes, uint8_t **ret_data)
{
    if (bytes > LIMIT_UNWIND_SECTION_BYTES || offset > elf->bytes || bytes > elf->bytes - offset)
        return -EBADMSG;
    _cleanup_free_ uint8_t *data = malloc(bytes + 1);
    if (!data)
        return -ENOMEM;
    int err = read_into(elf, offset, bytes, data);
    if (err)
        return err;
    data[bytes] = 0;
    *ret_data = take_pointer(data);
    return 0;
}

static int read_header(struct unwind_elf *elf, Elf64_Ehdr *ret_header, struct fault *fault)
{
    Elf64_Ehdr header;
    int err = read_into(elf, 0, sizeof(header), &header);
    if (err && err != -EBADMSG)
        return err;
    if (err || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return fault__set(fault, -ENOEXEC, "no ELF file");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != elf_machine__own()->number || (header.e_type != ET_EXEC && header.e_type != ET_DYN))
        return fault__set(fault, -ENOEXEC, "an ELF file, but no %s program or library", elf_machine__own()->name);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum == PN_XNUM)
        return fault__set(fault, -EBADMSG, "damaged ELF: bad program headers");
    *ret_header = header;
    return 0;
}

static int collect_segments(struct unwind_elf *elf)
{
    for (size_t i = 0; i < elf->program_header_count; i++) {
        const Elf64_Phdr *header = &elf->program_headers[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || header->p_filesz == 0)
            continue;
        if (header->p_offset > elf->bytes || header->p_filesz > elf->bytes - header->p_offset ||
            header->p_vaddr > UINT64_MAX - header->p_filesz)
            return -EBADMSG;
        if (elf->segment_count == UNWIND_SEGMENTS_MAX)
            return -E2BIG;
        elf->segments[elf->segment_count++] = (struct unwind_segment){
            .file_offset = header->p_offset, .address = header->p_vaddr, .bytes = header->p_filesz};
    }
    return 0;
}

// Sections are a help, never needed: a file whose section headers lie is read without them.
static void read_sections(struct unwind_elf *elf, const Elf64_Ehdr *header)
{
    if (header->e_shoff == 0 || header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum == 0 ||
        header->e_shstrndx >= header->e_shnum)
        return;
    uint8_t *data;
    if (unwind_elf__read(elf, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr), &data) != 0)
        return;
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)data;
    const Elf64_Shdr *names = &sections[header->e_shstrndx];
    uint8_t *text;
    if (names->sh_type != SHT_STRTAB || unwind_elf__read(elf, names->sh_offset, names->sh_size, &text) != 0) {
        free(sections);
        return;
    }
    elf->sections = sections;
    elf->section_count = header->e_shnum;
    elf->section_names = (char *)text;
    elf->section_names_bytes = names->sh_size;
}

static int read_parts(struct unwind_elf *elf, struct fault *fault)
{
    Elf64_Ehdr header = {0};
    int err = read_header(elf, &header, fault);
    if (err)
        return err;
    uint8_t *data;
    err = unwind_elf__read(elf, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr), &data);
    if (err)
        return fault__set(fault, err, "damaged ELF: its program headers cannot be read");
    elf->program_headers = (Elf64_Phdr *)(void *)data;
    elf->program_header_count = header.e_phnum;
    elf->entry = header.e_entry;
    err = collect_segments(elf);
    if (err)
        return fault__set(fault, err,
                          err == -E2BIG ? "more executable segments than hearth keeps"
                                        : "damaged ELF: a segment lies outside the file");
    read_sections(elf, &header);
    return 0;
}

int unwind_elf__open(int fd, const void *memory, uint64_t bytes, struct fault *fault, struct unwind_elf *ret_elf)
{
    struct unwind_elf elf = {.fd = fd, .memory = fd < 0 ? memory : NULL, .bytes = bytes};
    if (fd >= 0) {
        struct stat status;
        if (syscall(SYS_fstat, fd, &status) != 0)
            return -errno;
        if (!S_ISREG(status.st_mode))
            return fault__set(fault, -ENOEXEC, "no regular file");
        elf.bytes = (uint64_t)status.st_size;
    }
    int err = read_parts(&elf, fault);
    if (err) {
        unwind_elf__close(&elf);
        return err;
    }
    *ret_elf = elf;
    return 0;
}

void unwind_elf__close(struct unwind_elf *elf)
{
    free(elf->program_headers);
    free(elf->sections);
    free(elf->section_names);
}

static int inflate_section(struct unwind_section *section)
{
    Elf64_Chdr header;
    if (section->bytes < sizeof(header))
        return -EBADMSG;
    memcpy(&header, section->data, sizeof(header));
    if (header.ch_size > LIMIT_UNWIND_SECTION_BYTES)
        return -E2BIG;
    uint8_t *data;
    int err = inflate__section(header.ch_type, section->data + sizeof(header), section->bytes - sizeof(header),
                               header.ch_size, &data);
    if (err)
        return err;
    free(section->data);
    section->data = data;
    section->bytes = header.ch_size;
    return 0;
}

static const Elf64_Shdr *find_section(const struct unwind_elf *elf, const char *name)
{
    for (size_t i = 0; i < elf->section_count; i++) {
        const Elf64_Shdr *section = &elf->sections[i];
        if (section->sh_name < elf->section_names_bytes && section->sh_type != SHT_NOBITS &&
            strcmp(elf->section_names + section->sh_name, name) == 0)
            return section;
    }
    return NULL;
}

int unwind_elf__section(const struct unwind_elf *elf, const char *name, struct unwind_section *ret_section)
{
    *ret_section = (struct unwind_section){0};
    const Elf64_Shdr *header = find_section(elf, name);
    if (!header || header->sh_size == 0)
        return 0;
    struct unwind_section section = {.bytes = header->sh_size, .address = header->sh_addr};
    int err = unwind_elf__read(elf, header->sh_offset, header->sh_size, &section.data);
    if (!err && header->sh_flags & SHF_COMPRESSED)
        err = inflate_section(&section);
    if (err) {
        free(section.data);
        return err;
    }
    *ret_section = section;
    return 0;
}

// The first bytes of .eh_frame_hdr: version 1, three encodings, then the address of .eh_frame, which every linker
// writes as 4 bytes relative to itself (DW_EH_PE_pcrel | DW_EH_PE_sdata4).
static int eh_frame_by_header(const struct unwind_elf *elf, const Elf64_Phdr *header, uint64_t *ret_address)
{
    uint8_t bytes[8];
    int err = read_into(elf, header->p_offset, sizeof(bytes), bytes);
    if (err)
        return err;
    if (bytes[0] != 1 || bytes[1] != 0x1b)
        return -EOPNOTSUPP;
    int32_t distance;
    memcpy(&distance, bytes + 4, sizeof(distance));
    *ret_address = header->p_vaddr + 4 + (uint64_t)(int64_t)distance;
    return 0;
}

static int eh_frame_by_segments(const struct unwind_elf *elf, struct unwind_section *ret_section)
{
    uint64_t address = 0;
    for (size_t i = 0; i < elf->program_header_count; i++)
        if (elf->program_headers[i].p_type == PT_GNU_EH_FRAME) {
            int err = eh_frame_by_header(elf, &elf->program_headers[i], &address);
            if (err)
                return err;
        }
    for (size_t i = 0; address && i < elf->program_header_count; i++) {
        const Elf64_Phdr *header = &elf->program_headers[i];
        if (header->p_type != PT_LOAD || address < header->p_vaddr || address - header->p_vaddr >= header->p_filesz)
            continue;
        // Its end is not known; the records end with one of length 0, or with the segment.
        uint64_t from = address - header->p_vaddr;
        ret_section->address = address;
        ret_section->bytes = header->p_filesz - from;
        return unwind_elf__read(elf, header->p_offset + from, ret_section->bytes, &ret_section->data);
    }
    return 0;
}

int unwind_elf__eh_frame(const struct unwind_elf *elf, struct unwind_section *ret_section)
{
    *ret_section = (struct unwind_section){0};
    if (find_section(elf, ".eh_frame"))
        return unwind_elf__section(elf, ".eh_frame", ret_section);
    return eh_frame_by_segments(elf, ret_section);
}

void unwind_section__free(struct unwind_section *section)
{
    free(section->data);
}

bool unwind_elf__offset_of(const struct unwind_elf *elf, uint64_t address, uint64_t *ret_offset, uint64_t *ret_bytes)
{
    for (size_t i = 0; i < elf->segment_count; i++) {
        const struct unwind_segment *segment = &elf->segments[i];
        if (address < segment->address || address - segment->address >= segment->bytes)
            continue;
        *ret_offset = segment->file_offset + (address - segment->address);
        *ret_bytes = segment->bytes - (address - segment->address);
        return true;
    }
    return false;
}

int unwind_segments__read(int fd, struct fault *fault, struct unwind_segment ret_segments[UNWIND_SEGMENTS_MAX],
                          size_t *ret_count)
{
    struct unwind_elf elf;
    int err = unwind_elf__open(fd, NULL, 0, fault, &elf);
    if (err)
        return err;
    memcpy(ret_segments, elf.segments, sizeof(elf.segments));
    *ret_count = elf.segment_count;
    unwind_elf__close(&elf);
    return 0;
}
