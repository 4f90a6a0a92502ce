#include "symbolizer/elf/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_bounded.h"
#include "symbolizer/elf/elf_bytes.h"
#include "symbolizer/elf/elf_library.h"
#include "symbolizer/elf/elf_relocatable.h"
#include "symbolizer/elf/elf_rows.h"
#include "symbolizer/elf/inflate.h"

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

static int read_tables(struct elf_file *file)
{
    struct elf_tables tables;
    int err = elf_bounded__read_header(file, &tables);
    if (err)
        return err;
    if (file->reader == ELF_SEGMENTS)
        tables.section_count = 0;
    // Of a file without sections nothing is left for libelf to read.
    err = file->reader == ELF_BY_LIBELF && tables.section_count > 0 ? elf_library__read_tables(file, &tables)
                                                                    : elf_bounded__read_tables(file, &tables);
    return err || !file->is_relocatable || file->reader == ELF_SEGMENTS ? err : place_sections(file);
}

static int file_bytes_of(int fd, uint64_t *ret_bytes)
{
    struct stat status;
    // Not glibc's fstat, which may be newfstatat, whose paths a filter cannot see.
    if (syscall(SYS_fstat, fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    *ret_bytes = (uint64_t)status.st_size;
    return 0;
}

int elf_file__open(int fd, enum elf_reader reader, struct elf_file **ret_file)
{
    _cleanup_(elf_file__freep) struct elf_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    *file = (struct elf_file){.fd = fd, .reader = reader};
    int err = file_bytes_of(fd, &file->file_bytes);
    if (!err)
        err = read_tables(file);
    if (err)
        return err;
    *ret_file = take_pointer(file);
    return 0;
}

int elf_file__open_whole(int fd, enum elf_reader reader, struct elf_file **ret_file)
{
    struct elf_file whole = {.fd = fd};
    uint8_t *bytes;
    int err = file_bytes_of(fd, &whole.file_bytes);
    if (!err)
        err = elf_bytes__read_new(&whole, 0, whole.file_bytes, &bytes);
    return err ? err : elf_file__open_memory(bytes, whole.file_bytes, reader, ret_file);
}

int elf_file__open_memory(uint8_t *bytes, size_t length_bytes, enum elf_reader reader, struct elf_file **ret_file)
{
    _cleanup_(elf_file__freep) struct elf_file *file = calloc(1, sizeof(*file));
    if (!file) {
        free(bytes);
        return -ENOMEM;
    }
    *file = (struct elf_file){.fd = -1, .memory = bytes, .file_bytes = length_bytes, .reader = reader};
    int err = read_tables(file);
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
    elf_library__end(file);
    free(file->loaded);
    free(file->loaded_bytes);
    free(file->section_names);
    free(file->sections);
    free(file->segments);
    free(file->memory);
    free(file);
}

enum elf_reader elf_file__reader(const struct elf_file *file)
{
    return file->reader;
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
    *ret_length = ELF_FIELD(file->is_64, Chdr, packed, ch_size);
    return inflate__section(ELF_FIELD(file->is_64, Chdr, packed, ch_type), packed + header_bytes,
                            packed_bytes - header_bytes, *ret_length, ret_bytes);
}

static int load(struct elf_file *file, const struct elf_section *section, uint8_t **ret_bytes, size_t *ret_length)
{
    _cleanup_free_ uint8_t *bytes = NULL;
    bool old = strncmp(section->name, ".zdebug_", 8) == 0;
    int err = elf_bytes__read_new(file, section->file_offset, section->bytes, &bytes);
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
        _cleanup_(elf_rows__release) struct elf_rows rows = {0}, symbols = {0};
        if (rela->type != SHT_RELA || rela->info != index || rela->link >= file->section_count ||
            file->sections[rela->link].type != SHT_SYMTAB)
            continue;
        int err = elf_rows__open(file, &file->sections[rela->link], 0, &symbols);
        if (!err)
            err = elf_rows__open(file, rela, 0, &rows);
        if (err == -ENOMEM || err == -E2BIG)
            return err;
        elf_relocatable__apply(file->machine, elf_rows__bytes(&rows), elf_rows__bytes(&symbols), file->sections,
                               file->section_count, file->loaded[index], file->loaded_bytes[index]);
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
        if (file->is_relocatable && file->library && !(section->flags & SHF_ALLOC) && section->type == SHT_PROGBITS)
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
             elf_bytes__read_at(file, section->file_offset + offset, bytes, length) != 0)
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
        .name = ELF_FIELD(file->is_64, Sym, at, st_name),
        .info = ELF_FIELD(file->is_64, Sym, at, st_info),
        .section = ELF_FIELD(file->is_64, Sym, at, st_shndx),
        .value = ELF_FIELD(file->is_64, Sym, at, st_value),
        .bytes = ELF_FIELD(file->is_64, Sym, at, st_size),
    };
    if (file->is_relocatable && symbol.section < file->section_count)
        symbol.value += file->sections[symbol.section].address;
    return symbol;
}
