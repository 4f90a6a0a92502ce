#include "collector/naming/guest_text.h"

#include <string.h>

static size_t put(uint32_t character, char *to)
{
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        to[0] = (char)(0xc0 | character >> 6);
        to[1] = (char)(0x80 | (character & 63));
        return 2;
    }
    if (character < 0x10000) {
        to[0] = (char)(0xe0 | character >> 12);
        to[1] = (char)(0x80 | (character >> 6 & 63));
        to[2] = (char)(0x80 | (character & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | (character >> 18 & 7));
    to[1] = (char)(0x80 | (character >> 12 & 63));
    to[2] = (char)(0x80 | (character >> 6 & 63));
    to[3] = (char)(0x80 | (character & 63));
    return 4;
}

// No character, or one that ends a string, becomes a question mark.
static uint32_t character_at(const uint8_t *text, uint32_t width)
{
    uint32_t character = 0;
    memcpy(&character, text, width);
    return character == 0 || character > 0x10ffff || (character >= 0xd800 && character < 0xe000) ? '?' : character;
}

void guest_text__copy(const uint8_t *text, size_t bytes, uint32_t width, char ret_utf8[GUEST_TEXT_BYTES])
{
    size_t length = 0;
    if (width != 1 && width != 2 && width != 4)
        bytes = 0;
    for (size_t at = 0; at + width <= bytes; at += width)
        length += put(character_at(text + at, width), ret_utf8 + length);
    if (bytes == WIRE_GUEST_TEXT_BYTES) {
        memcpy(ret_utf8 + length, "...", 3);
        length += 3;
    }
    ret_utf8[length] = '\0';
}
