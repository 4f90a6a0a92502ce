#include "store/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES      4096u
#define HUGE_PAGE_BYTES (2u << 20)

static bool has_huge_pages;

void buf__allow_huge_pages(void)
{
    has_huge_pages = true;
}

static void advise(uint8_t *data, size_t capacity_bytes)
{
    uintptr_t start = (uintptr_t)data & ~(uintptr_t)(PAGE_BYTES - 1), end = (uintptr_t)data + capacity_bytes;
    if (has_huge_pages && capacity_bytes >= HUGE_PAGE_BYTES)
        madvise((void *)start, (end - start) & ~(uintptr_t)(PAGE_BYTES - 1), MADV_HUGEPAGE);
}

bool buf__reserve(struct buf *buf, size_t more_bytes)
{
    if (buf->failed || more_bytes > SIZE_MAX / 2 - buf->length_bytes) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length_bytes + more_bytes;
    if (needed <= buf->capacity_bytes)
        return true;
    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes : 256;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    advise(data, capacity);
    buf->data = data;
    buf->capacity_bytes = capacity;
    return true;
}

void buf__append_string(struct buf *buf, const char *text)
{
    buf__append(buf, text, strlen(text));
}

void buf__append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && buf__reserve(buf, (size_t)length + 1)) {
        vsnprintf((char *)buf->data + buf->length_bytes, (size_t)length + 1, format, again);
        buf->length_bytes += (size_t)length;
    }
    va_end(again);
}

void buf__append_varint(struct buf *buf, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    buf__append(buf, bytes, count);
}

void buf__append_zigzag(struct buf *buf, int64_t value)
{
    buf__append_varint(buf, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

int buf__append_file(struct buf *buf, int fd, size_t bytes_most)
{
    char block[16384];
    for (size_t left = bytes_most; !buf->failed;) {
        ssize_t length = read(fd, block, sizeof(block));
        if (length < 0 && errno != EINTR)
            return -errno;
        if (length == 0)
            return 0;
        if (length > 0 && (size_t)length > left)
            return -E2BIG;
        if (length > 0) {
            buf__append(buf, block, (size_t)length);
            left -= (size_t)length;
        }
    }
    return -ENOMEM;
}

void buf__clear(struct buf *buf)
{
    buf->length_bytes = 0;
    buf->failed = false;
}

void buf__release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}
