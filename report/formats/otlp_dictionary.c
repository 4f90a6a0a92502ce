// An entry of a table is the encoded message, kept once. Of a mapping the highest address is not yet known when it is
// added: that is kept beside, and written before the rest.
//
// The store keeps offsets in files, no addresses: a mapping begins at address 0 and offset 0, so that an address is an
// offset in the file. Code without a file has no mapping.
#include "report/formats/otlp_dictionary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/text/otlp_1_11_fields.h"
#include "report/text/protobuf.h"
#include "report/text/records.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"

#define PAGE_BYTES     4096u
#define BUILD_ID_BYTES 20

struct otlp_dictionary {
    struct records strings, attributes, mappings, locations, functions, stacks;
    uint64_t *limits; // of the addresses, by mapping
    size_t limit_capacity;
    struct buf message, part, clean;
    bool failed;
};

DEFINE_CLEANUP(struct otlp_dictionary *, otlp_dictionary__free);

void otlp_dictionary__free(struct otlp_dictionary *dictionary)
{
    if (!dictionary)
        return;
    records__release(&dictionary->strings);
    records__release(&dictionary->attributes);
    records__release(&dictionary->mappings);
    records__release(&dictionary->locations);
    records__release(&dictionary->functions);
    records__release(&dictionary->stacks);
    free(dictionary->limits);
    buf__release(&dictionary->message);
    buf__release(&dictionary->part);
    buf__release(&dictionary->clean);
    free(dictionary);
}

static uint32_t keep(struct otlp_dictionary *dictionary, struct records *table, const void *bytes, size_t length_bytes)
{
    uint32_t id = 0;
    dictionary->failed |= records__keep(table, bytes, length_bytes, &id) != 0;
    return id;
}

// Keeps the message that was made, and empties the place where the next one is made.
static uint32_t keep_message(struct otlp_dictionary *dictionary, struct records *table)
{
    struct buf *message = &dictionary->message;
    dictionary->failed |= message->failed || dictionary->part.failed;
    uint32_t id = keep(dictionary, table, message->data, message->length_bytes);
    buf__clear(message);
    return id;
}

int otlp_dictionary__new(struct otlp_dictionary **ret_dictionary)
{
    _cleanup_(otlp_dictionary__freep) struct otlp_dictionary *dictionary = calloc(1, sizeof(*dictionary));
    if (!dictionary)
        return -ENOMEM;
    struct records *tables[] = {&dictionary->strings,   &dictionary->attributes, &dictionary->mappings,
                                &dictionary->locations, &dictionary->functions,  &dictionary->stacks};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        keep(dictionary, tables[i], "", 0);
    if (dictionary->failed)
        return -ENOMEM;
    *ret_dictionary = take_pointer(dictionary);
    return 0;
}

bool otlp_dictionary__failed(const struct otlp_dictionary *dictionary)
{
    return dictionary->failed;
}

uint32_t otlp_dictionary__string(struct otlp_dictionary *dictionary, const char *clean)
{
    return keep(dictionary, &dictionary->strings, clean, strlen(clean));
}

// For text that comes straight from the store.
static uint32_t raw_string(struct otlp_dictionary *dictionary, const char *text)
{
    struct buf *clean = &dictionary->clean;
    buf__clear(clean);
    safe_text__append(clean, text ? text : "");
    dictionary->failed |= clean->failed;
    return keep(dictionary, &dictionary->strings, clean->data, clean->length_bytes);
}

void otlp_dictionary__append_value(struct buf *buf, unsigned field, const char *clean)
{
    size_t head_bytes = 1, length_bytes = strlen(clean);
    for (size_t rest = length_bytes; rest >= 0x80; rest >>= 7)
        head_bytes++;
    buf__append_varint(buf, field << 3 | 2);
    buf__append_varint(buf, 1 + head_bytes + length_bytes);
    protobuf__append_string(buf, ANY_VALUE_STRING, clean);
}

uint32_t otlp_dictionary__attribute(struct otlp_dictionary *dictionary, const char *key, const char *clean)
{
    uint32_t key_string = otlp_dictionary__string(dictionary, key);
    protobuf__append_number(&dictionary->message, ATTRIBUTE_KEY, key_string);
    otlp_dictionary__append_value(&dictionary->message, ATTRIBUTE_VALUE, clean);
    return keep_message(dictionary, &dictionary->attributes);
}

// A packed field of one index.
static void append_index(struct otlp_dictionary *dictionary, unsigned field, uint32_t index)
{
    buf__clear(&dictionary->part);
    buf__append_varint(&dictionary->part, index);
    protobuf__append_bytes(&dictionary->message, field, dictionary->part.data, dictionary->part.length_bytes);
}

static uint32_t attribute_of_build_id(struct otlp_dictionary *dictionary, const struct store_binary *binary)
{
    char build_id[2 * BUILD_ID_BYTES + 1] = "";
    for (size_t i = 0; binary->build_id && i < binary->build_id_bytes && i < BUILD_ID_BYTES; i++)
        snprintf(build_id + 2 * i, 3, "%02x", binary->build_id[i]);
    return *build_id ? otlp_dictionary__attribute(dictionary, "process.executable.build_id.gnu", build_id) : 0;
}

static uint32_t mapping_of(struct otlp_dictionary *dictionary, const struct store_binary *binary, uint64_t address)
{
    uint32_t attribute = attribute_of_build_id(dictionary, binary);
    uint32_t path = raw_string(dictionary, binary->path);
    protobuf__append_number(&dictionary->message, MAPPING_FILE, path);
    if (attribute)
        append_index(dictionary, MAPPING_ATTRIBUTES, attribute);
    uint32_t known = dictionary->mappings.count, id = keep_message(dictionary, &dictionary->mappings);
    if (!id)
        return 0;
    if (GROW(dictionary->limits, dictionary->limit_capacity, (size_t)id + 1) != 0) {
        dictionary->failed = true;
        return 0;
    }
    uint64_t limit = (address / PAGE_BYTES + 1) * PAGE_BYTES;
    if (id == known || limit > dictionary->limits[id])
        dictionary->limits[id] = limit;
    return id;
}

// The words of OpenTelemetry's conventions (profile.frame.type) where they have one; a store does not keep which
// interpreter a function ran in, but the file of a function of PHP is named so.
static const char *frame_type_of(const struct label *label, const struct store_frame *frame)
{
    switch (label->kind) {
    case STORE_BINARY_KERNEL:
        return "kernel";
    case STORE_BINARY_JIT:
        return "jit";
    case STORE_BINARY_MARK:
        return "mark";
    case STORE_BINARY_RUNTIME:
        return frame && frame->chain_length && text__ends_with(frame->chain[0].file, ".php") ? "php" : "cpython";
    default:
        return "native";
    }
}

static void append_line(struct otlp_dictionary *dictionary, struct buf *lines, uint32_t name, uint32_t file,
                        uint32_t line)
{
    struct buf *part = &dictionary->part;
    protobuf__append_number(&dictionary->message, FUNCTION_NAME, name);
    protobuf__append_number(&dictionary->message, FUNCTION_FILE, file);
    uint32_t function = keep_message(dictionary, &dictionary->functions);
    buf__clear(part);
    protobuf__append_number(part, LINE_FUNCTION, function);
    protobuf__append_number(part, LINE_LINE, line);
    protobuf__append_bytes(lines, LOCATION_LINES, part->data, part->length_bytes);
}

// The functions that were inlined at the place, innermost first, the caller last.
static void append_lines(struct otlp_dictionary *dictionary, const struct label *label, const struct store_frame *frame,
                         bool no_inline, struct buf *lines)
{
    size_t count = frame ? frame->chain_length : 0;
    for (size_t i = no_inline && count ? count - 1 : 0; i < count; i++) {
        uint32_t name = raw_string(dictionary, frame->chain[i].function);
        uint32_t file = raw_string(dictionary, frame->chain[i].file);
        append_line(dictionary, lines, name, file, frame->chain[i].line);
    }
    if (!count)
        append_line(dictionary, lines, otlp_dictionary__string(dictionary, label->name),
                    otlp_dictionary__string(dictionary, label->file), 0);
    dictionary->failed |= lines->failed;
}

// Where only the function was kept, or an interpreter's, there is no address.
static uint64_t address_of(const struct label *label, const struct store_frame *frame)
{
    bool has_none = !frame || label->kind == STORE_BINARY_RUNTIME || store_offset__is_folded(frame->offset);
    return has_none ? 0 : frame->offset;
}

static bool has_file(const struct label *label)
{
    return label->kind == STORE_BINARY_ELF || label->kind == STORE_BINARY_KERNEL || label->kind == STORE_BINARY_VDSO;
}

uint32_t otlp_dictionary__location(struct otlp_dictionary *dictionary, struct store_reader *reader,
                                   const struct label *label, bool no_inline)
{
    _cleanup_(buf__release) struct buf lines = {0};
    const struct store_frame *frame = label->frame ? store_reader__frame(reader, label->frame) : NULL;
    uint64_t address = address_of(label, frame);
    uint32_t mapping =
        frame && has_file(label) ? mapping_of(dictionary, store_reader__binary(reader, frame->binary), address) : 0;
    uint32_t type = otlp_dictionary__attribute(dictionary, "profile.frame.type", frame_type_of(label, frame));
    append_lines(dictionary, label, frame, no_inline, &lines);
    protobuf__append_number(&dictionary->message, LOCATION_MAPPING, mapping);
    protobuf__append_number(&dictionary->message, LOCATION_ADDRESS, address);
    buf__append(&dictionary->message, lines.data, lines.length_bytes);
    append_index(dictionary, LOCATION_ATTRIBUTES, type);
    return keep_message(dictionary, &dictionary->locations);
}

uint32_t otlp_dictionary__stack(struct otlp_dictionary *dictionary, const uint32_t *locations, uint32_t count)
{
    struct buf *part = &dictionary->part;
    if (!count)
        return 0;
    buf__clear(part);
    for (uint32_t i = 0; i < count; i++)
        buf__append_varint(part, locations[i]);
    protobuf__append_bytes(&dictionary->message, STACK_LOCATIONS, part->data, part->length_bytes);
    return keep_message(dictionary, &dictionary->stacks);
}

static void append_table(struct buf *buf, unsigned field, const struct records *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        size_t length_bytes;
        const void *bytes = records__of(table, i, &length_bytes);
        protobuf__append_bytes(buf, field, bytes, length_bytes);
    }
}

static void append_mappings(const struct otlp_dictionary *dictionary, struct buf *buf)
{
    _cleanup_(buf__release) struct buf mapping = {0};
    for (uint32_t i = 0; i < dictionary->mappings.count; i++) {
        size_t length_bytes;
        const void *bytes = records__of(&dictionary->mappings, i, &length_bytes);
        buf__clear(&mapping);
        if (i)
            protobuf__append_number(&mapping, MAPPING_LIMIT, dictionary->limits[i]);
        buf__append(&mapping, bytes, length_bytes);
        protobuf__append_bytes(buf, DICTIONARY_MAPPINGS, mapping.data, mapping.length_bytes);
    }
    buf->failed |= mapping.failed;
}

int otlp_dictionary__append(const struct otlp_dictionary *dictionary, struct buf *buf)
{
    static const uint8_t zeroes[16];
    _cleanup_(buf__release) struct buf link = {0};
    append_mappings(dictionary, buf);
    append_table(buf, DICTIONARY_LOCATIONS, &dictionary->locations);
    append_table(buf, DICTIONARY_FUNCTIONS, &dictionary->functions);
    protobuf__append_bytes(&link, LINK_TRACE, zeroes, 16);
    protobuf__append_bytes(&link, LINK_SPAN, zeroes, 8);
    protobuf__append_bytes(buf, DICTIONARY_LINKS, link.data, link.length_bytes);
    append_table(buf, DICTIONARY_STRINGS, &dictionary->strings);
    append_table(buf, DICTIONARY_ATTRIBUTES, &dictionary->attributes);
    append_table(buf, DICTIONARY_STACKS, &dictionary->stacks);
    return buf->failed || link.failed || dictionary->failed ? -ENOMEM : 0;
}
