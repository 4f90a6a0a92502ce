// Which of several names of one address is shown, and names made readable.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_NAME_H
#define HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"

// The rule for aliases: GLOBAL before WEAK before LOCAL, then fewest leading underscores, then the shortest, then by
// the alphabet, so that two runs agree. `binding` is that of st_info. True: a is shown rather than b.
bool symbol_name__is_better(uint8_t a_binding, const char *a, uint8_t b_binding, const char *b);

// True for names that a demangler may know: the only ones worth asking it about.
bool symbol_name__is_mangled(const char *name);

// C++, Rust (legacy and v0), D and OCaml. *ret_name is yours; -ENOENT: not a mangled name, show it as it is.
int symbol_name__demangle(const char *name, char **ret_name);
// The same, appended without a NUL; nothing where it stays as it is.
void symbol_name__append_demangled(const char *name, struct buf *text);

// safe_text__copy(), made fast for names, nearly all of which are plain.
size_t symbol_name__escape(const char *name, char *out, size_t out_bytes);

// Whether that would change nothing, as of all but the odd name. False also for some that are not ASCII.
bool symbol_name__is_plain(const char *name, size_t length);

#endif
