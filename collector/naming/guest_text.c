#include "collector/naming/guest_text.h"

#include <stdio.h>
#include <string.h>

#include "store/base/file_name.h"
#include "store/base/safe_text.h"

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

// Up to a NUL: PHP writes more behind it into the names of classes without a name. Bytes that are no UTF-8 become
// question marks, but for a character that the note's room cut.
static size_t put_utf8(const uint8_t *text, size_t bytes, char *to)
{
    char copy[WIRE_GUEST_TEXT_BYTES + 1] = {0};
    memcpy(copy, text, bytes);
    size_t length = 0, cut = bytes == WIRE_GUEST_TEXT_BYTES ? bytes - 3 : bytes;
    for (const char *at = copy, *before = copy; *at; before = at) {
        bool is_sound = safe_text__next(&at) >= 0;
        if (!is_sound && (size_t)(before - copy) >= cut)
            break;
        if (is_sound)
            memcpy(to + length, before, (size_t)(at - before));
        else
            to[length] = '?';
        length += is_sound ? (size_t)(at - before) : 1;
    }
    return length;
}

void guest_text__copy(const uint8_t *text, size_t bytes, uint32_t width, char ret_utf8[GUEST_TEXT_BYTES])
{
    size_t length = width == WIRE_GUEST_UTF8 ? put_utf8(text, bytes, ret_utf8) : 0;
    if (width != 1 && width != 2 && width != 4)
        width = 0;
    for (size_t at = 0; width && at + width <= bytes; at += width)
        length += put(character_at(text + at, width), ret_utf8 + length);
    if (bytes == WIRE_GUEST_TEXT_BYTES) {
        memcpy(ret_utf8 + length, "...", 3);
        length += 3;
    }
    ret_utf8[length] = '\0';
}

void guest_text__name(const struct wire_guest_note *note, const char *file, char ret_name[GUEST_NAME_BYTES])
{
    char class[GUEST_TEXT_BYTES] = "", name[GUEST_TEXT_BYTES];
    if (note->kind == WIRE_GUEST_PHP && note->table_bytes <= WIRE_GUEST_TEXT_BYTES)
        guest_text__copy(note->table, note->table_bytes, WIRE_GUEST_UTF8, class);
    guest_text__copy(note->name, note->name_bytes, note->name_width, name);
    snprintf(ret_name, GUEST_NAME_BYTES, "%s%s%s", class, class[0] ? "::" : "",
             name[0] || note->kind != WIRE_GUEST_PHP ? name : file_name__of(file));
}
