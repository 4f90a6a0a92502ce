#include "symbolizer/dwarf/libdw_reader.h"

#include <elfutils/libdw.h>
#include <errno.h>
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

static int open_file(int fd, struct file *ret_file)
{
    struct file file = {.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL)};
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
    int err = open_file(fd, &reader->main);
    if (err)
        return err;
    if (alternate_fd >= 0 && open_file(alternate_fd, &reader->alternate) == 0)
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
    int err = lines_err == -ENOMEM || lines_err == -E2BIG ? lines_err : libdw_functions__walk(&unit, sink);
    return err ? err : lines_err;
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
