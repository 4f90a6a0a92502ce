// Readers over sections of DWARF.
#ifndef HEARTH_SYMBOLIZER_ELF_DWARF_READER_H
#define HEARTH_SYMBOLIZER_ELF_DWARF_READER_H

#include "store/base/byte_reader.h"
#include "symbolizer/elf/elf_file.h"

static inline struct byte_reader dwarf_reader__over(struct elf_data data, uint64_t offset)
{
    bool past = offset > data.length_bytes;
    return (struct byte_reader){.at = data.bytes + (past ? data.length_bytes : offset),
                                .end = data.bytes + data.length_bytes,
                                .start = data.bytes,
                                .failed = past};
}

// The "initial length" of a unit: 4 bytes, or 0xffffffff and 8. The reader is cut to the unit; *ret_offset_bytes is 4
// or 8. False: there is no whole unit.
static inline bool dwarf_reader__unit(struct byte_reader *reader, uint8_t *ret_offset_bytes)
{
    uint64_t length = byte_reader__fixed(reader, 4);
    *ret_offset_bytes = 4;
    if (length == 0xffffffffu) {
        length = byte_reader__fixed(reader, 8);
        *ret_offset_bytes = 8;
    }
    if (reader->failed || length > byte_reader__left(reader) || length == 0)
        return false;
    reader->end = reader->at + length;
    return true;
}

#endif
