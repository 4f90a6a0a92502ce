// The few parts of an ELF that unwinding needs, read with bounds: program headers, and sections by name. The file is
// read with pread, a part at a time, into memory of our own: it may change or shrink meanwhile, which costs its rows.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_ELF_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/unwind/unwind_rows.h"

struct unwind_elf {
    int fd;                // or -1:
    const uint8_t *memory; // borrowed
    uint64_t bytes;
    uint64_t entry; // address; 0: none
    Elf64_Phdr *program_headers;
    size_t program_header_count;
    Elf64_Shdr *sections; // NULL where there are none
    size_t section_count;
    char *section_names; // NUL at its end
    size_t section_names_bytes;
    struct unwind_segment segments[UNWIND_SEGMENTS_MAX]; // the executable ones
    size_t segment_count;
};

// fd >= 0, or memory. ret_elf is to be closed only on success. See unwind_table__compile for the errors.
int unwind_elf__open(int fd, const void *memory, uint64_t bytes, struct fault *fault, struct unwind_elf *ret_elf);
void unwind_elf__close(struct unwind_elf *elf);

// Copies a range of the file into memory to be freed by the caller. -EBADMSG: it is not all there.
int unwind_elf__read(const struct unwind_elf *elf, uint64_t offset, uint64_t bytes, uint8_t **ret_data);

struct unwind_section {
    uint8_t *data; // NULL: there is no such section
    size_t bytes;
    uint64_t address;
};

// Reads (and inflates) a section; one that is not there is no error, its data is NULL.
int unwind_elf__section(const struct unwind_elf *elf, const char *name, struct unwind_section *ret_section);

// .eh_frame: by its section header, or by PT_GNU_EH_FRAME in a file without sections.
int unwind_elf__eh_frame(const struct unwind_elf *elf, struct unwind_section *ret_section);

void unwind_section__free(struct unwind_section *section);

// The file offset of an address in an executable segment, and how many bytes of that segment follow; false: none.
bool unwind_elf__offset_of(const struct unwind_elf *elf, uint64_t address, uint64_t *ret_offset, uint64_t *ret_bytes);

#endif
