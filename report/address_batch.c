#include "report/address_batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/symbol_name.h"

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
    size_t capacity = batch->capacity ? batch->capacity * 2 : 1024;
    uint64_t *addresses = realloc(batch->addresses, capacity * sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    batch->addresses = addresses;
    bool *bad = realloc(batch->bad, capacity * sizeof(*bad));
    if (!bad)
        return -ENOMEM;
    batch->bad = bad;
    batch->capacity = capacity;
    return 0;
}

static bool read_hex(const char *word, size_t length, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
        word += 2;
        length -= 2;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned char)word[i], letter = digit | 0x20u;
        digit = digit - '0' < 10 ? digit - '0' : letter - 'a' < 6 ? letter - 'a' + 10 : 16;
        if (digit == 16 || value >> 60)
            return false;
        value = value << 4 | digit;
    }
    if (length == 0)
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

void address_batch__print(const struct address_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->format == ADDRESS_JSON_ARRAY)
            fputs(i == 0 ? "[" : ",\n", stdout);
        fwrite_unlocked(batch->text.data + batch->answers[i].at, 1, batch->answers[i].length, stdout);
        if (batch->format == ADDRESS_JSON_LINES)
            putchar('\n');
    }
    if (batch->format == ADDRESS_JSON_ARRAY)
        fputs("]\n", stdout);
}

void address_batch__release(struct address_batch *batch)
{
    free(batch->addresses);
    free(batch->bad);
    free(batch->answers);
    buf__release(&batch->text);
}
