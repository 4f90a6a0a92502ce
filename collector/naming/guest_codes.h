// The functions of guests (bpf/wire/guest.h) by the numbers that the kernel side gives them, as its notes tell: once
// each, at the first sample, so that nobody needs to ask a process that is gone.
//
// The main thread alone reads notes; guest_codes__find() may be called from any thread. A code is never changed or
// freed before the table is.
#ifndef HEARTH_COLLECTOR_NAMING_GUEST_CODES_H
#define HEARTH_COLLECTOR_NAMING_GUEST_CODES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/guest.h"
#include "store/base/cleanup.h"

struct guest_codes;

struct guest_code {
    uint32_t kind, version, first_line, table_bytes;
    uint32_t file_number; // among the files of all codes, from 1
    bool is_hidden;       // the runtime's own, which its own tracebacks leave out
    uint64_t identity;    // of name and first line: the same in every recording; 38 bits
    const char *name, *file;
    const uint8_t *table; // of lines (symbolizer/guests/guest_lines.h)
};

// Descriptors of the maps guest_notes and guest_ids, borrowed; -1: tests tell notes themselves.
int guest_codes__new(int notes_fd, int ids_fd, struct guest_codes **ret_codes);
void guest_codes__free(struct guest_codes *codes);
DEFINE_CLEANUP(struct guest_codes *, guest_codes__free);

int guest_codes__fd(const struct guest_codes *codes); // readable when there are notes
// Takes all notes. Call it between a drain and the naming of its frames: the note of each of them has come by then.
void guest_codes__read(struct guest_codes *codes);
void guest_codes__take(struct guest_codes *codes, const struct wire_guest_note *note, size_t bytes);

// NULL: no note of that number has come, or LIMIT_GUEST_CODE_BYTES are taken.
const struct guest_code *guest_codes__find(const struct guest_codes *codes, uint32_t id);
// Notes that found no room, since the start.
uint64_t guest_codes__refused(const struct guest_codes *codes);

#endif
