// One binary as the unwinder of copied stacks needs it: its bytes by address, and the call frame information for an
// instruction, handed to libunwind.
//
// Where the file has a search table (.eh_frame_hdr), libunwind reads it and .eh_frame itself, straight from the file
// through a small cache of pages. Code that this does not know is looked up in an index made once of .debug_frame, and
// of .eh_frame where there is no search table; what is found is handed over as a table of one entry.
//
// Files are read with pread: one that is truncated meanwhile costs its own frames. Addresses are the file's own; `bias`
// is what the process adds to them.
#ifndef HEARTH_SYMBOLIZER_UNWIND_COPY_MODULE_H
#define HEARTH_SYMBOLIZER_UNWIND_COPY_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libunwind.h>

#include "bpf/wire/unwind_rows.h"
#include "store/base/cleanup.h"

struct copy_pages; // the cache, shared by all modules of an unwinder
int copy_pages__new(struct copy_pages **ret_pages);
void copy_pages__free(struct copy_pages *pages);

struct copy_module;

// fd >= 0, borrowed and open as long as the module is; or an image in memory, borrowed. A file that is no 64-bit ELF is
// no error: nothing is known of it.
int copy_module__new(int fd, const void *image, size_t image_bytes, struct copy_pages *pages,
                     struct copy_module **ret_module);
void copy_module__free(struct copy_module *module);
DEFINE_CLEANUP(struct copy_module *, copy_module__free);

// The address of code at an offset in the file; false: that is no code.
bool copy_module__address_of(const struct copy_module *module, uint64_t file_offset, uint64_t *ret_address);

// Copies file contents that are mapped at an address; false where the file has none there.
bool copy_module__read(struct copy_module *module, uint64_t address, void *to, size_t bytes);

// Whether the code is that of the program's entry point, which nobody has called.
bool copy_module__is_entry(const struct copy_module *module, uint64_t address);

// The rule for a call to another stack, whatever its call frame information says (unwind_go.h); false: it is none.
bool copy_module__switch_rule(const struct copy_module *module, uint64_t address, struct unwind_rule *ret_rule);

// An entry of the index that libunwind is reading, at an address where nothing else is.
struct copy_image {
    uint64_t start;
    uint8_t *bytes;
    size_t length_bytes, capacity_bytes;
};

// As libunwind's find_proc_info: 0 or one of its negative errors. `image` is overwritten where the index is asked; its
// place avoids [avoid_start, avoid_end).
int copy_module__find(struct copy_module *module, unw_addr_space_t space, uint64_t ip, uint64_t bias,
                      struct copy_image *image, uint64_t avoid_start, uint64_t avoid_end, unw_proc_info_t *ret_info,
                      int need_unwind_info, void *argument);

#endif
