#include "symbolizer/dwarf/libdw_reader.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/dwarf/libdw_functions.h"
#include "symbolizer/dwarf/libdw_lines.h"

struct file {
    Elf *elf;
    Dwarf *dwarf;
};

struct libdw_reader {
    struct file main;
    struct file alternate;
};

// libdw calls this when it is out of memory, and must not get control back. The worker ends, and its job fails.
static void end_worker(void) __attribute__((noreturn));
static void end_worker(void)
{
    _exit(1);
}

static void close_file(struct file *file)
{
    dwarf_end(file->dwarf);
    elf_end(file->elf);
}

static int open_elf(Elf *elf, struct file *ret_file)
{
    struct file file = {.elf = elf};
    file.dwarf = file.elf ? dwarf_begin_elf(file.elf, DWARF_C_READ, NULL) : NULL;
    if (!file.dwarf) {
        close_file(&file);
        return -EBADMSG;
    }
    dwarf_new_oom_handler(file.dwarf, end_worker);
    *ret_file = file;
    return 0;
}

int libdw_reader__open(int fd, const struct elf_file *elf, int alternate_fd, struct libdw_reader **ret_reader)
{
    if (elf_file__is_relocatable(elf))
        return -EOPNOTSUPP; // libdw would take the sections without their relocations, and all addresses for offsets
    _cleanup_(libdw_reader__freep) struct libdw_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return -ENOMEM;
    elf_version(EV_CURRENT);
    int err = open_elf(elf_begin(fd, ELF_C_READ_MMAP, NULL), &reader->main);
    if (err)
        return err;
    if (alternate_fd >= 0 && open_elf(elf_begin(alternate_fd, ELF_C_READ_MMAP, NULL), &reader->alternate) == 0)
        dwarf_setalt(reader->main.dwarf, reader->alternate.dwarf);
    *ret_reader = take_pointer(reader);
    return 0;
}

void libdw_reader__free(struct libdw_reader *reader)
{
    if (!reader)
        return;
    close_file(&reader->main);
    close_file(&reader->alternate);
    free(reader);
}

// Whether a unit is the skeleton of one that stands in a split file.
static bool is_skeleton(Dwarf_Die *unit)
{
    return dwarf_hasattr(unit, DW_AT_dwo_name) || dwarf_hasattr(unit, DW_AT_GNU_dwo_name);
}

// An ELF file of the sections that hold the entries and names of a split half, which stand inside larger ones in a
// package.
static int make_image(const struct dwarf_file *half, struct buf *image)
{
    static const char names[] = "\0.debug_info\0.debug_abbrev\0.debug_str\0.debug_str_offsets";
    static const struct {
        uint8_t name; // its place in `names`
        enum dwarf_section section;
    } parts[] = {{1, DWARF_INFO}, {13, DWARF_ABBREV}, {27, DWARF_STR}, {38, DWARF_STR_OFFSETS}};
    enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_version = EV_CURRENT,
                         .e_ehsize = sizeof(header),
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = PARTS + 2,
                         .e_shstrndx = PARTS + 1};
    Elf64_Shdr rows[PARTS + 2] = {0};
    buf__append(image, &header, sizeof(header));
    for (size_t i = 0; i < PARTS; i++) {
        struct elf_data data = half->sections[parts[i].section];
        rows[i + 1] = (Elf64_Shdr){.sh_name = parts[i].name,
                                   .sh_type = SHT_PROGBITS,
                                   .sh_offset = image->length_bytes,
                                   .sh_size = data.length_bytes};
        buf__append(image, data.bytes, data.length_bytes);
    }
    rows[PARTS + 1] = (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_offset = image->length_bytes, .sh_size = sizeof(names)};
    buf__append(image, names, sizeof(names));
    while (image->length_bytes % 8)
        buf__append_byte(image, 0);
    header.e_shoff = image->length_bytes;
    buf__append(image, rows, sizeof(rows));
    if (!image->failed)
        memcpy(image->data, &header, sizeof(header));
    return image->failed ? -ENOMEM : 0;
}

int libdw_reader__read_half(const struct dwarf_unit *half, struct dwarf_files *files, struct dwarf_sink *sink)
{
    _cleanup_(buf__release) struct buf image = {0};
    _cleanup_(close_file) struct file file = {0};
    Dwarf_Die unit;
    int err = make_image(half->file, &image);
    if (err)
        return err;
    elf_version(EV_CURRENT);
    err = open_elf(elf_memory((char *)image.data, image.length_bytes), &file);
    if (err)
        return err;
    Elf_Data *info = elf_getdata(elf_getscn(file.elf, 1), NULL);
    if (!info || !dwarf_offdie(file.dwarf, half->first_die, &unit))
        return -EBADMSG;
    struct libdw_half parts = {.unit = half, .files = files, .info = info->d_buf};
    return libdw_functions__walk(&unit, &parts, sink);
}

static int read_unit(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink, uint64_t *ret_next)
{
    Dwarf_Off next;
    Dwarf_Die unit;
    size_t header_bytes;
    int answer = dwarf_next_unit(reader->main.dwarf, offset, &next, &header_bytes, NULL, NULL, NULL, NULL, NULL, NULL);
    if (answer != 0)
        return answer > 0 ? -ENOENT : -EBADMSG;
    if (next <= offset)
        return -EBADMSG;
    *ret_next = next;
    if (!dwarf_offdie(reader->main.dwarf, offset + header_bytes, &unit))
        return -EBADMSG;
    int lines_err = libdw_lines__read(&unit, sink);
    int err = lines_err == -ENOMEM || lines_err == -E2BIG ? lines_err : libdw_functions__walk(&unit, NULL, sink);
    return err ? err : lines_err ? lines_err : is_skeleton(&unit) ? -EOPNOTSUPP : 0;
}

int libdw_reader__read_unit(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink)
{
    uint64_t next;
    int err = read_unit(reader, offset, sink, &next);
    return err == -ENOENT ? -EBADMSG : err;
}

int libdw_reader__read_from(struct libdw_reader *reader, uint64_t offset, struct dwarf_sink *sink)
{
    int result = 0;
    for (;;) {
        uint64_t next = offset;
        int err = read_unit(reader, offset, sink, &next);
        if (err == -ENOENT)
            return result;
        if (err == -ENOMEM || err == -E2BIG || (err && next == offset))
            return err;
        result = err ? err : result;
        offset = next;
    }
}
