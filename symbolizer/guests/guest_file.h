// The parts of an ELF file that each guest reads (guests.h).
#ifndef HEARTH_SYMBOLIZER_GUESTS_GUEST_FILE_H
#define HEARTH_SYMBOLIZER_GUESTS_GUEST_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/guest.h"
#include "symbolizer/unwind/unwind_elf.h"

struct guest_found {
    struct wire_guest guest; // kind WIRE_GUEST_NONE: there is none, or `refused` says why it is not followed
    uint64_t loop;           // address of the evaluation function
    const char *refused;     // NULL: it is followed, or there is none
};

// The symbols that guests are known by, with what the file says of them.
struct guest_symbol {
    const char *name;
    uint64_t address, bytes; // 0: the file does not have it
};
// Fills in the addresses, from .dynsym, or .symtab of a file that has no other.
int guest_symbols__read(const struct unwind_elf *elf, struct guest_symbol *symbols, size_t count);

// Bytes of the file that are at an address of its code or data. -EBADMSG: not all of them are in the file.
int guest_file__read(const struct unwind_elf *elf, uint64_t address, void *bytes, size_t length);

// Fills in what was found: the guest, or why it is refused.
void guest_found__set(struct guest_found *ret_found, const struct wire_guest *guest, uint64_t loop,
                      const char *refused);

// Each guest. Returns whether the file holds it.
typedef bool guest_find_fn(const struct unwind_elf *elf, struct guest_found *ret_found);

#endif
