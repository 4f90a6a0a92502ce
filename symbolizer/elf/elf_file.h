// An ELF file, read with pread() header by header and section by section: never mapped, so that an owner who truncates
// the file meanwhile causes a short read and not a SIGBUS. Everything in it may be hostile; every size is bounded
// before memory is asked for, compressed sections by what they claim and by what they can hold.
//
// The worker reads headers, symbols, relocations and notes by libelf (elf_library.c, elf_rows.h); the privileged parent
// reads the few things it needs by elf_bounded.c. The contents of sections are read here for both
// (docs/decisions/0009-libelf.md).
#ifndef HEARTH_SYMBOLIZER_ELF_ELF_FILE_H
#define HEARTH_SYMBOLIZER_ELF_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "symbolizer/elf/elf_section.h"

struct elf_file;

// The descriptor is borrowed and must stay open. -EBADMSG: not an ELF file of this machine's byte order.
int elf_file__open(int fd, enum elf_reader reader, struct elf_file **ret_file);
// The same, read into memory as a whole: the descriptor may be closed then. For small files.
int elf_file__open_whole(int fd, enum elf_reader reader, struct elf_file **ret_file);
// As elf_file__open, over bytes in memory, which the file takes over: they are freed with it.
int elf_file__open_memory(uint8_t *bytes, size_t length_bytes, enum elf_reader reader, struct elf_file **ret_file);
void elf_file__free(struct elf_file *file);
DEFINE_CLEANUP(struct elf_file *, elf_file__free);

enum elf_reader elf_file__reader(const struct elf_file *file); // for what belongs to it
bool elf_file__is_64(const struct elf_file *file);
bool elf_file__is_relocatable(const struct elf_file *file);
uint16_t elf_file__machine(const struct elf_file *file);
size_t elf_file__section_count(const struct elf_file *file);
const struct elf_section *elf_file__section(const struct elf_file *file, size_t index); // NULL: out of range
const struct elf_section *elf_file__find(const struct elf_file *file, const char *name);
const struct elf_section *elf_file__find_type(const struct elf_file *file, uint32_t type);
// The executable section that holds an address, or NULL.
const struct elf_section *elf_file__code_at(const struct elf_file *file, uint64_t address);
size_t elf_file__segment_count(const struct elf_file *file);
const struct elf_segment *elf_file__segment(const struct elf_file *file, size_t index);

// The contents, inflated where they are compressed (SHF_COMPRESSED with zlib or zstd, and .zdebug_*). A section
// without contents here (SHT_NOBITS, or in another file) is empty.
int elf_file__read(struct elf_file *file, const struct elf_section *section, struct elf_data *ret_data);
// Copies a part of the contents, as much as there is of it, without reading the rest. Nothing of a section that is
// packed and was not read.
size_t elf_file__read_part(const struct elf_file *file, const struct elf_section *section, uint64_t offset, void *bytes,
                           size_t length);
// Frees the contents of one section again; but not those that somebody keeps: in a damaged file one section may be the
// names, the code and the symbols.
void elf_file__forget(struct elf_file *file, const struct elf_section *section);
void elf_file__keep(struct elf_file *file, const struct elf_section *section);

// Symbol `index` of the bytes of a symbol table; zeroes past the end.
struct elf_symbol elf_file__symbol(const struct elf_file *file, struct elf_data table, size_t index);
size_t elf_file__symbol_bytes(const struct elf_file *file);

// NT_GNU_BUILD_ID. -ENOENT: none.
int elf_file__build_id(const struct elf_file *file, uint8_t ret_build_id[20], size_t *ret_bytes);

#endif
