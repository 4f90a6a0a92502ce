// Text in the cells of a terminal: how wide it is, and cut to fit.
#ifndef HEARTH_REPORT_TEXT_DISPLAY_WIDTH_H
#define HEARTH_REPORT_TEXT_DISPLAY_WIDTH_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"

// Appends clean text (text.h), cut at its end to fit into so many columns; an ellipsis sign stands for what was cut.
// Wide characters take two columns, combining ones none, by the locale's wcwidth(). is_utf8: whether the terminal shows
// UTF-8, for which the locale must be one of UTF-8; otherwise each character that is not ASCII becomes `?`, and the
// sign is `+`. Returns the columns that were used.
size_t display_width__append(struct buf *buf, const char *clean, size_t columns, bool is_utf8);

#endif
