// From a store to a profile: the rows that a query asks for, folded by comm (or thread) and by function.
#ifndef HEARTH_REPORT_PROFILE_FOLD_H
#define HEARTH_REPORT_PROFILE_FOLD_H

#include "report/profile/profile.h"
#include "store/reader/reader.h"

// When the intervals that had rows began and ended, and how many rows they had; zeroes when none had.
struct fold_extent {
    uint64_t since_ns, until_ns;
    uint64_t rows;
    bool is_folded; // some stacks were kept by function, without addresses and lines
};

void fold_extent__widen(struct fold_extent *extent, const struct store_interval *interval);

// Adds what the query asks of the store to one side (0 or 1) of the profile. Labels are copied: the reader may go.
// Memory besides the profile: 24 bytes for each distinct pair of root and stack, 8 a node of the trie, 4 a frame.
// -E2BIG: a profile by thread would have more than LIMIT_FLAME_THREAD_STACKS pairs; it has nothing of the store.
int fold__store(struct profile *profile, unsigned side, struct store_reader *reader, const struct store_query *query,
                struct fault *fault, struct fold_extent *ret_extent);

#endif
