// Text of strangers on its way to a terminal: names of threads, files, functions and probes, given by a program, a
// store or a user. Everything that hearth prints goes through here: its lines on stderr (store/base/fault.h), its lists
// (safe_text__print), and names on their way into a report (safe_text__append).
//
//   "a\033[31mb\nc"   is shown as   a\x1b[31mb\x0ac
//
// Control characters (C0, DEL, and C1, which are commands to a terminal too) and bytes that are no UTF-8 become \xNN;
// line separators and the marks that turn the direction of text, by which a name looks like another one, become \uNNNN.
// The result is one line of valid UTF-8 that a terminal only prints.
#ifndef HEARTH_STORE_BASE_SAFE_TEXT_H
#define HEARTH_STORE_BASE_SAFE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/buf.h"

void safe_text__append(struct buf *buf, const char *text);

// A copy of its own, to be freed. NULL: no memory.
char *safe_text__dup(const char *text);

// Into `out`, ended by a NUL and cut to fit, but not within a character or an escape. Returns the length.
size_t safe_text__copy(const char *text, char *out, size_t out_bytes);

// One line, with a newline behind it; newlines in the arguments are escaped.
void safe_text__print(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The code point at *at, which moves behind it; -EILSEQ for a byte that is no UTF-8 (then *at moves by one).
int32_t safe_text__next(const char **at);

#endif
