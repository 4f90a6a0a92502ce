#include "symbolizer/symbols/ocaml_name.h"

#include <ctype.h>
#include <string.h>

static const char prefix[] = "caml";

bool ocaml_name__is_mangled(const char *name)
{
    const size_t bytes = sizeof(prefix) - 1;
    return strncmp(name, prefix, bytes) == 0 && name[bytes] >= 'A' && name[bytes] <= 'Z';
}

static int hex_of(char digit)
{
    const char *digits = "0123456789abcdef", *at = digit ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) : -1;
}

// "$2b", or "$$2b" where `$` parts modules. Returns its length, 0: none.
static size_t escaped(const char *at, char *ret_byte)
{
    size_t signs = strspn(at, "$");
    int high = signs == 1 || signs == 2 ? hex_of(at[signs]) : -1, low = high >= 0 ? hex_of(at[signs + 1]) : -1;
    if (low < 0)
        return 0;
    *ret_byte = (char)(high << 4 | low);
    return signs + 2;
}

// The bytes between modules, or a module and its function; 0: none here.
static size_t separator(const char *at)
{
    if (at[0] == '_' && at[1] == '_' && at[2])
        return 2;
    return (at[0] == '.' || at[0] == '$') && at[1] ? 1 : 0;
}

static size_t without_stamp(const char *name)
{
    size_t length = strlen(name), end = length;
    while (end > 0 && isdigit((unsigned char)name[end - 1]))
        end--;
    return end < length && end > 1 && name[end - 1] == '_' ? end - 1 : length;
}

void ocaml_name__append(const char *name, struct buf *text)
{
    size_t from = text->length_bytes;
    const char *at = name + sizeof(prefix) - 1, *end = name + without_stamp(name);
    bool is_parted = false;
    while (at < end) {
        char byte;
        size_t bytes = escaped(at, &byte);
        if (!bytes && (bytes = separator(at))) {
            byte = '.';
            is_parted = true;
        } else if (!bytes) {
            byte = *at;
            bytes = 1;
        }
        buf__append_byte(text, (uint8_t)byte);
        at += bytes;
    }
    if (!is_parted || memchr(text->data + from, '\0', text->length_bytes - from))
        text->length_bytes = from;
}
