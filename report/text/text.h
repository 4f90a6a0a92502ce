// Names are data from strangers: a function may be called "</script>", a thread "x\e[2J;y". The profile cleans them
// once, when they enter it (store/base/safe_text.h); each format escapes them again for its own syntax.
#ifndef HEARTH_REPORT_TEXT_TEXT_H
#define HEARTH_REPORT_TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/buf.h"
#include "store/base/safe_text.h"
#include "store/base/wide.h"

// A name that is longer than its end.
bool text__ends_with(const char *text, const char *end);

// For clean text. Folded: `;` becomes `:`, since it parts the frames.
void text__append_folded(struct buf *buf, const char *clean);
// A quoted JSON string that may also stand in a <script>: <, >, & and U+2028, U+2029 are escaped.
void text__put_json(FILE *file, const char *clean);
// For HTML's and XML's text and attributes.
void text__put_markup(FILE *file, const char *clean);

void text__put_base64(FILE *file, const uint8_t *bytes, size_t length_bytes);

// At most `room` characters of clean text: the middle goes first, since the ends of names tell more.
void text__append_cut(struct buf *buf, const char *clean, size_t room);

// A count with units a person reads: ns as "1.24 s", bytes as "3.0 MiB", others as "12,345", whole.
#define TEXT_AMOUNT_BYTES 56
void text__amount(wide amount, const char *unit, char ret_text[TEXT_AMOUNT_BYTES]);

#endif
