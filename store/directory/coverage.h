// Whether a day of a tier stands in the next tier already: asked before its names and stacks are read for a roll-up.
#ifndef HEARTH_STORE_DIRECTORY_COVERAGE_H
#define HEARTH_STORE_DIRECTORY_COVERAGE_H

#include "store/directory/listing.h"

// Whether `tier` has sums of all intervals that the day's files of the tier before it hold. False where that cannot be
// told. A millisecond a file.
bool coverage__is_whole(const char *directory, const struct listing *listing, uint32_t day, enum store_tier tier);

#endif
