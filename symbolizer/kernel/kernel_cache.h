// The symbols of the running kernel, kept from one recording to the next: to read /proc/kallsyms anew takes 0.1 s, as
// the kernel unpacks and prints each of 120,000 names. One file in the folder of names, "kernel.symbols", readable by
// its owner alone, since the kernel shows these addresses to root only.
//
// They are used only where /proc/kallsyms shows this process its addresses, and only for the same start of the system
// and the same modules at the same addresses.
#ifndef HEARTH_SYMBOLIZER_KERNEL_KERNEL_CACHE_H
#define HEARTH_SYMBOLIZER_KERNEL_KERNEL_CACHE_H

#include "symbolizer/kernel/kernel_symbols.h"

// -ENOENT: none are kept, or they are another kernel's, or the kernel hides its addresses, or others may write into the
// folder.
int kernel_cache__load(const char *folder, struct kernel_symbols **ret_symbols);

// Keeps what has just been read; where that cannot be, nothing is kept.
void kernel_cache__save(const char *folder, const struct kernel_symbols *symbols);

#endif
