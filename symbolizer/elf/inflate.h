// Compressed sections of ELF files, inflated with bounds.
#ifndef HEARTH_SYMBOLIZER_ELF_INFLATE_H
#define HEARTH_SYMBOLIZER_ELF_INFLATE_H

#include <stddef.h>
#include <stdint.h>

// Memory for a section and one byte more; for free(). Large ones lie in huge pages where there are any: a section is
// touched once from end to end, and its page faults would cost as much as reading it.
uint8_t *inflate__memory(size_t length_bytes);

// `type` is that of Elf64_Chdr (ELFCOMPRESS_ZLIB or ELFCOMPRESS_ZSTD). The result has exactly `length_bytes`, or the
// input is damaged (-EBADMSG), claims more than it can hold or than LIMIT_SECTION_BYTES (-E2BIG), or is packed in
// another way (-EOPNOTSUPP).
int inflate__section(uint32_t type, const uint8_t *packed, size_t packed_bytes, uint64_t length_bytes,
                     uint8_t **ret_bytes);

// The contents of .zdebug_*, as gold and old binutils wrote them: "ZLIB", the length as a big-endian number, the
// stream. -EBADMSG: something else; or as inflate__section.
int inflate__old_section(const uint8_t *packed, size_t packed_bytes, uint8_t **ret_bytes, size_t *ret_length);

#endif
