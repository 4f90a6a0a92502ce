// CRC32C (Castagnoli, RFC 3720 section 12.1), with the processor's instruction where it has one.
//
//   crc32c(0, "123456789", 9) == 0xe3069283
#ifndef HEARTH_STORE_BASE_CRC32C_H
#define HEARTH_STORE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// Goes on from `crc`, the sum of the bytes before (0: there are none).
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length_bytes);

// The same without the instruction: for processors that lack it, and for holding the two against each other.
uint32_t crc32c__portable(uint32_t crc, const void *bytes, size_t length_bytes);

#endif
