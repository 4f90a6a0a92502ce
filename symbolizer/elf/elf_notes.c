#include "symbolizer/elf/elf_notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "store/base/limits.h"
#include "symbolizer/elf/elf_bytes.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/elf_rows.h"

static size_t padded(uint32_t bytes)
{
    return ((size_t)bytes + 3) & ~(size_t)3;
}

bool elf_notes__next(struct byte_reader *notes, struct elf_note *ret_note)
{
    if (byte_reader__left(notes) < sizeof(Elf64_Nhdr)) // the same for 32 bits
        return false;
    uint32_t name_bytes = (uint32_t)byte_reader__fixed(notes, 4), body_bytes = (uint32_t)byte_reader__fixed(notes, 4),
             type = (uint32_t)byte_reader__fixed(notes, 4);
    struct elf_note note = {.type = type, .name = notes->at, .name_bytes = name_bytes, .body_bytes = body_bytes};
    byte_reader__skip(notes, padded(name_bytes));
    note.body = notes->at;
    byte_reader__skip(notes, body_bytes);
    if (notes->failed)
        return false;
    // The last one need not be padded.
    size_t padding = padded(body_bytes) - body_bytes, left = byte_reader__left(notes);
    byte_reader__skip(notes, padding < left ? padding : left);
    *ret_note = note;
    return true;
}

bool elf_note__is(const struct elf_note *note, const char *name, uint32_t type)
{
    size_t bytes = strlen(name) + 1;
    return note->type == type && note->name_bytes == bytes && memcmp(note->name, name, bytes) == 0;
}

bool elf_note__build_id(const struct elf_note *note, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    if (!elf_note__is(note, "GNU", NT_GNU_BUILD_ID) || note->body_bytes == 0 || note->body_bytes > 20)
        return false;
    memset(ret_build_id, 0, 20);
    memcpy(ret_build_id, note->body, note->body_bytes);
    *ret_bytes = note->body_bytes;
    return true;
}

static int find_note(const uint8_t *bytes, size_t length, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    struct byte_reader notes = {.at = bytes, .end = bytes + length};
    struct elf_note note;
    while (elf_notes__next(&notes, &note))
        if (elf_note__build_id(&note, ret_build_id, ret_bytes))
            return 0;
    return -ENOENT;
}

int elf_notes__build_id_of(const char *path, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    uint8_t notes[4096];
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, notes, sizeof(notes));
    return length < 0 ? -errno : find_note(notes, (size_t)length, ret_build_id, ret_bytes);
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
        struct elf_note found = {note.n_type, bytes + name, note.n_namesz, bytes + body, note.n_descsz};
        if (elf_note__build_id(&found, ret_build_id, ret_bytes))
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
    return err ? err : find_note(notes, length, ret_build_id, ret_bytes);
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
