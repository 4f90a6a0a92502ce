// The parts of an ELF file, of 32 and of 64 bits alike.
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_SECTION_H
#define HEARTH_SYMBOLIZER_ELF_ELF_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum elf_reader {
    ELF_BY_LIBELF, // in the worker
    ELF_BOUNDED,   // in the parent
    ELF_SEGMENTS,  // in the parent: only the program headers, as if there were no sections
};

struct elf_section {
    const char *name;
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t file_offset;
    uint64_t bytes; // in the file
    uint32_t link;
    uint32_t info;
    uint64_t entry_bytes;
    bool is_kept; // its contents stay, whoever forgets them
};

struct elf_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t file_offset;
    uint64_t address;
    uint64_t file_bytes;
    uint64_t memory_bytes;
};

struct elf_data { // contents of a section; live as long as the file
    const uint8_t *bytes;
    size_t length_bytes;
};

struct elf_symbol {
    uint32_t name; // offset in the string table
    uint8_t info;
    uint16_t section;
    uint64_t value;
    uint64_t bytes;
};

#endif
