// Compressed sections of ELF files, inflated with bounds.
#ifndef HEARTH_SYMBOLIZER_INFLATE_H
#define HEARTH_SYMBOLIZER_INFLATE_H

#include <stddef.h>
#include <stdint.h>

// `type` is that of Elf64_Chdr (ELFCOMPRESS_ZLIB or ELFCOMPRESS_ZSTD). The result has exactly `length_bytes`, or the
// input is damaged (-EBADMSG), claims more than it can hold or than LIMIT_SECTION_BYTES (-E2BIG), or is packed in
// another way (-EOPNOTSUPP).
int inflate__section(uint32_t type, const uint8_t *packed, size_t packed_bytes, uint64_t length_bytes,
                     uint8_t **ret_bytes);

#endif
