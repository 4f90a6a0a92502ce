// The insides of an open ELF file, and the bytes it is read from: what elf_bounded.c and elf_library.c fill in, and
// elf_file.h gives out.
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_BYTES_H
#define HEARTH_SYMBOLIZER_ELF_ELF_BYTES_H

#include <stddef.h>

#include "symbolizer/elf/elf_section.h"

struct elf_file {
    int fd;          // -1: in memory
    uint8_t *memory; // owned
    uint64_t file_bytes;
    enum elf_reader reader;
    bool is_64;
    bool is_relocatable;
    uint16_t machine;
    struct elf_section *sections;
    size_t section_count;
    struct elf_segment *segments;
    size_t segment_count;
    void *library;       // libelf's Elf, which owns the names of the sections; NULL: read without libelf
    char *section_names; // without libelf
    uint8_t **loaded;    // by section
    size_t *loaded_bytes;
};

// The fields of a file's header that lead to its tables. Tables that are not there as a whole count 0.
struct elf_tables {
    uint64_t segments_at, sections_at;
    size_t segment_count, section_count;
    uint32_t names_index; // of the section with the names of all
};

// A field of a header of 32 or 64 bits; `field` names one of both kinds of header.
#define ELF_FIELD(is_64, type, at, field)                                                                              \
    ((is_64) ? ((const Elf64_##type *)(at))->field : ((const Elf32_##type *)(at))->field)

// Copies bytes of the file. -EBADMSG: it ends before them.
int elf_bytes__read_at(const struct elf_file *file, uint64_t offset, void *bytes, size_t length);
// Copies them into new memory, with a NUL behind. -E2BIG: over LIMIT_SECTION_BYTES; -EBADMSG.
int elf_bytes__read_new(const struct elf_file *file, uint64_t offset, size_t length, uint8_t **ret_bytes);
// Makes room for the sections. -ENOMEM.
int elf_bytes__reserve(struct elf_file *file, size_t section_count);

#endif
