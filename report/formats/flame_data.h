// The data of the flame graph's page, a JSON object. Its labels are columns (a name each, a letter for the kind: see
// store/frame_kinds.def); "sums" has self and total of each, also of what is too light to be drawn: varints, in base64.
// The nodes, depth first, are three varints each (levels up from where a child of the node before would be, label,
// self), in base64: about 5 bytes a node. A difference has a fourth one, the self before; its sums are self and total
// before, then after, and "ps" has the probabilities of both changes by chance (-1: nothing to test).
#ifndef HEARTH_REPORT_FORMATS_FLAME_DATA_H
#define HEARTH_REPORT_FORMATS_FLAME_DATA_H

#include <stdio.h>

#include "report/formats/format.h"

int flame_data__put(const struct picture *picture, FILE *file);

#endif
