#include "report/commands/address_batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "symbolizer/symbols/symbol_name.h"

#define PRINT_BYTES (256u << 10)

static void append_escaped(struct buf *text, const char *name)
{
    char shown[4 * LIMIT_NAME_BYTES + 1];
    size_t length = strlen(name);
    if (symbol_name__is_plain(name, length))
        buf__append(text, name, length);
    else
        buf__append(text, shown, symbol_name__escape(name, shown, sizeof(shown)));
}

static void append_json_string(struct buf *text, const char *name)
{
    char shown[4 * LIMIT_NAME_BYTES + 1];
    symbol_name__escape(name, shown, sizeof(shown));
    buf__append_byte(text, '"');
    for (const char *at = shown; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf__append_byte(text, '\\');
        buf__append_byte(text, (uint8_t)*at);
    }
    buf__append_byte(text, '"');
}

static void append_line(struct buf *text, uint32_t line) // ":LINE\n", without the cost of a format
{
    char digits[12];
    size_t at = sizeof(digits);
    digits[--at] = '\n';
    do
        digits[--at] = (char)('0' + line % 10);
    while (line /= 10);
    digits[--at] = ':';
    buf__append(text, digits + at, sizeof(digits) - at);
}

static void append_text(struct buf *text, const struct symbol *chain, size_t length)
{
    static const struct symbol unknown = {.file = ""};
    for (size_t i = 0; i < (length ? length : 1); i++) {
        const struct symbol *symbol = length ? &chain[i] : &unknown;
        append_escaped(text, symbol->function ? symbol->function : "??");
        buf__append_byte(text, ' ');
        append_escaped(text, symbol->file[0] ? symbol->file : "??");
        append_line(text, symbol->line);
    }
    buf__append_byte(text, '\n');
}

static void append_json(struct buf *text, bool bad, uint64_t address, const struct symbol *chain, size_t length)
{
    if (bad)
        buf__append_string(text, "{\"address\":null,\"frames\":[");
    else
        buf__append_format(text, "{\"address\":\"0x%" PRIx64 "\",\"frames\":[", address);
    for (size_t i = 0; i < length; i++) {
        buf__append_string(text, i > 0 ? ",{\"function\":" : "{\"function\":");
        if (chain[i].function)
            append_json_string(text, chain[i].function);
        else
            buf__append_string(text, "null");
        buf__append_string(text, ",\"file\":");
        append_json_string(text, chain[i].file);
        buf__append_format(text, ",\"line\":%" PRIu32 "}", chain[i].line);
    }
    buf__append_string(text, "]}");
}

void address_batch__take(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct address_batch *batch = context;
    size_t place = batch->places ? batch->places[index] : index;
    struct address_answer *answer = &batch->answers[place];
    answer->at = batch->text.length_bytes;
    if (batch->format == ADDRESS_TEXT)
        append_text(&batch->text, chain, length);
    else
        append_json(&batch->text, batch->bad[place], batch->addresses[place], chain, length);
    answer->length = batch->text.length_bytes - answer->at;
}

static bool is_last(const struct address_batch *batch, const struct symbol *chain, size_t length)
{
    bool same = batch->last_answer.length > 0 && batch->last_length == length;
    for (size_t i = 0; i < length && same; i++)
        same = chain[i].function == batch->last[i].function && chain[i].file == batch->last[i].file &&
               chain[i].line == batch->last[i].line;
    return same;
}

void address_batch__take_of_file(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct address_batch *batch = context;
    size_t place = batch->places ? batch->places[index] : index;
    if (batch->format == ADDRESS_TEXT && is_last(batch, chain, length)) {
        batch->answers[place] = batch->last_answer;
        return;
    }
    address_batch__take(index, chain, length, context);
    for (size_t i = 0; i < length; i++)
        batch->last[i] = chain[i];
    batch->last_length = length;
    batch->last_answer = batch->answers[place];
}

static int grow(struct address_batch *batch)
{
    size_t capacity = grow__capacity(batch->capacity, batch->capacity + 1);
    if (RESIZE(batch->addresses, capacity) != 0 || RESIZE(batch->bad, capacity) != 0)
        return -ENOMEM;
    batch->capacity = capacity;
    return 0;
}

// The value of each byte as a digit, and 0x10 more; 0: it is none.
static const uint8_t digits[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17,
    ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b, ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
    ['A'] = 0x1a, ['B'] = 0x1b, ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f,
};

static bool read_hex(const char *word, size_t length, uint64_t *ret_value)
{
    uint64_t value = 0;
    uint8_t all = 0x10;
    if (length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
        word += 2;
        length -= 2;
    }
    while (length > 16 && *word == '0') {
        word++;
        length--;
    }
    for (size_t i = 0; i < length && i < 16; i++) {
        uint8_t digit = digits[(uint8_t)word[i]];
        all &= digit;
        value = value << 4 | (digit & 0xf);
    }
    if (!(all & 0x10) || length == 0 || length > 16)
        return false;
    *ret_value = value;
    return true;
}

static bool find_word(const struct address_batch *batch, const char *word, size_t length, uint64_t *ret_value)
{
    char text[LIMIT_SOURCE_PATH_BYTES];
    if (!batch->find_word || length == 0 || length >= sizeof(text))
        return false;
    memcpy(text, word, length);
    text[length] = '\0';
    return batch->find_word(batch->find_context, text, ret_value) == 0;
}

int address_batch__add(struct address_batch *batch, const char *word, size_t length)
{
    if (batch->count == batch->capacity && grow(batch) != 0)
        return -ENOMEM;
    uint64_t address = UINT64_MAX;
    batch->bad[batch->count] = !read_hex(word, length, &address) && !find_word(batch, word, length, &address);
    batch->addresses[batch->count++] = address;
    return 0;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

int address_batch__add_lines(struct address_batch *batch, struct buf *input, bool at_end)
{
    const char *at = (const char *)input->data, *end = at + input->length_bytes;
    batch->count = 0;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        if (!newline && !at_end)
            break;
        const char *next = newline ? newline + 1 : end;
        while (at < stop && is_blank(*at))
            at++;
        while (stop > at && is_blank(stop[-1]))
            stop--;
        if ((newline || at < stop) && address_batch__add(batch, at, (size_t)(stop - at)) != 0)
            return -ENOMEM;
        at = next;
    }
    input->length_bytes = (size_t)(end - at);
    if (input->length_bytes > 0)
        memmove(input->data, at, input->length_bytes);
    return 0;
}

int address_batch__begin(struct address_batch *batch)
{
    free(batch->answers);
    buf__clear(&batch->text);
    batch->answers = calloc(batch->count + 1, sizeof(*batch->answers));
    address_batch__begin_part(batch, NULL);
    return batch->answers ? 0 : -ENOMEM;
}

void address_batch__begin_part(struct address_batch *batch, const size_t *places)
{
    batch->places = places;
    batch->last_answer.length = 0;
}

int address_batch__end(struct address_batch *batch)
{
    address_batch__begin_part(batch, NULL);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->answers[i].length == 0)
            address_batch__take(i, NULL, 0, batch);
    return batch->text.failed ? -ENOMEM : 0;
}

// Gathers the answers in the order of the addresses into large writes.
int address_batch__print(const struct address_batch *batch)
{
    _cleanup_(buf__release) struct buf block = {0};
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->format == ADDRESS_JSON_ARRAY)
            buf__append_string(&block, i == 0 ? "[" : ",\n");
        buf__append(&block, batch->text.data + batch->answers[i].at, batch->answers[i].length);
        if (batch->format == ADDRESS_JSON_LINES)
            buf__append_byte(&block, '\n');
        if (block.length_bytes < PRINT_BYTES)
            continue;
        fwrite(block.data, 1, block.length_bytes, stdout);
        buf__clear(&block);
    }
    if (batch->format == ADDRESS_JSON_ARRAY)
        buf__append_string(&block, "]\n");
    if (block.failed)
        return -ENOMEM;
    fwrite(block.data, 1, block.length_bytes, stdout);
    return 0;
}

void address_batch__release(struct address_batch *batch)
{
    free(batch->addresses);
    free(batch->bad);
    free(batch->answers);
    buf__release(&batch->text);
}
