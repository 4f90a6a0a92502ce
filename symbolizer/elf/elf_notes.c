// The notes of an ELF file, for its build id:
//
//   $ readelf -n /bin/true
//     GNU  0x00000014  NT_GNU_BUILD_ID  Build ID: 6a22bb1d...
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_bytes.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/elf_rows.h"

int elf_file__build_id_of_notes(const uint8_t *notes, size_t length, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    while (length >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note; // the same for 32 bits
        memcpy(&note, notes, sizeof(note));
        uint64_t name_bytes = ((uint64_t)note.n_namesz + 3) & ~3ull, body_bytes = ((uint64_t)note.n_descsz + 3) & ~3ull;
        if (sizeof(note) + name_bytes + note.n_descsz > length)
            return -ENOENT;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + sizeof(note), "GNU", 4) == 0 &&
            note.n_descsz > 0 && note.n_descsz <= 20) {
            memset(ret_build_id, 0, 20);
            memcpy(ret_build_id, notes + sizeof(note) + name_bytes, note.n_descsz);
            *ret_bytes = note.n_descsz;
            return 0;
        }
        uint64_t step = sizeof(note) + name_bytes + body_bytes;
        if (step >= length)
            break;
        notes += step;
        length -= step;
    }
    return -ENOENT;
}

static int find_by_libelf(const struct elf_file *file, uint64_t offset, uint64_t length, uint8_t ret_build_id[20],
                          size_t *ret_bytes)
{
    _cleanup_(elf_rows__release) struct elf_rows notes = {0};
    GElf_Nhdr note;
    size_t name, body;
    // gelf_getnote() wants the padding behind the last note too.
    if (offset <= file->file_bytes && length + 3 <= file->file_bytes - offset)
        length = (length + 3) & ~3ull;
    int err = elf_rows__open_notes(file, offset, length, &notes);
    if (err || !notes.data)
        return err ? err : -ENOENT;
    const uint8_t *bytes = notes.data->d_buf;
    for (size_t at = 0; (at = gelf_getnote(notes.data, at, &note, &name, &body)) > 0;) {
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || memcmp(bytes + name, "GNU", 4) != 0 ||
            note.n_descsz == 0 || note.n_descsz > 20)
            continue;
        memset(ret_build_id, 0, 20);
        memcpy(ret_build_id, bytes + body, note.n_descsz);
        *ret_bytes = note.n_descsz;
        return 0;
    }
    return -ENOENT;
}

static int find_note_at(const struct elf_file *file, uint64_t offset, uint64_t length, uint8_t ret_build_id[20],
                        size_t *ret_bytes)
{
    if (length > LIMIT_NOTES_BYTES)
        length = LIMIT_NOTES_BYTES;
    if (file->library)
        return find_by_libelf(file, offset, length, ret_build_id, ret_bytes);
    _cleanup_free_ uint8_t *notes = malloc(length + 1);
    int err = notes ? elf_bytes__read_at(file, offset, notes, length) : -ENOMEM;
    return err ? err : elf_file__build_id_of_notes(notes, length, ret_build_id, ret_bytes);
}

int elf_file__build_id(const struct elf_file *file, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    // Program headers first, as the kernel and the loader see them; then sections, for .ko and .debug files.
    for (size_t i = 0; i < elf_file__segment_count(file); i++) {
        const struct elf_segment *segment = elf_file__segment(file, i);
        if (segment->type == PT_NOTE &&
            find_note_at(file, segment->file_offset, segment->file_bytes, ret_build_id, ret_bytes) == 0)
            return 0;
    }
    for (size_t i = 1; i < elf_file__section_count(file); i++) {
        const struct elf_section *section = elf_file__section(file, i);
        if (section->type == SHT_NOTE &&
            find_note_at(file, section->file_offset, section->bytes, ret_build_id, ret_bytes) == 0)
            return 0;
    }
    return -ENOENT;
}
