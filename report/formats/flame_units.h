// Who ran what the flame graph's page shows: its threads, or its processes where that is too much for the page.
//
//   "roots":"comm",
//   "units":{"level":"tid","threads":["nginx-12/13",..],"processes":["nginx-12",..],"process":[0,..],"shares":BASE64}
//
// "shares" has for each thread, as varints, the row of its root, and 0 where all of that root is this thread's; else 1
// + how many rows it has a share of, and for each of them how many rows it is below the one before, and the share of
// its self.
#ifndef HEARTH_REPORT_FORMATS_FLAME_UNITS_H
#define HEARTH_REPORT_FORMATS_FLAME_UNITS_H

#include <stdio.h>

#include "report/formats/format.h"

// Of a picture whose layout was not cut. "level" is "" where even processes take more than `most_bytes`, or where
// nothing is known of them. -ENOMEM.
int flame_units__put(const struct picture *picture, const struct layout *layout, size_t most_bytes, FILE *file);

#endif
