// The USDT probes of an ELF file, from its .note.stapsdt: one note a place in the code.
//
//   {"hearth_test", "begin", "8@%rbx", .address = 0x1407, .semaphore = 0x4012}
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_USDT_NOTES_H
#define HEARTH_SYMBOLIZER_SYMBOLS_USDT_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "symbolizer/elf/elf_file.h"

struct usdt_note { // strings live as long as the file
    const char *provider, *name, *arguments;
    uint64_t address;   // as the file is linked now (prelink moves what the note says)
    uint64_t semaphore; // 0: the probe has none
};

// Calls `row` for every note; a result that is not 0 ends the walk. -ENOENT: the file has no USDT probes.
int usdt_notes__each(struct elf_file *file, int (*row)(const struct usdt_note *note, void *context), void *context);

#endif
