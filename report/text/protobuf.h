// The few parts of protobuf's wire format that writing needs (protobuf.dev/programming-guides/encoding).
#ifndef HEARTH_REPORT_TEXT_PROTOBUF_H
#define HEARTH_REPORT_TEXT_PROTOBUF_H

#include <stdint.h>

#include "store/base/buf.h"

// Field numbers as in the .proto file. A number of 0 is the default and is left out.
void protobuf__append_number(struct buf *buf, unsigned field, uint64_t value);
void protobuf__append_fixed(struct buf *buf, unsigned field, uint64_t value); // as 8 bytes: fixed64
void protobuf__append_bytes(struct buf *buf, unsigned field, const void *bytes, size_t length_bytes); // or a message
void protobuf__append_string(struct buf *buf, unsigned field, const char *text);

#endif
