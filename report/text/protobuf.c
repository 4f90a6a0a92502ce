#include "report/text/protobuf.h"

#include <endian.h>
#include <string.h>

#define TYPE_VARINT 0u
#define TYPE_FIXED  1u
#define TYPE_LENGTH 2u

void protobuf__append_number(struct buf *buf, unsigned field, uint64_t value)
{
    if (!value)
        return;
    buf__append_varint(buf, field << 3 | TYPE_VARINT);
    buf__append_varint(buf, value);
}

void protobuf__append_fixed(struct buf *buf, unsigned field, uint64_t value)
{
    uint64_t little = htole64(value);
    if (!value)
        return;
    buf__append_varint(buf, field << 3 | TYPE_FIXED);
    buf__append(buf, &little, sizeof(little));
}

void protobuf__append_bytes(struct buf *buf, unsigned field, const void *bytes, size_t length_bytes)
{
    buf__append_varint(buf, field << 3 | TYPE_LENGTH);
    buf__append_varint(buf, length_bytes);
    buf__append(buf, bytes, length_bytes);
}

void protobuf__append_string(struct buf *buf, unsigned field, const char *text)
{
    protobuf__append_bytes(buf, field, text, strlen(text));
}
