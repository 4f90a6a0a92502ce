// A growable run of bytes. Once an append fails for memory, `failed` is set and later appends do nothing, so that a
// writer checks once, at its end.
#ifndef HEARTH_STORE_BASE_BUF_H
#define HEARTH_STORE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *data;
    size_t length_bytes;
    size_t capacity_bytes;
    bool failed;
};

// Makes room for so many bytes more. False, with `failed` set: there is no memory, or was none before.
bool buf__reserve(struct buf *buf, size_t more_bytes);

// Asks the kernel for huge pages under large buffers of this process, from now on: a tenth of the page faults, for up
// to 2 MiB more memory a buffer. For processes that live shortly.
void buf__allow_huge_pages(void);

// Inline: where the length is known to the compiler, an append that fits is a comparison and a store.
static inline void buf__append(struct buf *buf, const void *bytes, size_t length_bytes)
{
    bool fits = !buf->failed && length_bytes <= buf->capacity_bytes - buf->length_bytes;
    if (length_bytes == 0 || (!fits && !buf__reserve(buf, length_bytes)))
        return;
    memcpy(buf->data + buf->length_bytes, bytes, length_bytes);
    buf->length_bytes += length_bytes;
}

static inline void buf__append_byte(struct buf *buf, uint8_t byte)
{
    buf__append(buf, &byte, 1);
}

void buf__append_string(struct buf *buf, const char *text); // without its NUL
void buf__append_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf__append_varint(struct buf *buf, uint64_t value); // LEB128, unsigned
void buf__append_zigzag(struct buf *buf, int64_t value);  // signed, as LEB128 of (v << 1) ^ (v >> 63)
// All that read() gives of `fd`, up to the end. -errno; -E2BIG: more than so many bytes, of which some are appended;
// -ENOMEM.
int buf__append_file(struct buf *buf, int fd, size_t bytes_most);
void buf__clear(struct buf *buf);   // keeps the memory
void buf__release(struct buf *buf); // frees the memory; for _cleanup_(buf__release)

#endif
