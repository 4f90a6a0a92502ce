#include "report/text/text.h"

#include <math.h>
#include <string.h>

bool text__ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
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
        int32_t point = safe_text__next(&clean);
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

static size_t count_characters(const char *clean)
{
    size_t count = 0;
    for (; *clean; count++)
        safe_text__next(&clean);
    return count;
}

void text__append_cut(struct buf *buf, const char *clean, size_t room)
{
    size_t length = count_characters(clean), at = 0;
    if (length <= room) {
        buf__append_string(buf, clean);
        return;
    }
    // Of little room the end says nothing.
    size_t head = room < 10 ? room - (room > 0) : (room - 1) * 2 / 5, tail = room - (room > 0) - head;
    const char *end = clean, *rest;
    for (; at < head; at++)
        safe_text__next(&end);
    for (rest = end; at < length - tail; at++)
        safe_text__next(&rest);
    buf__append(buf, clean, (size_t)(end - clean));
    buf__append_string(buf, room > 0 ? "\xe2\x80\xa6" : "");
    buf__append_string(buf, rest);
}

void text__put_base64(FILE *file, const uint8_t *bytes, size_t length_bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length_bytes; i += 3) {
        size_t left = length_bytes - i;
        uint32_t word =
            (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        putc(digits[word >> 18], file);
        putc(digits[word >> 12 & 63], file);
        putc(left > 1 ? digits[word >> 6 & 63] : '=', file);
        putc(left > 2 ? digits[word & 63] : '=', file);
    }
}
