// Names for the addresses of a kernel: its own symbols (/proc/kallsyms) name everything, modules and BPF programs too;
// where debug information of the kernel or of a module is installed, lines and inlined functions come from that.
#ifndef HEARTH_SYMBOLIZER_NAMING_KERNEL_NAMING_H
#define HEARTH_SYMBOLIZER_NAMING_KERNEL_NAMING_H

#include "store/base/cleanup.h"
#include "symbolizer/naming/file_naming.h"

struct kernel_naming;

// `root` stands before /proc, /sys and the places of debug files; NULL: nothing. Borrowed. `cache_dir` keeps the
// symbols of the running kernel (symbolizer/kernel/kernel_cache.h); NULL: nothing is kept.
int kernel_naming__new(const char *root, const char *cache_dir, struct kernel_naming **ret_naming);
void kernel_naming__free(struct kernel_naming *naming);
DEFINE_CLEANUP(struct kernel_naming *, kernel_naming__free);

// Reads the symbols, if they have not been read. -EACCES, with a fault: the kernel hides its addresses.
int kernel_naming__load(struct kernel_naming *naming, struct fault *fault);

// The address of a function; the symbols must have been read. -ENOENT: there is none.
int kernel_naming__address_of(const struct kernel_naming *naming, const char *function, uint64_t *ret_address);

// Calls `take` once for each address, in any order, or fails with -ENOMEM before it did for any. `files` reads
// the debug files.
int kernel_naming__resolve(struct kernel_naming *naming, struct file_naming *files, const uint64_t *addresses,
                           size_t count, symbol_chain_fn *take, void *context);

#endif
