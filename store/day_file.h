// The names of the files of a directory: a UTC day, a tier and a number each.
//
//   2026-11-21.full.1.db    2026-11-21.1min.1.db    2026-11-21.1h.1.db
//
// A file holds intervals that began on its day. Numbers count up from 1; most days have one file a tier: another one
// begins where the last cannot be appended to. A file that was found damaged gets one more suffix, ".damaged".
#ifndef HEARTH_STORE_DAY_FILE_H
#define HEARTH_STORE_DAY_FILE_H

#include <stdbool.h>
#include <stdint.h>

enum store_tier {
#define TIER(NAME, ...) STORE_TIER_##NAME,
#include "store/tiers.def"
#undef TIER
    STORE_TIER_COUNT,
};

struct store_tier_row {
    const char *word;
    uint32_t seconds; // of an interval; 0: as drained
    uint32_t hours;   // kept, unless the daemon is told otherwise
    bool folds;
};
const struct store_tier_row *store_tier__row(enum store_tier tier);

#define DAY_FILE_NAME_BYTES 64
#define DAY_NS              (24 * 3600 * 1000000000ull)
#define DAY_FILE_DAMAGED    ".damaged"

struct day_file {
    uint32_t day; // since 1970
    enum store_tier tier;
    uint32_t number;
    bool is_damaged; // set aside
};

// False: the name of something else.
bool day_file__parse(const char *name, struct day_file *ret_file);
void day_file__name(const struct day_file *file, char ret_name[DAY_FILE_NAME_BYTES]);

#endif
