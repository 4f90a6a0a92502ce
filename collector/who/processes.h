// The processes of the machine as far as perf's records and /proc tell: names, lifetimes, mappings. Used to name those
// who were sampled and to bring raw addresses of their stacks down to (binary, file offset).
//
// A process is named by its PID and the time it started (CLOCK_BOOTTIME); both sides measure that time a little
// differently, so it matches within START_TOLERANCE_NS. One that has exited is kept until the next drain is over.
#ifndef HEARTH_COLLECTOR_WHO_PROCESSES_H
#define HEARTH_COLLECTOR_WHO_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/who/binaries.h"
#include "collector/who/mappings.h"
#include "store/base/cleanup.h"

struct process {
    uint32_t tgid;
    bool sampled; // else it is only heard of
    uint32_t parent;
    uint32_t forked_from; // its parent, while both run the same program: until it executes one; 0: not known
    uint32_t uid;         // as its samples tell
    uint64_t start_boot_ns;
    uint64_t placed_in_drain; // the number of the drain that last had a sample with its control group
    uint32_t place_rank;      // of that group (collector/keep/keeper.c)
    char comm[16];
    char *exe;    // NULL: not known
    bool learned; // mappings are complete: from /proc, or seen since its exec
    bool exited;
    bool exec_pending;     // the next mapping is its executable
    bool overfull;         // a mapping had no room: the process is to be learned again
    bool has_most;         // of mappings, by /proc: to learn them again is no help
    uint64_t losses_known; // the last loss of records after which it was learned
    struct mappings mappings;
    struct mappings before_exec; // as they were before the exec of this interval
    struct process *next;        // with the same tgid, older
};

struct processes;

int processes__new(struct binaries *binaries, struct processes **ret_processes);
void processes__free(struct processes *processes);

// Only these processes will be asked about, and where `follow_forks`, their descendants: no others are kept. -ENOMEM.
int processes__choose(struct processes *processes, uint32_t tgid, bool follow_forks);

// From perf's records, in the order of time.
void processes__on_fork(struct processes *processes, uint32_t tgid, uint32_t parent, uint64_t start_boot_ns);
void processes__on_comm(struct processes *processes, uint32_t tgid, bool leader, const char *comm, bool exec);
void processes__on_mmap(struct processes *processes, uint32_t tgid, uint64_t start, uint64_t length,
                        uint64_t file_offset, const struct binary_identity *identity);
void processes__on_exit(struct processes *processes, uint32_t tgid);
// The kernel had no room for records: any process may have mapped, executed or exited since. Each that is sampled from
// here on is read from /proc once more, and the next processes__forget_exited() looks which of them are gone. Cost:
// some 20 us and 1 us a mapping for each process, once after each loss.
void processes__on_lost(struct processes *processes);

// The process that was sampled; read from /proc when no record told of it. NULL: out of memory, or so many have been
// sampled that the table is full. Those only heard of take no room from them.
struct process *processes__get(struct processes *processes, uint32_t tgid, uint64_t start_boot_ns);

// The mapping that holds an address; NULL: none that is known.
const struct mapping *process__find(struct processes *processes, struct process *process, uint64_t address);

// Frees what has exited: a drain is over, and nothing in the kernel speaks of it any more.
void processes__forget_exited(struct processes *processes);
// Whether so many are only heard of that a drain would better come now.
bool processes__is_crowded(const struct processes *processes);

// How often a mapping took the place of another one, or may have while records were lost: it grows when one does.
// (dlclose and dlopen, mostly.)
uint64_t processes__replaced(const struct processes *processes);

DEFINE_CLEANUP(struct processes *, processes__free);

#endif
