// How a program may break when the return of one of its functions is probed. The kernel puts the address of a
// trampoline where the function's return address was (uretprobes); code that looks for the real one there does not find
// it.
#ifndef HEARTH_COLLECTOR_PROBES_RETURN_HAZARD_H
#define HEARTH_COLLECTOR_PROBES_RETURN_HAZARD_H

#include "symbolizer/elf/elf_file.h"

enum return_hazard {
    RETURN_SAFE,
    RETURN_GO,     // Go's runtime reads the return addresses of a stack that it moves: the program ends
    RETURN_THROWS, // C++ exceptions and Rust's panics read them when one is thrown through the function: the program
                   // ends
};

enum return_hazard return_hazard__of(struct elf_file *file);

#endif
