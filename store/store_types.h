// The nouns that a store keeps, as writers give them and readers get them.
//
//   process --< thread --< value >-- node (a stack: a path in the trie) --< frame >-- binary
//                            |                                                |
//                     interval, event                                function, file, line (a chain where inlined)
//
// All ids are small, count up from 1 and never change within a store; 0 is "none". Times are wall-clock nanoseconds
// since 1970 (CLOCK_REALTIME): the store is the edge at which monotonic time ends.
#ifndef HEARTH_STORE_STORE_TYPES_H
#define HEARTH_STORE_STORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/wide.h"

// Where a recording was made. Strings are borrowed for the call.
struct store_meta {
    const char *host;
    const char *kernel;  // uname -r
    const char *arch;    // uname -m
    const char *version; // hearth's
    const char *command; // the command line that recorded
    uint32_t cpu_count;
};

struct store_event {
    const char *name;   // "cpu", "off-cpu", "uprobe:libc:malloc": as the user spelled it
    const char *unit;   // of `value`: "samples", "ns", "bytes", "faults"
    const char *detail; // what is really counted: "cpu-clock at 99 Hz"; may be ""
    uint64_t period;    // what a sample stands for, where that is fixed (ns of CPU time per cpu sample); 0: it is not
    bool is_histogram;  // values carry a bucket: a latency or a size
    bool is_doubled;    // of a histogram: each of its values stands among the values too, with its stack
};

struct store_process {
    uint32_t pid;
    uint64_t start_ns; // wall clock; (pid, start_ns) names a process for ever
    uint32_t parent_pid;
    uint32_t uid;
    const char *comm;      // of the thread group's leader
    const char *exe;       // path as the process saw it; "" unknown
    const char *cgroup;    // path below the cgroup root; "" unknown
    const char *container; // as store/owner.h reads it from the path; ""
};

// KERNEL: the kernel and its modules: the offset is the address minus the start of the text.
// JIT: code without a file: the offset is the address, the path "[jit] PID".
// MARK: no code: a frame that says how a stack ended ("[truncated]", "[unwind: no rows]").
enum store_binary_kind {
#define FRAME_KIND(name, number, ...) STORE_BINARY_##name = number,
#include "store/frame_kinds.def"
#undef FRAME_KIND
    STORE_BINARY_COUNT,
};

#define STORE_MARK_UNKNOWN "[unknown]" // code in no mapping that is known

struct store_binary {
    enum store_binary_kind kind;
    const uint8_t *build_id; // NULL where there is none
    size_t build_id_bytes;   // at most 20
    uint64_t digest;         // tells those of one build id apart: of program headers and owner; 0: not known
    const char *path;
};

// Where a tier keeps frames by function, the offset of a frame is no address: a hash of the names of its chain, by
// which the same function is the same frame in all files. No place in a file or in memory begins with this byte.
#define STORE_FOLDED_OFFSET 0x80ull
static inline bool store_offset__is_folded(uint64_t offset)
{
    return offset >> 56 == STORE_FOLDED_OFFSET;
}

// One function of a frame's chain, innermost first: chain[0] is the innermost inlined function, the last one is the
// function the code belongs to.
struct store_line {
    const char *function; // demangled; never NULL
    const char *file;     // "" unknown
    uint32_t line;        // 0 unknown
};

// One row of an interval: how often (and how much) this thread was seen with this stack.
struct store_value {
    uint32_t event;
    uint32_t thread;
    uint32_t node;   // 0: no stack kept
    uint16_t bucket; // of a histogram event, plus 1 (see store/base/bucket.h); 0: none
    uint64_t count;
    uint64_t value; // of a bucket below 0: the magnitude; UINT64_MAX: that or more
};

// A histogram of an interval.
struct store_histogram {
    uint32_t event;
    const char *key; // the value of --by: a comm, a pid, an argument; "" where there is none
    wide sum, min, max;
    uint64_t unmatched;     // returns without an entry, entries without a return
    const uint64_t *counts; // by bucket
    size_t count_of_buckets;
};

// Something counted that went wrong: a row of bpf/wire/losses.def or of the collector's own.
struct store_loss {
    const char *name;
    uint64_t count;
};

// Full intervals: those with the ids `first` to `last` of the file whose name is `store`.
struct store_source {
    const char *store;
    uint32_t first, last;
};

// Of an interval that is a sum.
struct store_rolled {
    uint32_t tier_s; // how long it is at most
    const struct store_source *sources;
    size_t source_count;
};

// A rule of the daemon's file held from start_ns to end_ns, when more was recorded.
struct store_incident {
    uint64_t id; // end_ns in seconds, or the next that is free
    uint64_t start_ns, end_ns;
    const char *rule, *culprit, *value;
    const char *file; // in the folder `incidents`; "": none
};

struct store_interval {
    uint64_t start_ns;
    uint64_t end_ns;
    const struct store_loss *losses; // those above 0
    size_t loss_count;
    uint64_t own_cpu_ns;               // CPU time of hearth's own processes in the interval
    uint64_t own_bpf_ns;               // run time of its BPF programs; 0 where statistics are off
    uint64_t own_rss_bytes;            // of its processes; of a sum: the most
    uint64_t own_map_bytes;            // kernel memory of its BPF maps; of a sum: the most
    uint64_t own_written_bytes;        // to the store's files, since the interval before
    const struct store_rolled *rolled; // NULL: as drained; a reader gives it as NULL
};

#endif
