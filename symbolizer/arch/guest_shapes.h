// Shapes in the code of interpreters (symbolizer/guests/guests.h).
#ifndef HEARTH_SYMBOLIZER_ARCH_GUEST_SHAPES_H
#define HEARTH_SYMBOLIZER_ARCH_GUEST_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A conditional jump that begins there, with a distance of 4 bytes: as compilers jump from a function to its cold part.
// ret_distance: from `code` to where it leads.
bool guest_shapes__is_far_jump(const uint8_t *code, size_t bytes, int64_t *ret_distance);

// The first argument of the call at the end of a short function: a variable, or its address. `base` is the variable
// that a register may hold instead of an address in the code. False: nothing of the kind is there.
struct guest_argument {
    uint64_t address;
    bool is_value; // the argument is what stands at the address
};
bool guest_shapes__argument(const uint8_t *code, size_t bytes, uint64_t address, uint64_t base,
                            struct guest_argument *ret_argument);

#endif
