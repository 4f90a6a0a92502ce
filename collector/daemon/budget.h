// The rule by which the daemon keeps to what it may take of the CPUs, of memory and of the disk; without the kernel. A
// level says how much is done without:
//
//   0         nothing
//   1 to 4    all rates are halved so many times; each sample weighs more, and sums stay true
//   above     besides, so many of the optional events are not recorded
//
// Above a bound the level goes up by one, a second after the last step at the earliest. The level goes down by one
// when, for wait_ns without a break, three quarters of each bound would have been enough; wait_ns doubles each time the
// level must go up again, so that a load that comes and goes does not make the level do so.
#ifndef HEARTH_COLLECTOR_DAEMON_BUDGET_H
#define HEARTH_COLLECTOR_DAEMON_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget_bounds {
    uint64_t cpu_ppm;             // of the time of all CPUs, by processes and BPF programs; 0: no bound
    uint64_t memory_bytes;        // of processes and BPF maps; 0: no bound
    uint64_t written_bytes_a_min; // to the store; 0: no bound
};

// A sum since a time, for the mean over a least time at least: a burst that is soon over, such as a start, takes no
// step.
struct budget_window {
    uint64_t since_ns, amount;
};

struct budget {
    struct budget_bounds bounds;
    uint32_t level;
    bool was_lowered;              // the level went down since it went up last
    uint64_t stepped_ns, since_ns; // the last step; since when all of it has been below
    uint64_t wait_ns;
    struct budget_window cpu, written; // ns, bytes
};

// An interval that has ended. Times by one clock that never goes back.
struct budget_load {
    uint64_t now_ns, cpu_ns, memory_bytes, written_bytes;
    uint32_t cpu_count, level_most;
};

enum budget_reason { BUDGET_CPU, BUDGET_MEMORY, BUDGET_WRITTEN, BUDGET_ROOM };

struct budget_step {
    enum budget_reason reason; // BUDGET_ROOM: there is room again
    uint64_t amount;           // against the bound
};

void budget__begin(struct budget *budget, uint64_t now_ns);
// Other bounds: when they leave room, steps are undone one after the other without a wait.
void budget__bound(struct budget *budget, const struct budget_bounds *bounds);
// Whether the level is another one now.
bool budget__judge(struct budget *budget, const struct budget_load *load, struct budget_step *ret_step);

#endif
