// Addresses to names, for files, the kernel, JITs and whole processes. No privilege, no BPF, no SQL.
//
//   struct symbolizer *symbolizer;
//   symbolizer__new(&options, &fault, &symbolizer);
//   struct symbol_file file = {.fd = fd, .path = "/usr/bin/node", .build_id = id, .build_id_bytes = 20};
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

struct symbolizer;
struct worker;

struct symbolizer_options {
    struct worker *worker; // does the reading (worker.h); borrowed; NULL: one of its own
    bool is_quick;         // leaves what takes longer than LIMIT_QUICK_CPU_S to another symbolizer, with -EAGAIN
    bool no_inline;        // only the function the code belongs to
    const char *cache_dir; // where indexes are kept between runs; NULL: nowhere
    uint64_t cache_bytes;  // bound of the cache; 0: limits.h's
    bool no_demangle;      // names as the binary has them
    bool debuginfod;       // ask debuginfod servers for missing debug files
    // Stands before /proc, /sys and the places of debug files when a kernel is named; NULL: nothing.
    const char *kernel_root;
    // NULL: the defaults (/usr/lib/debug). Ended by NULL.
    const char *const *debug_dirs;
};

int symbolizer__new(const struct symbolizer_options *options, struct fault *fault, struct symbolizer **ret_symbolizer);
void symbolizer__free(struct symbolizer *symbolizer);

struct symbol {
    const char *function; // demangled; NULL: unknown
    const char *file;     // "" unknown
    uint32_t line;        // 0 unknown
};

// Innermost first; the last is the function the code belongs to, those before it are inlined into it. length 0: no
// name.
typedef void symbol_chain_fn(size_t index, const struct symbol *chain, size_t length, void *context);

// A file as a process saw it. The descriptor is the file; the path is only its name, and where to look for a separate
// debug file (never opened as it stands when it comes from inside another file).
struct symbol_file {
    int fd;
    int root_fd; // the root directory of the process that mapped it (its mount namespace); -1: ours
    const char *path;
    const uint8_t *build_id; // NULL: not known, or none
    size_t build_id_bytes;
    uint64_t digest; // of file_identity.h; 0: read from the file when it is needed
    bool is_patient; // however long it takes: a quick symbolizer does not leave it
};

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

// The cost and the failures of naming, since symbolizer__new.
struct symbolizer_counts {
    uint64_t jobs;       // binaries read in a worker
    uint64_t cache_hits; // indexes that were on the disk
    uint64_t failed;     // binaries without names: damaged, over their limits, or what crashed a worker
    uint64_t fallbacks;  // binaries whose debug information no reader could read whole
    uint64_t worker_cpu_us;
    uint64_t worker_peak_bytes; // of the largest
};
struct symbolizer_counts symbolizer__counts(const struct symbolizer *symbolizer);

// The build id of an ELF file (its NT_GNU_BUILD_ID note): at most 20 bytes. -ENOENT: it has none; -EBADMSG: no ELF.
int symbolizer__build_id(int fd, uint8_t ret_build_id[20], size_t *ret_bytes);

// The file offsets of a file's own addresses (as nm and objdump print them), by its program headers; UINT64_MAX where
// an address is not of the file. -EBADMSG: no ELF.
int symbolizer__file_offsets(int fd, const uint64_t *addresses, size_t count, uint64_t *ret_offsets);

#endif
