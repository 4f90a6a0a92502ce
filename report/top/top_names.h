// The names of rows, and the ids by which they are found again.
#ifndef HEARTH_REPORT_TOP_TOP_NAMES_H
#define HEARTH_REPORT_TOP_TOP_NAMES_H

#include <stdint.h>

#include "report/profile/profile.h"

// To be freed; NULL: no memory.
char *top_names__of_label(const struct label *label);
// "memcpy < serve < main", without its root, cut at its end beyond some hundred bytes: no screen is wider.
char *top_names__of_stack(const struct profile *profile, uint32_t node);
// The name of the stack's root, of the profile.
const char *top_names__root_of(const struct profile *profile, uint32_t node);

// Equal for equal names, in whatever profile; never 0.
uint64_t top_names__id_of_label(const struct label *label);
uint64_t top_names__id_of_stack(const struct profile *profile, uint32_t node);

#endif
