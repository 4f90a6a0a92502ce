// The collector's side of unwinding (the kernel's is bpf/unwind/unwind.bpf.h): answers for files that stacks were seen
// in.
//
//   note {file 8:1 inode 4711, mapped at 7f12..., by PID 812}
//     -> /proc/812/map_files/7f12...-7f14... -> build id -> number of the binary (collector/who/binaries.h)
//     -> its rows: published already, or from the cache on disk, or compiled -> table
//     -> files[8:1 inode 4711] = {binary, table}; the generation goes up, so that processes look again
//
// A thread of its own does that, so that no drain waits for it: 10 to 100 ms from the first sample in a file to the
// first whole stack through it. Known before the first sample are the files of the processes that were named or have
// just run, and those that many map. The files of processes that sleep, ten times as many, would cost most of the CPU
// time of a start, and few of them ever come up in a sample.
#ifndef HEARTH_COLLECTOR_UNWINDING_UNWINDER_H
#define HEARTH_COLLECTOR_UNWINDING_UNWINDER_H

#include "collector/naming/naming.h"
#include "collector/programs/loader.h"
#include "collector/who/binaries.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct unwinder;

struct unwinder_options {
    struct loader *loader; // has loaded its first object
    struct binaries *binaries;
    struct naming *naming;       // told of processes with JIT code; outlives the unwinder
    struct worker *worker;       // compiles rows (symbolizer/worker/worker.h)
    const char *cache_dir;       // of compiled rows; NULL: none
    uint64_t table_bytes_max;    // 0: LIMIT_UNWIND_TABLE_BYTES
    uint64_t guests;             // a bit for each enum wire_guest_kind whose functions are followed
    const uint32_t *first_tgids; // whose files come first; the others follow in the thread
    size_t first_tgid_count;
    bool all_files;  // also those of processes that sleep and were not named
    bool is_lowered; // the thread runs at the lowest priority
};

struct unwinder_totals {
    uint64_t table_bytes; // of kernel memory
    uint64_t tables;
    uint64_t compiled;     // files compiled, not found in the cache
    uint64_t failed;       // of those: no rows could be made
    uint64_t start_cpu_ns; // of the thread, until it was through with what ran at the start
};

int unwinder__new(const struct unwinder_options *options, struct fault *fault, struct unwinder **ret_unwinder);
void unwinder__free(struct unwinder *unwinder);

// Makes the kernel side forget the mappings it keeps of processes: one was replaced. Any thread.
void unwinder__forget_mappings(struct unwinder *unwinder);

struct unwinder_totals unwinder__totals(struct unwinder *unwinder); // any thread
uint64_t unwinder__cpu_ns(const struct unwinder *unwinder);         // of the thread, until now; any thread

DEFINE_CLEANUP(struct unwinder *, unwinder__free);

#endif
