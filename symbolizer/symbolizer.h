// Addresses to names, for files, the kernel, JITs and whole processes. No privilege, no BPF, no SQL.
//
//   struct symbolizer *symbolizer;
//   symbolizer__new(&options, &fault, &symbolizer);
//   struct symbol_file file = {.fd = fd, .root_fd = -1, .path = "/usr/bin/node"};
//   symbolizer__identify(&file);
//   symbolizer__resolve_file(symbolizer, &file, offsets, count, take_chain, context);
//
// The batch is the unit: a file is opened, indexed (or its index mapped from the cache) and searched for all the
// offsets wanted of it at once. Strings in a chain live until the callback returns.
#ifndef HEARTH_SYMBOLIZER_SYMBOLIZER_H
#define HEARTH_SYMBOLIZER_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/fault.h"
#include "symbolizer/naming/symbolizer_types.h"

struct symbolizer;

int symbolizer__new(const struct symbolizer_options *options, struct fault *fault, struct symbolizer **ret_symbolizer);
void symbolizer__free(struct symbolizer *symbolizer);

// Names `count` offsets of the file, in any order; calls `take` once for each, with its index, in the order of the
// file, so that those with one answer follow each other; within one call, equal pointers mean equal strings. A damaged
// or hostile file costs its own names only: every offset then has an empty chain, and the result is the reason
// (-EBADMSG, -ETIMEDOUT...). -EAGAIN, of a quick symbolizer: nothing was taken.
int symbolizer__resolve_file(struct symbolizer *symbolizer, const struct symbol_file *file, const uint64_t *offsets,
                             size_t count, symbol_chain_fn *take, void *context);

// The vDSO, by offsets into its image: it is the same for all 64-bit processes of a kernel, so our own is read.
int symbolizer__resolve_vdso(struct symbolizer *symbolizer, const uint64_t *offsets, size_t count,
                             symbol_chain_fn *take, void *context);

// Kernel addresses, by /proc/kallsyms (module names are appended as " [module]"), BPF programs included; with lines and
// inlined functions where debug information of the running kernel (vmlinux) or of the module is installed here.
// -EACCES with a fault when the kernel hides its addresses (kptr_restrict).
int symbolizer__resolve_kernel(struct symbolizer *symbolizer, const uint64_t *addresses, size_t count,
                               symbol_chain_fn *take, void *context, struct fault *fault);

// The address of a function of the kernel, the first of that name. -ENOENT: there is none.
int symbolizer__kernel_address(struct symbolizer *symbolizer, const char *function, uint64_t *ret_address);

// Addresses of JIT code in a process, by its perf map (/tmp/perf-PID.map as that process sees it) or jitdump.
int symbolizer__resolve_jit(struct symbolizer *symbolizer, pid_t pid, const uint64_t *addresses, size_t count,
                            symbol_chain_fn *take, void *context);

// Lines of places in the code of guests, read in a worker (worker__lines() of symbolizer/worker/worker.h). -ENOTSUP:
// the symbolizer has been given none.
int symbolizer__guest_lines(struct symbolizer *symbolizer, const void *places, size_t length, size_t count,
                            uint32_t *ret_lines);

struct symbolizer_counts symbolizer__counts(const struct symbolizer *symbolizer);

// Fills in the identity of an opened file, as far as it has one.
void symbolizer__identify(struct symbol_file *file);

// The file offsets of a file's own addresses (as nm and objdump print them), by its program headers; UINT64_MAX where
// an address is not of the file. -EBADMSG: no ELF.
int symbolizer__file_offsets(int fd, const uint64_t *addresses, size_t count, uint64_t *ret_offsets);

#endif
