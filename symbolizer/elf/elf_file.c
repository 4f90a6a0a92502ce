#include "symbolizer/elf/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_relocatable.h"
#include "symbolizer/elf/inflate.h"

struct elf_file {
    int fd;          // -1: in memory
    uint8_t *memory; // owned
    uint64_t file_bytes;
    bool is_64;
    bool is_relocatable;
    uint16_t machine;
    struct elf_section *sections;
    size_t section_count;
    struct elf_segment *segments;
    size_t segment_count;
    char *section_names;
    uint8_t **loaded; // by section
    size_t *loaded_bytes;
};

int elf_file__read_at(const struct elf_file *file, uint64_t offset, void *bytes, size_t length)
{
    if (offset > file->file_bytes || length > file->file_bytes - offset)
        return -EBADMSG;
    if (file->memory) {
        memcpy(bytes, file->memory + offset, length);
        return 0;
    }
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(file->fd, (uint8_t *)bytes + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EBADMSG; // cut meanwhile
        done += (size_t)got;
    }
    return 0;
}

static int read_new(const struct elf_file *file, uint64_t offset, size_t length, uint8_t **ret_bytes)
{
    if (length > LIMIT_SECTION_BYTES)
        return -E2BIG;
    if (offset > file->file_bytes || length > file->file_bytes - offset)
        return -EBADMSG;
    _cleanup_free_ uint8_t *bytes = inflate__memory(length);
    if (!bytes)
        return -ENOMEM;
    int err = elf_file__read_at(file, offset, bytes, length);
    if (err)
        return err;
    bytes[length] = 0; // string tables end, whatever they hold
    *ret_bytes = take_pointer(bytes);
    return 0;
}

// Fields of 32-bit files are widened while they are read; `field` names one of both kinds of header.
#define FIELD(is_64, type, at, field)                                                                                  \
    ((is_64) ? ((const Elf64_##type *)(at))->field : ((const Elf32_##type *)(at))->field)

static void widen_section(bool is_64, const uint8_t *at, struct elf_section *ret_section, uint32_t *ret_name)
{
    *ret_name = FIELD(is_64, Shdr, at, sh_name);
    *ret_section = (struct elf_section){
        .name = "",
        .type = FIELD(is_64, Shdr, at, sh_type),
        .flags = FIELD(is_64, Shdr, at, sh_flags),
        .address = FIELD(is_64, Shdr, at, sh_addr),
        .file_offset = FIELD(is_64, Shdr, at, sh_offset),
        .bytes = FIELD(is_64, Shdr, at, sh_size),
        .link = FIELD(is_64, Shdr, at, sh_link),
        .info = FIELD(is_64, Shdr, at, sh_info),
        .entry_bytes = FIELD(is_64, Shdr, at, sh_entsize),
    };
}

static int read_section_names(struct elf_file *file, uint32_t names_index, const uint32_t *names)
{
    if (names_index >= file->section_count)
        return 0;
    const struct elf_section *section = &file->sections[names_index];
    uint8_t *bytes;
    if (section->type == SHT_NOBITS || section->bytes > LIMIT_SECTION_NAMES_BYTES)
        return 0;
    int err = read_new(file, section->file_offset, section->bytes, &bytes);
    if (err)
        return err == -EBADMSG ? 0 : err;
    file->section_names = (char *)bytes;
    for (size_t i = 0; i < file->section_count; i++)
        if (names[i] < section->bytes)
            file->sections[i].name = file->section_names + names[i];
    return 0;
}

static int read_sections(struct elf_file *file, uint64_t offset, uint64_t count, uint32_t names_index)
{
    size_t header_bytes = file->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    _cleanup_free_ uint8_t *first = NULL;
    struct elf_section section;
    uint32_t name;
    if (offset == 0 || read_new(file, offset, header_bytes, &first) != 0)
        return 0; // without sections there may still be program headers
    widen_section(file->is_64, first, &section, &name);
    if (count == 0)
        count = section.bytes; // more than 0xff00 of them: section 0 says how many
    if (names_index == SHN_XINDEX)
        names_index = section.link;
    if (count > LIMIT_SECTIONS || count * header_bytes > file->file_bytes)
        return 0;
    _cleanup_free_ uint8_t *headers = NULL;
    _cleanup_free_ uint32_t *names = calloc(count + 1, sizeof(*names));
    file->sections = calloc(count + 1, sizeof(*file->sections));
    file->loaded = calloc(count + 1, sizeof(*file->loaded));
    file->loaded_bytes = calloc(count + 1, sizeof(*file->loaded_bytes));
    if (!names || !file->sections || !file->loaded || !file->loaded_bytes)
        return -ENOMEM;
    int err = read_new(file, offset, count * header_bytes, &headers);
    if (err)
        return err == -EBADMSG ? 0 : err; // the table is cut off
    for (size_t i = 0; i < count; i++)
        widen_section(file->is_64, headers + i * header_bytes, &file->sections[i], &names[i]);
    file->section_count = count;
    return read_section_names(file, names_index, names);
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
    int err = read_new(file, offset, count * header_bytes, &headers);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = headers + i * header_bytes;
        file->segments[i] = (struct elf_segment){
            .type = FIELD(file->is_64, Phdr, at, p_type),
            .flags = FIELD(file->is_64, Phdr, at, p_flags),
            .file_offset = FIELD(file->is_64, Phdr, at, p_offset),
            .address = FIELD(file->is_64, Phdr, at, p_vaddr),
            .file_bytes = FIELD(file->is_64, Phdr, at, p_filesz),
            .memory_bytes = FIELD(file->is_64, Phdr, at, p_memsz),
        };
    }
    file->segment_count = count;
    return 0;
}

static int place_sections(struct elf_file *file)
{
    struct elf_segment *segments;
    int err = elf_relocatable__place(file->sections, file->section_count, &segments, &file->segment_count);
    if (err)
        return err;
    free(file->segments);
    file->segments = segments;
    return 0;
}

static int read_headers(struct elf_file *file, bool with_sections)
{
    _Alignas(8) uint8_t header[sizeof(Elf64_Ehdr)] = {0};
    size_t length = file->file_bytes < sizeof(header) ? file->file_bytes : sizeof(header);
    int err = elf_file__read_at(file, 0, header, length);
    if (err)
        return err;
    unsigned char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    file->is_64 = header[EI_CLASS] == ELFCLASS64;
    if (memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_DATA] != order ||
        (!file->is_64 && header[EI_CLASS] != ELFCLASS32) ||
        length < (file->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return -EBADMSG;
    file->machine = FIELD(file->is_64, Ehdr, header, e_machine);
    err = read_segments(file, FIELD(file->is_64, Ehdr, header, e_phoff), FIELD(file->is_64, Ehdr, header, e_phnum));
    if (err || !with_sections)
        return err;
    err = read_sections(file, FIELD(file->is_64, Ehdr, header, e_shoff), FIELD(file->is_64, Ehdr, header, e_shnum),
                        FIELD(file->is_64, Ehdr, header, e_shstrndx));
    file->is_relocatable = FIELD(file->is_64, Ehdr, header, e_type) == ET_REL;
    return err || !file->is_relocatable ? err : place_sections(file);
}

static int open_file(int fd, bool with_sections, struct elf_file **ret_file)
{
    struct stat status;
    // Not glibc's fstat, which may be newfstatat, whose paths a filter cannot see.
    if (syscall(SYS_fstat, fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    _cleanup_(elf_file__freep) struct elf_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->fd = fd;
    file->file_bytes = (uint64_t)status.st_size;
    int err = read_headers(file, with_sections);
    if (err)
        return err;
    *ret_file = take_pointer(file);
    return 0;
}

int elf_file__open(int fd, struct elf_file **ret_file)
{
    return open_file(fd, true, ret_file);
}

int elf_file__open_whole(int fd, struct elf_file **ret_file)
{
    struct stat status;
    struct elf_file whole = {.fd = fd};
    uint8_t *bytes;
    if (syscall(SYS_fstat, fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    whole.file_bytes = (uint64_t)status.st_size;
    int err = read_new(&whole, 0, whole.file_bytes, &bytes);
    return err ? err : elf_file__open_memory(bytes, whole.file_bytes, ret_file);
}

int elf_file__open_headers(int fd, struct elf_file **ret_file)
{
    return open_file(fd, false, ret_file);
}

int elf_file__open_memory(uint8_t *bytes, size_t length_bytes, struct elf_file **ret_file)
{
    _cleanup_(elf_file__freep) struct elf_file *file = calloc(1, sizeof(*file));
    if (!file) {
        free(bytes);
        return -ENOMEM;
    }
    *file = (struct elf_file){.fd = -1, .memory = bytes, .file_bytes = length_bytes};
    int err = read_headers(file, true);
    if (err)
        return err;
    *ret_file = take_pointer(file);
    return 0;
}

void elf_file__free(struct elf_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; file->loaded && i < file->section_count; i++)
        free(file->loaded[i]);
    free(file->loaded);
    free(file->loaded_bytes);
    free(file->section_names);
    free(file->sections);
    free(file->segments);
    free(file->memory);
    free(file);
}

bool elf_file__is_64(const struct elf_file *file)
{
    return file->is_64;
}

bool elf_file__is_relocatable(const struct elf_file *file)
{
    return file->is_relocatable;
}

uint16_t elf_file__machine(const struct elf_file *file)
{
    return file->machine;
}

size_t elf_file__section_count(const struct elf_file *file)
{
    return file->section_count;
}

const struct elf_section *elf_file__section(const struct elf_file *file, size_t index)
{
    return index < file->section_count ? &file->sections[index] : NULL;
}

const struct elf_section *elf_file__find(const struct elf_file *file, const char *name)
{
    for (size_t i = 1; i < file->section_count; i++)
        if (strcmp(file->sections[i].name, name) == 0)
            return &file->sections[i];
    return NULL;
}

const struct elf_section *elf_file__find_type(const struct elf_file *file, uint32_t type)
{
    for (size_t i = 1; i < file->section_count; i++)
        if (file->sections[i].type == type)
            return &file->sections[i];
    return NULL;
}

const struct elf_section *elf_file__code_at(const struct elf_file *file, uint64_t address)
{
    for (size_t i = 1; i < file->section_count; i++) {
        const struct elf_section *section = &file->sections[i];
        if ((section->flags & SHF_EXECINSTR) && (section->flags & SHF_ALLOC) && address >= section->address &&
            address - section->address < section->bytes)
            return section;
    }
    return NULL;
}

size_t elf_file__segment_count(const struct elf_file *file)
{
    return file->segment_count;
}

const struct elf_segment *elf_file__segment(const struct elf_file *file, size_t index)
{
    return index < file->segment_count ? &file->segments[index] : NULL;
}

static int inflate(const struct elf_file *file, const uint8_t *packed, size_t packed_bytes, uint8_t **ret_bytes,
                   size_t *ret_length)
{
    size_t header_bytes = file->is_64 ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);
    if (packed_bytes < header_bytes)
        return -EBADMSG;
    *ret_length = FIELD(file->is_64, Chdr, packed, ch_size);
    return inflate__section(FIELD(file->is_64, Chdr, packed, ch_type), packed + header_bytes,
                            packed_bytes - header_bytes, *ret_length, ret_bytes);
}

static int load(struct elf_file *file, const struct elf_section *section, uint8_t **ret_bytes, size_t *ret_length)
{
    _cleanup_free_ uint8_t *bytes = NULL;
    bool old = strncmp(section->name, ".zdebug_", 8) == 0;
    int err = read_new(file, section->file_offset, section->bytes, &bytes);
    if (err)
        return err;
    if (section->flags & SHF_COMPRESSED)
        return inflate(file, bytes, section->bytes, ret_bytes, ret_length);
    if (old)
        return inflate__old_section(bytes, section->bytes, ret_bytes, ret_length);
    *ret_bytes = take_pointer(bytes);
    *ret_length = section->bytes;
    return 0;
}

// Applies all relocations of a section to its contents. Damaged ones are left out. -ENOMEM, -E2BIG.
static int relocate(struct elf_file *file, size_t index)
{
    for (size_t i = 1; i < file->section_count && file->is_64; i++) {
        const struct elf_section *rela = &file->sections[i];
        struct elf_data rows, symbols;
        if (rela->type != SHT_RELA || rela->info != index || rela->link >= file->section_count ||
            file->sections[rela->link].type != SHT_SYMTAB)
            continue;
        int err = elf_file__read(file, &file->sections[rela->link], &symbols);
        if (!err)
            err = elf_file__read(file, rela, &rows);
        if (err)
            return err == -EBADMSG ? 0 : err;
        elf_relocatable__apply(file->machine, rows, symbols, file->sections, file->section_count, file->loaded[index],
                               file->loaded_bytes[index]);
        elf_file__forget(file, rela);
    }
    return 0;
}

int elf_file__read(struct elf_file *file, const struct elf_section *section, struct elf_data *ret_data)
{
    size_t index = (size_t)(section - file->sections);
    if (section->type == SHT_NOBITS || section->bytes == 0) {
        *ret_data = (struct elf_data){(const uint8_t *)"", 0};
        return 0;
    }
    if (!file->loaded[index]) {
        int err = load(file, section, &file->loaded[index], &file->loaded_bytes[index]);
        if (err)
            return err;
        file->loaded[index][file->loaded_bytes[index]] = 0; // inflate__section leaves room for it too
        if (file->is_relocatable && !(section->flags & SHF_ALLOC) && section->type == SHT_PROGBITS)
            err = relocate(file, index);
        if (err) {
            elf_file__forget(file, section);
            return err;
        }
    }
    *ret_data = (struct elf_data){file->loaded[index], file->loaded_bytes[index]};
    return 0;
}

size_t elf_file__read_part(const struct elf_file *file, const struct elf_section *section, uint64_t offset, void *bytes,
                           size_t length)
{
    size_t index = (size_t)(section - file->sections);
    bool is_packed = (section->flags & SHF_COMPRESSED) || strncmp(section->name, ".zdebug_", 8) == 0;
    size_t whole = file->loaded[index] ? file->loaded_bytes[index] : section->bytes;
    if (offset >= whole || section->type == SHT_NOBITS || (is_packed && !file->loaded[index]))
        return 0;
    if (length > whole - offset)
        length = whole - offset;
    if (file->loaded[index])
        memcpy(bytes, file->loaded[index] + offset, length);
    else if (section->file_offset > file->file_bytes ||
             elf_file__read_at(file, section->file_offset + offset, bytes, length) != 0)
        return 0;
    return length;
}

void elf_file__forget(struct elf_file *file, const struct elf_section *section)
{
    size_t index = (size_t)(section - file->sections);
    if (section->is_kept)
        return;
    free(file->loaded[index]);
    file->loaded[index] = NULL;
}

void elf_file__keep(struct elf_file *file, const struct elf_section *section)
{
    file->sections[section - file->sections].is_kept = true;
}

size_t elf_file__symbol_bytes(const struct elf_file *file)
{
    return file->is_64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

struct elf_symbol elf_file__symbol(const struct elf_file *file, struct elf_data table, size_t index)
{
    size_t bytes = elf_file__symbol_bytes(file);
    if (index >= table.length_bytes / bytes)
        return (struct elf_symbol){0};
    const uint8_t *at = table.bytes + index * bytes;
    struct elf_symbol symbol = {
        .name = FIELD(file->is_64, Sym, at, st_name),
        .info = FIELD(file->is_64, Sym, at, st_info),
        .section = FIELD(file->is_64, Sym, at, st_shndx),
        .value = FIELD(file->is_64, Sym, at, st_value),
        .bytes = FIELD(file->is_64, Sym, at, st_size),
    };
    if (file->is_relocatable && symbol.section < file->section_count)
        symbol.value += file->sections[symbol.section].address;
    return symbol;
}
