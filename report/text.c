#include "report/text.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

int32_t text__next(const char **at)
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

void text__append_clean(struct buf *buf, const char *text)
{
    for (;;) {
        const char *start = text;
        while (*text >= 0x20 && *text < 0x7f)
            text++;
        buf__append(buf, start, (size_t)(text - start));
        if (!*text)
            return;
        start = text;
        int32_t point = text__next(&text);
        if (point < 0)
            buf__append_format(buf, "\\x%02x", (unsigned char)*start);
        else if (point < 0x20 || (point >= 0x7f && point < 0xa0))
            buf__append_format(buf, "\\x%02x", (unsigned)point);
        else if (misleads(point))
            buf__append_format(buf, "\\u%04x", (unsigned)point);
        else
            buf__append(buf, start, (size_t)(text - start));
    }
}

void text__append_folded(struct buf *buf, const char *clean)
{
    for (const char *end; (end = strchr(clean, ';')); clean = end + 1) {
        buf__append(buf, clean, (size_t)(end - clean));
        buf__append_byte(buf, ':');
    }
    buf__append_string(buf, clean);
}

void text__put_json(FILE *file, const char *clean)
{
    putc('"', file);
    while (*clean) {
        size_t plain =
            strcspn(clean, "\"\\<>&\x7f\xe2\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12"
                           "\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f");
        fwrite(clean, 1, plain, file);
        clean += plain;
        if (!*clean)
            break;
        const char *start = clean;
        int32_t point = text__next(&clean);
        if (point == '"' || point == '\\')
            fprintf(file, "\\%c", (char)point);
        else if (point < 0)
            fputs("\\ufffd", file);
        else if (point < 0x80 || point == 0x2028 || point == 0x2029)
            fprintf(file, "\\u%04x", (unsigned)point);
        else
            fwrite(start, 1, (size_t)(clean - start), file);
    }
    putc('"', file);
}

void text__put_markup(FILE *file, const char *clean)
{
    for (;;) {
        size_t plain = strcspn(clean, "&<>\"'");
        fwrite(clean, 1, plain, file);
        clean += plain;
        if (!*clean)
            return;
        fprintf(file, "&#%d;", *clean++);
    }
}

static void grouped(wide amount, char ret_text[TEXT_AMOUNT_BYTES])
{
    char digits[WIDE_TEXT_BYTES];
    size_t length = strlen(wide__text(amount, digits)), at = 0, sign = amount < 0;
    for (size_t i = 0; i < length; i++) {
        if (i > sign && (length - i) % 3 == 0)
            ret_text[at++] = ',';
        ret_text[at++] = digits[i];
    }
    ret_text[at] = '\0';
}

void text__amount(wide amount, const char *unit, char ret_text[TEXT_AMOUNT_BYTES])
{
    static const struct {
        const char *unit, *shown;
        double size; // in units
    } scales[] = {
        {"ns", "d", 86400e9},     {"ns", "h", 3600e9},      {"ns", "s", 1e9},         {"ns", "ms", 1e6},
        {"ns", "us", 1e3},        {"ns", "ns", 1},          {"bytes", "TiB", 0x1p40}, {"bytes", "GiB", 0x1p30},
        {"bytes", "MiB", 0x1p20}, {"bytes", "KiB", 0x1p10}, {"bytes", "B", 1},
    };
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        double scaled = (double)amount / scales[i].size, magnitude = fabs(scaled);
        if (strcmp(scales[i].unit, unit) != 0 || (magnitude < 1 && scales[i].size > 1))
            continue;
        int decimals = scales[i].size <= 1 ? 0 : magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0;
        snprintf(ret_text, TEXT_AMOUNT_BYTES, "%.*f %s", decimals, scaled, scales[i].shown);
        return;
    }
    grouped(amount, ret_text);
}
