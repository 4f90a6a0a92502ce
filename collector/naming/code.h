// Code that frames lie in, as the keeper of samples sees it: a binary of the store, and whom to ask for names.
#ifndef HEARTH_COLLECTOR_NAMING_CODE_H
#define HEARTH_COLLECTOR_NAMING_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "store/store_types.h"

struct binary;
struct guest_codes;
struct process;

struct code {
    enum store_binary_kind kind;
    const char *path;        // as the store has it
    const uint8_t *build_id; // NULL: none
    size_t build_id_bytes;
    uint64_t digest;
    uint32_t number;                  // among the code of this kind, for as long as the recording lasts
    uint64_t start;                   // of a frame's address, when its place in the code is 0
    const struct binary *binary;      // where it has a file, or NULL
    const struct guest_codes *guests; // of functions of guests: who knows their names
    const struct process *process;    // whose it is, where it is one process's own, or NULL
};

#endif
