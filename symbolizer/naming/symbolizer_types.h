// Questions and answers of the symbolizer, for those inside who name a file, the kernel and a JIT, and for the callers
// of symbolizer.h.
#ifndef HEARTH_SYMBOLIZER_NAMING_SYMBOLIZER_TYPES_H
#define HEARTH_SYMBOLIZER_NAMING_SYMBOLIZER_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/elf/file_identity.h"

struct worker;

struct symbolizer_options {
    struct worker *worker; // does the reading (worker.h); borrowed; NULL: one of its own
    bool is_quick;         // leaves what takes longer than LIMIT_QUICK_CPU_S to another symbolizer, with -EAGAIN
    bool no_inline;        // only the function the code belongs to
    bool by_place;         // code without a name is called by its function's place: "[sqlite3+0x9f80]"
    const char *cache_dir; // where indexes are kept between runs; NULL: nowhere
    uint64_t cache_bytes;  // bound of the cache; 0: limits.h's
    bool no_demangle;      // names as the binary has them
    bool debuginfod;       // ask debuginfod servers for missing debug files
    // Stands before /proc, /sys and the places of debug files when a kernel is named; NULL: nothing.
    const char *kernel_root;
    // NULL: the defaults (/usr/lib/debug). Ended by NULL.
    const char *const *debug_dirs;
};

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
    struct file_identity identity; // build_id_bytes 0: not known, or none; digest 0: read from the file when needed
    bool is_patient;               // however long it takes: a quick symbolizer does not leave it
};

// The cost and the failures of naming, since symbolizer__new.
struct symbolizer_counts {
    uint64_t jobs;       // binaries read in a worker
    uint64_t cache_hits; // indexes that were on the disk
    uint64_t failed;     // binaries without names: damaged, over their limits, or what crashed a worker
    uint64_t fallbacks;  // binaries whose debug information no reader could read whole
    uint64_t worker_cpu_us;
    uint64_t worker_peak_bytes; // of the largest
};
#endif
