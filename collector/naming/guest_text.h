// Texts of guests' notes, to UTF-8: characters of 1, 2 or 4 bytes each as CPython keeps them, or UTF-8 as PHP does.
#ifndef HEARTH_COLLECTOR_NAMING_GUEST_TEXT_H
#define HEARTH_COLLECTOR_NAMING_GUEST_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire/guest.h"

#define GUEST_TEXT_BYTES (2 * WIRE_GUEST_TEXT_BYTES + 8)

// A text that fills all the room of a note was cut, and ends in "...".
void guest_text__copy(const uint8_t *text, size_t bytes, uint32_t width, char ret_utf8[GUEST_TEXT_BYTES]);

#define GUEST_NAME_BYTES (2 * GUEST_TEXT_BYTES + 2)

// The name of the function: with its class before it where the note has one, and of the file where it is a file's code.
void guest_text__name(const struct wire_guest_note *note, const char *file, char ret_name[GUEST_NAME_BYTES]);

#endif
