#include "symbolizer/elf/elf_rows.h"

#include <errno.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_bytes.h"
#include "symbolizer/elf/elf_library.h"

static const struct {
    uint32_t section; // SHT_*
    Elf_Type rows;
} kinds[] = {
    {SHT_SYMTAB, ELF_T_SYM},
    {SHT_DYNSYM, ELF_T_SYM},
    {SHT_RELA, ELF_T_RELA},
    {SHT_DYNAMIC, ELF_T_DYN},
};

static int read_chunk(const struct elf_file *file, uint64_t offset, uint64_t bytes, Elf_Type type,
                      struct elf_rows *ret_rows)
{
    struct elf_rows rows = {0};
    uint8_t last;
    if (bytes == 0)
        return 0;
    // libelf asks for memory first, and reads then.
    if (bytes > LIMIT_SECTION_BYTES || offset > file->file_bytes || bytes > file->file_bytes - offset)
        return bytes > LIMIT_SECTION_BYTES ? -E2BIG : -EBADMSG;
    rows.elf = elf_library__begin(file);
    rows.data = elf_getdata_rawchunk(rows.elf, (int64_t)offset, bytes, type);
    if (rows.data) {
        *ret_rows = rows;
        return 0;
    }
    elf_end(rows.elf);
    // libelf does not say what it lacked: memory, or bytes that were cut off meanwhile.
    return elf_bytes__read_at(file, offset + bytes - 1, &last, 1) == 0 ? -ENOMEM : -EBADMSG;
}

int elf_rows__open(const struct elf_file *file, const struct elf_section *section, uint64_t first,
                   struct elf_rows *ret_rows)
{
    struct elf_rows rows = {0};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && file->library; i++) {
        if (kinds[i].section != section->type || (section->flags & SHF_COMPRESSED))
            continue;
        uint64_t row_bytes = gelf_fsize(file->library, kinds[i].rows, 1, EV_CURRENT);
        uint64_t all = section->bytes / row_bytes;
        if (first > all)
            return -EBADMSG;
        int err =
            read_chunk(file, section->file_offset + first * row_bytes, (all - first) * row_bytes, kinds[i].rows, &rows);
        if (err)
            return err;
        rows.count = all - first;
        *ret_rows = rows;
        return 0;
    }
    return -EOPNOTSUPP;
}

int elf_rows__open_notes(const struct elf_file *file, uint64_t offset, uint64_t bytes, struct elf_rows *ret_rows)
{
    return read_chunk(file, offset, bytes, ELF_T_NHDR, ret_rows);
}

void elf_rows__release(struct elf_rows *rows)
{
    elf_end(rows->elf);
    *rows = (struct elf_rows){0};
}

struct elf_data elf_rows__bytes(const struct elf_rows *rows)
{
    return rows->data ? (struct elf_data){rows->data->d_buf, rows->data->d_size} : (struct elf_data){0};
}
