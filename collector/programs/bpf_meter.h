// How long hearth's BPF programs run, by the kernel's run time statistics, which cost two clock reads a run, of every
// BPF program on the machine: as much as a histogram's program itself takes. So they are on without a break only while
// the programs run seldom; else now and then, and what was not measured is taken to have been like what was:
//
//   on    |########|                  |#|                  |#|            |#|
//   runs   40,000/s  then every 50 ms       100 ms ...          400 ms    a window of 10 ms
//
// One thread.
#ifndef HEARTH_COLLECTOR_PROGRAMS_BPF_METER_H
#define HEARTH_COLLECTOR_PROGRAMS_BPF_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/cleanup.h"

struct bpf_meter;

int bpf_meter__new(struct bpf_meter **ret_meter);
void bpf_meter__free(struct bpf_meter *meter);

// Counts a program too, from now on; its descriptor is borrowed. More than 64 are not counted.
void bpf_meter__add(struct bpf_meter *meter, int program_fd);
// Counts this program no more; its time so far stays in the sums. Called before the descriptor is closed.
void bpf_meter__remove(struct bpf_meter *meter, int program_fd);
// The programs have been attached: begins. Where the kernel has no statistics (before 5.8), everything stays 0.
void bpf_meter__start(struct bpf_meter *meter);

// Readable when bpf_meter__tick() wants to be called.
int bpf_meter__fd(const struct bpf_meter *meter);
void bpf_meter__tick(struct bpf_meter *meter);

// The programs are about to be detached: what passed since the last window was like it.
void bpf_meter__stop(struct bpf_meter *meter);

// Run time of all programs since the start; never less than it was.
uint64_t bpf_meter__ns(struct bpf_meter *meter);
// Runs of these programs that the kernel left out since they were loaded, because a BPF program, hearth's or another's,
// ran on that CPU: bpf_prog_info.recursion_misses (Linux 5.12; 0 before). The kernel does not count those of perf
// events. Cost: a system call a program.
uint64_t bpf_meter__misses(const struct bpf_meter *meter);
// How many runs one that was measured stands for: 1 where all were measured.
double bpf_meter__scale(const struct bpf_meter *meter);

// Turns the statistics on for as long as the descriptor is open; -1 with errno: not to be had.
int bpf_statistics__open(void);

DEFINE_CLEANUP(struct bpf_meter *, bpf_meter__free);

#endif
