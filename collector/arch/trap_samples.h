// Functions that begin with one instruction of each kind that a uprobe treats in a way of its own, to measure its cost
// there (collector/probes/trap.h).
#ifndef HEARTH_COLLECTOR_ARCH_TRAP_SAMPLES_H
#define HEARTH_COLLECTOR_ARCH_TRAP_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

struct trap_sample {
    bool (*begins)(const uint8_t *code); // whether code begins with that kind; NULL: with any other, in the last row
    void (*function)(void);
};

#define TRAP_SAMPLES 5
extern const struct trap_sample trap_samples[TRAP_SAMPLES];

#endif
