// Threads that wait when the recording begins, and still do: nobody has seen them leave the CPU. Two steps, for the
// first is for every kernel and the second is not:
//
//   begin iterator of a source   each such thread's wait begins now; its user stack has an id of its own, and is for
//   now
//                                a chunk without frames, "[waiting since before]"
//   early_waits.bpf.c            copies the top of the thread's stack and unwinds it: the chunk with that id has its
//                                frames then. Run by the collector at the begin, and before each drain for those whose
//                                binaries had no rows yet
#ifndef HEARTH_BPF_EARLY_H
#define HEARTH_BPF_EARLY_H

#include "bpf/sample.bpf.h"

#define EARLY_THREADS_MAX 16384 // above: the thread's stack stays unknown
#define EARLY_TRIES       4     // rows are not there at the first; what has none at the fourth is not asked again

struct early_wait {
    __u64 start_boot_ns; // with its id it names the thread for ever
    __u64 switches;      // another number: the wait is over
    __u64 tries;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, EARLY_THREADS_MAX);
    __type(key, __u32);
    __type(value, struct early_wait);
} early_waits SEC(".maps");

static __always_inline __u64 early__switches(const struct task_struct *task)
{
    const volatile struct task_struct *now = task;
    return now->nvcsw + now->nivcsw;
}

// The same for all events of a recording. The collector does not follow it into the kernel's sets by its contents.
static __always_inline __u64 early__stack_id(const struct task_struct *task, __u64 switches)
{
    __u64 id = mix(mix(config.stack_seed ^ task->pid) ^ mix(task->start_boottime) ^ switches);
    return id <= WIRE_STACK_LOST ? id + 2 : id;
}

#endif
