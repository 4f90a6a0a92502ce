// Reads protobuf's wire format (protobuf.dev/programming-guides/encoding), a field at a time:
//
//   struct protobuf_field field;
//   while (protobuf__next(&reader, &field))
//       if (field.number == PROFILE_PERIOD) ...
//
// Bad bytes end the loop and set the reader's `failed`. Fixed numbers, which pprof has none of, read as fields too.
#ifndef HEARTH_REPORT_TEXT_PROTOBUF_READER_H
#define HEARTH_REPORT_TEXT_PROTOBUF_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/byte_reader.h"

struct protobuf_field {
    unsigned number;
    bool is_bytes;
    uint64_t value;           // where it is a number
    struct byte_reader bytes; // where it is bytes, or a message, or packed numbers
};

static inline bool protobuf__next(struct byte_reader *reader, struct protobuf_field *ret_field)
{
    enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
    if (reader->failed || reader->at == reader->end)
        return false;
    uint64_t tag = byte_reader__uleb(reader), length;
    *ret_field = (struct protobuf_field){.number = (unsigned)(tag >> 3), .is_bytes = (tag & 7) == BYTES};
    switch (tag & 7) {
    case VARINT:
        ret_field->value = byte_reader__uleb(reader);
        break;
    case FIXED64:
    case FIXED32:
        ret_field->value = byte_reader__fixed(reader, (tag & 7) == FIXED64 ? 8 : 4);
        break;
    case BYTES:
        length = byte_reader__uleb(reader);
        ret_field->bytes.at = ret_field->bytes.start = reader->at;
        byte_reader__skip(reader, length);
        ret_field->bytes.end = reader->at;
        break;
    default:
        byte_reader__fail(reader);
    }
    if (!ret_field->number)
        byte_reader__fail(reader);
    return !reader->failed;
}

// The next of a repeated number, packed or not: true while there is one. `rest` is the field's bytes.
static inline bool protobuf__next_number(struct protobuf_field *field, uint64_t *ret_value)
{
    if (!field->is_bytes) {
        *ret_value = field->value;
        *field = (struct protobuf_field){.is_bytes = true};
        return true;
    }
    if (field->bytes.failed || field->bytes.at == field->bytes.end)
        return false;
    *ret_value = byte_reader__uleb(&field->bytes);
    return !field->bytes.failed;
}

// Where the field with this number keeps a number of a message.
struct protobuf_wanted {
    unsigned number;
    uint64_t *target;
};

static inline void protobuf__read_numbers(struct byte_reader message, const struct protobuf_wanted *wanted,
                                          size_t count)
{
    struct protobuf_field field;
    while (protobuf__next(&message, &field))
        for (size_t i = 0; i < count; i++)
            if (field.number == wanted[i].number && !field.is_bytes)
                *wanted[i].target = field.value;
}

#endif
