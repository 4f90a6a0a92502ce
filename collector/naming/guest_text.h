// Characters of a guest's string, of 1, 2 or 4 bytes each as CPython keeps them, to UTF-8.
#ifndef HEARTH_COLLECTOR_NAMING_GUEST_TEXT_H
#define HEARTH_COLLECTOR_NAMING_GUEST_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/guest.h"

#define GUEST_TEXT_BYTES (2 * WIRE_GUEST_TEXT_BYTES + 8)

// A text that fills all the room of a note was cut, and ends in "...".
void guest_text__copy(const uint8_t *text, size_t bytes, uint32_t width, char ret_utf8[GUEST_TEXT_BYTES]);

#endif
