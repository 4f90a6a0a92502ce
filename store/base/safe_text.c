#include "store/base/safe_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

#define ESCAPE_BYTES 12 // "\\uNNNN" and its NUL

int32_t safe_text__next(const char **at)
{
    const unsigned char *byte = (const unsigned char *)*at;
    unsigned more = byte[0] < 0x80   ? 0
                    : byte[0] < 0xc2 ? 9
                    : byte[0] < 0xe0 ? 1
                    : byte[0] < 0xf0 ? 2
                    : byte[0] < 0xf5 ? 3
                                     : 9;
    *at += 1;
    if (more == 9)
        return -EILSEQ;
    int32_t point = more ? byte[0] & (0x3f >> more) : byte[0];
    for (unsigned i = 1; i <= more; i++) {
        if ((byte[i] & 0xc0) != 0x80) // the NUL at the end too
            return -EILSEQ;
        point = point << 6 | (byte[i] & 0x3f);
    }
    bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return -EILSEQ;
    *at += more;
    return point;
}

// Line and paragraph separators, and the marks that embed, override or isolate a direction (Unicode's UAX 9).
static bool misleads(int32_t point)
{
    return (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x200e ||
           point == 0x200f || point == 0x061c || point == 0xfeff;
}

// The character at *at as it is shown, itself or an escape. Returns its length, and moves *at behind the character.
static size_t next_shown(const char **at, char escape[ESCAPE_BYTES], const char **ret_shown)
{
    const char *start = *at;
    int32_t point = safe_text__next(at);
    *ret_shown = escape;
    if (point < 0)
        return (size_t)snprintf(escape, ESCAPE_BYTES, "\\x%02x", (unsigned char)*start);
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return (size_t)snprintf(escape, ESCAPE_BYTES, "\\x%02x", (unsigned)point);
    if (misleads(point))
        return (size_t)snprintf(escape, ESCAPE_BYTES, "\\u%04x", (unsigned)point);
    *ret_shown = start;
    return (size_t)(*at - start);
}

void safe_text__append(struct buf *buf, const char *text)
{
    char escape[ESCAPE_BYTES];
    for (;;) {
        const char *start = text, *shown;
        while (*text >= 0x20 && *text < 0x7f)
            text++;
        buf__append(buf, start, (size_t)(text - start));
        if (!*text)
            return;
        size_t bytes = next_shown(&text, escape, &shown);
        buf__append(buf, shown, bytes);
    }
}

char *safe_text__dup(const char *text)
{
    _cleanup_(buf__release) struct buf clean = {0};
    safe_text__append(&clean, text);
    buf__append_byte(&clean, '\0');
    return clean.failed ? NULL : (char *)take_pointer(clean.data);
}

size_t safe_text__copy(const char *text, char *out, size_t out_bytes)
{
    char escape[ESCAPE_BYTES];
    const char *shown;
    size_t length = 0;
    while (*text) {
        size_t bytes = next_shown(&text, escape, &shown);
        if (length + bytes + 1 > out_bytes)
            break;
        memcpy(out + length, shown, bytes);
        length += bytes;
    }
    if (out_bytes > 0)
        out[length] = '\0';
    return length;
}

void safe_text__print(FILE *file, const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_(buf__release) struct buf line = {0};
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    safe_text__append(&line, text ? text : "out of memory");
    buf__append_byte(&line, '\n');
    fwrite(line.data, 1, line.failed ? 0 : line.length_bytes, file);
}
