#include "symbolizer/symbols/symbol_name.h"

#include <elf.h>
#include <errno.h>
#include <libiberty/demangle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/base/safe_text.h"
#include "symbolizer/symbols/ocaml_name.h"

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
           strncmp(name, "__R", 3) == 0 || ocaml_name__is_mangled(name);
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
    bool is_done = true;
    if (ocaml_name__is_mangled(name)) {
        ocaml_name__append(name, text);
    } else if (name[1] == 'D') {
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
    return length + safe_text__copy(name + length, out + length, out_bytes - length);
}
