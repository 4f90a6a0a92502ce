// The losses in the intervals of a report, added up by name, in the order in which it was first met.
#ifndef HEARTH_REPORT_PROFILE_LOSS_LIST_H
#define HEARTH_REPORT_PROFILE_LOSS_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "store/reader/reader.h"

struct loss_sum {
    char *name; // clean
    uint64_t count;
};

struct loss_list {
    struct loss_sum *sums;
    size_t count;
    uint64_t own_cpu_ns, own_bpf_ns; // what hearth itself cost
    uint64_t interval_count;
};

int loss_list__add(struct loss_list *list, const struct store_interval *interval);
void loss_list__release(struct loss_list *list);

// "stack-cut 12, counts-full 3"; "" when nothing was lost. Cut with "..." where it is too long.
void loss_list__print(const struct loss_list *list, char *ret_text, size_t size);
// How much was lost of that name.
uint64_t loss_list__count(const struct loss_list *list, const char *name);
// The meaning of a loss, in words; "" for a name that only a newer hearth knows.
const char *loss_list__meaning(const char *name);

#endif
