#include "symbolizer/symbol_name.h"

#include <elf.h>
#include <errno.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

static int binding_rank(uint8_t binding)
{
    return binding == STB_GLOBAL || binding == STB_GNU_UNIQUE ? 0 : binding == STB_WEAK ? 1 : 2;
}

bool symbol_name__is_better(uint8_t a_binding, const char *a, uint8_t b_binding, const char *b)
{
    int a_rank = binding_rank(a_binding), b_rank = binding_rank(b_binding);
    if (a_rank != b_rank)
        return a_rank < b_rank;
    size_t a_underscores = strspn(a, "_"), b_underscores = strspn(b, "_");
    if (a_underscores != b_underscores)
        return a_underscores < b_underscores;
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length != b_length)
        return a_length < b_length;
    return strcmp(a, b) < 0;
}

bool symbol_name__is_mangled(const char *name)
{
    return (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' || name[1] == 'D')) || strncmp(name, "__Z", 3) == 0 ||
           strncmp(name, "__R", 3) == 0;
}

struct printed { // of a name in the making: a small one may demangle to a bomb
    struct buf *text;
    size_t from;
};

static void print(const char *part, size_t length, void *context)
{
    const struct printed *printed = context;
    if (printed->text->length_bytes - printed->from <= LIMIT_NAME_BYTES)
        buf__append(printed->text, part, length);
}

static bool demangle(const char *name, struct printed *printed)
{
    int options = DMGL_PARAMS | DMGL_ANSI;
    // Rust's own begin with R; those of before v0 look like C++'s and end in a hash, "17h" and 16 digits.
    if ((name[1] == 'R' || name[2] == 'R' || strstr(name, "17h")) &&
        rust_demangle_callback(name, options, print, printed)) // refuses C++; says no hashes
        return true;
    printed->text->length_bytes = printed->from;
    return cplus_demangle_v3_callback(name, options, print, printed);
}

void symbol_name__append_demangled(const char *name, struct buf *text)
{
    struct printed printed = {text, text->length_bytes};
    if (!symbol_name__is_mangled(name) || strlen(name) > LIMIT_MANGLED_BYTES)
        return;
    bool is_done;
    if (name[1] == 'D') {
        char *shown = dlang_demangle(name, DMGL_PARAMS | DMGL_ANSI);
        is_done = shown != NULL;
        if (shown)
            print(shown, strlen(shown), &printed);
        free(shown);
    } else {
        is_done = demangle(name, &printed);
    }
    if (!is_done || text->length_bytes - printed.from > LIMIT_NAME_BYTES)
        text->length_bytes = printed.from;
}

int symbol_name__demangle(const char *name, char **ret_name)
{
    _cleanup_(buf__release) struct buf text = {0};
    symbol_name__append_demangled(name, &text);
    if (text.length_bytes == 0)
        return text.failed ? -ENOMEM : -ENOENT;
    buf__append_byte(&text, 0);
    if (text.failed)
        return -ENOMEM;
    *ret_name = (char *)take_pointer(text.data);
    return 0;
}

// The length of the UTF-8 sequence at `text` that is fit to be shown, or 0.
static size_t sequence(const unsigned char *text)
{
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xc2 ? 0
                    : text[0] < 0xe0 ? 2
                    : text[0] < 0xf0 ? 3
                    : text[0] < 0xf5 ? 4
                                     : 0;
    if (length == 1)
        return text[0] >= 0x20 && text[0] != 0x7f;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if (text[0] == 0xc2 && text[1] < 0xa0) // C1 controls
        return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    // Marks that turn the direction of what follows (U+202A-202E, U+2066-2069) can forge a whole line.
    if (text[0] == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
                            (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9)))
        return 0;
    return length;
}

// The length of the plain ASCII at the start of the name, eight bytes at a time: nearly all names are nothing else. A
// byte is plain when it is in 0x20..0x7e; the sums reach the top bit of their byte exactly when it is not.
static size_t plain_prefix(const char *name, size_t length)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x80 * ones;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t word;
        memcpy(&word, name + at, 8);
        uint64_t is_low = ~((word & ~tops) + 0x60 * ones), is_delete = (word & ~tops) + ones;
        if ((word | is_low | is_delete) & tops)
            break;
    }
    while (at < length && name[at] >= 0x20 && name[at] != 0x7f)
        at++;
    return at;
}

bool symbol_name__is_plain(const char *name, size_t length)
{
    return plain_prefix(name, length) == length;
}

size_t symbol_name__escape(const char *name, char *out, size_t out_bytes)
{
    size_t length = plain_prefix(name, strnlen(name, out_bytes ? out_bytes - 1 : 0));
    memcpy(out, name, length);
    const unsigned char *at = (const unsigned char *)name + length;
    while (*at) {
        size_t bytes = sequence(at);
        if (length + (bytes ? bytes : 4) + 1 > out_bytes)
            break;
        if (bytes) {
            memcpy(out + length, at, bytes);
            length += bytes;
            at += bytes;
        } else {
            snprintf(out + length, 5, "\\x%02x", *at++);
            length += 4;
        }
    }
    if (out_bytes > 0)
        out[length] = '\0';
    return length;
}
