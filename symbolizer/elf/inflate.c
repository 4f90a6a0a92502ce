#include "symbolizer/elf/inflate.h"

#include <elf.h>
#include <errno.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

// Deflate packs at most 1032:1 (zlib's own documentation); zstd has no such bound.
#define DEFLATE_RATIO 1032u

#define HUGE_PAGE_BYTES (2u << 20)

uint8_t *inflate__memory(size_t length_bytes)
{
    void *bytes;
    if (length_bytes < HUGE_PAGE_BYTES / 2)
        return malloc(length_bytes + 1);
    size_t rounded = (length_bytes + HUGE_PAGE_BYTES) & ~(size_t)(HUGE_PAGE_BYTES - 1);
    if (posix_memalign(&bytes, HUGE_PAGE_BYTES, rounded) != 0)
        return NULL;
    madvise(bytes, rounded, MADV_HUGEPAGE);
    return bytes;
}

// libdeflate takes a third of zlib's time, and only ever whole buffers.
static bool inflate_zlib(const uint8_t *packed, size_t packed_bytes, uint8_t *bytes, size_t length_bytes)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (!decompressor)
        return false;
    enum libdeflate_result result =
        libdeflate_zlib_decompress(decompressor, packed, packed_bytes, bytes, length_bytes, NULL);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS;
}

int inflate__section(uint32_t type, const uint8_t *packed, size_t packed_bytes, uint64_t length_bytes,
                     uint8_t **ret_bytes)
{
    if (length_bytes > LIMIT_SECTION_BYTES || (type == ELFCOMPRESS_ZLIB && length_bytes / DEFLATE_RATIO > packed_bytes))
        return -E2BIG;
    _cleanup_free_ uint8_t *bytes = inflate__memory(length_bytes);
    if (!bytes)
        return -ENOMEM;
    switch (type) {
    case ELFCOMPRESS_ZLIB:
        if (!inflate_zlib(packed, packed_bytes, bytes, length_bytes))
            return -EBADMSG;
        break;
    case ELFCOMPRESS_ZSTD:
        if (ZSTD_decompress(bytes, length_bytes, packed, packed_bytes) != length_bytes)
            return -EBADMSG;
        break;
    default:
        return -EOPNOTSUPP;
    }
    *ret_bytes = take_pointer(bytes);
    return 0;
}

int inflate__old_section(const uint8_t *packed, size_t packed_bytes, uint8_t **ret_bytes, size_t *ret_length)
{
    if (packed_bytes < 12 || memcmp(packed, "ZLIB", 4) != 0)
        return -EBADMSG;
    uint64_t length = 0;
    for (size_t i = 4; i < 12; i++)
        length = length << 8 | packed[i];
    *ret_length = length;
    return inflate__section(ELFCOMPRESS_ZLIB, packed + 12, packed_bytes - 12, length, ret_bytes);
}
