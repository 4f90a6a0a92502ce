// The functions of the running kernel, by /proc/kallsyms, packed: some 4 MB for 120,000 of them.
//
//   ffffffff8104b2a0 T do_syscall_64
//   ffffffffc0a41000 t ext4_map_blocks	[ext4]        shown as "ext4_map_blocks [ext4]"
//   ffffffffc0b10f44 t bpf_prog_6deef7357e7b4530_sd	[bpf]
#ifndef HEARTH_SYMBOLIZER_KERNEL_KERNEL_SYMBOLS_H
#define HEARTH_SYMBOLIZER_KERNEL_KERNEL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "store/base/cleanup.h"

struct kernel_symbols;

// Reads a stream in the form of /proc/kallsyms. -EACCES: every address is 0, the kernel hides them.
int kernel_symbols__read(FILE *stream, struct kernel_symbols **ret_symbols);
// Reads modules and BPF programs alone, in a quarter of the time; `known` says where the kernel's own code is.
int kernel_symbols__read_late(FILE *stream, const struct kernel_symbols *known, struct kernel_symbols **ret_late);
void kernel_symbols__free(struct kernel_symbols *symbols);
DEFINE_CLEANUP(struct kernel_symbols *, kernel_symbols__free);

// The name of the function that holds an address, in `out`. -ENOENT: none.
int kernel_symbols__find(const struct kernel_symbols *symbols, uint64_t address, char *out, size_t out_bytes);

// The address of the first function of that name, without its module's. -ENOENT: none. Looks at all of them, in 2 ms.
int kernel_symbols__address_of(const struct kernel_symbols *symbols, const char *name, uint64_t *ret_address);

// Where the kernel's code begins (_text), wherever it was moved to; 0: unknown.
uint64_t kernel_symbols__text(const struct kernel_symbols *symbols);

// Whether an address is in the kernel's own code, between _text and _etext.
bool kernel_symbols__is_own(const struct kernel_symbols *symbols, uint64_t address);

// Whether the name of an address stays right as long as the kernel runs and the same modules are loaded: it is of the
// kernel's own code, or between two functions of one module. BPF programs come and go, also behind a module's last
// function. True where the extent of the kernel's own code is not known.
bool kernel_symbols__is_lasting(const struct kernel_symbols *symbols, uint64_t address);

// As a file, to be mapped again: `key` tells whose symbols they are. -ESTALE: of another key; -EBADMSG: not such a
// file.
int kernel_symbols__write(const struct kernel_symbols *symbols, uint64_t key, int fd);
int kernel_symbols__map(int fd, uint64_t key, struct kernel_symbols **ret_symbols);

#endif
