// Shared by the files of copy_unwind.h: copy_unwind.c walks frames, copy_space.c gives libunwind memory and registers.
#ifndef HEARTH_SYMBOLIZER_UNWIND_COPY_UNWIND_INSIDES_H
#define HEARTH_SYMBOLIZER_UNWIND_COPY_UNWIND_INSIDES_H

#include "store/base/id_map.h"
#include "symbolizer/unwind/copy_module.h"
#include "symbolizer/unwind/copy_unwind.h"

struct copy_unwind {
    unw_addr_space_t space;
    struct copy_pages *pages;
    struct copy_module **modules;
    size_t module_count;
    struct id_map by_binary; // -> index into modules
    struct copy_image image;

    // Of the stack at hand:
    const struct copied_stack *stack;
    uint64_t registers[ARCH_REGISTERS]; // libunwind starts from these
    struct copy_mapping mapping;        // the one looked up last; start == end: none
    struct copy_module *module;         // whose call frame information libunwind reads now
    uint64_t bias;
    bool has_no_rule;  // the step at hand found no call frame information
    bool unreadable;   // ... asked for memory that is neither in the copy nor in a file
    bool beyond_copy;  // ... above the copy's end
    uint64_t zero_at;  // ... read a zero there, and nothing after it
    bool is_uncertain; // a file's code was passed by its frame pointer, which may have skipped callers
};

// Its accessors take a struct copy_unwind. NULL: no memory.
unw_addr_space_t copy_unwind__new_space(void);

// Sets unwind->mapping to the one at an address. False: there is none.
bool copy_unwind__find_mapping(struct copy_unwind *unwind, uint64_t address);
// The module with code at an address, and what the process adds to the file's own addresses there. NULL: code without a
// file, or no memory for the module.
struct copy_module *copy_unwind__module_at(struct copy_unwind *unwind, uint64_t address, uint64_t *ret_bias);

// False: it is not all in the copy, or in a file.
bool copy_unwind__read_stack(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes);
bool copy_unwind__read_code(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes);

#endif
