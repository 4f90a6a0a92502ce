// The notes of an ELF file, and the build id among them:
//
//   $ readelf -n /bin/true
//     GNU  0x00000014  NT_GNU_BUILD_ID  Build ID: 6a22bb1d...
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_NOTES_H
#define HEARTH_SYMBOLIZER_ELF_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/byte_reader.h"

struct elf_note {
    uint32_t type;
    const uint8_t *name;
    size_t name_bytes; // with its NUL
    const uint8_t *body;
    size_t body_bytes;
};

// False at the end, or where a note is not whole (`failed`).
bool elf_notes__next(struct byte_reader *notes, struct elf_note *ret_note);
bool elf_note__is(const struct elf_note *note, const char *name, uint32_t type);

// NT_GNU_BUILD_ID, of 1 to 20 bytes. False: it is another note.
bool elf_note__build_id(const struct elf_note *note, uint8_t ret_build_id[20], size_t *ret_bytes);

// The build id in a file of notes of the kernel's, as /sys/kernel/notes is one. -ENOENT: none.
int elf_notes__build_id_of(const char *path, uint8_t ret_build_id[20], size_t *ret_bytes);

#endif
