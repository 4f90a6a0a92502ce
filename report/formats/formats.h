// The list of formats (formats.def).
#ifndef HEARTH_REPORT_FORMATS_FORMATS_H
#define HEARTH_REPORT_FORMATS_FORMATS_H

#include "report/formats/format.h"
#include "store/base/fault.h"

extern const struct format *const formats[]; // ended by NULL

// NULL when there is none; names only (formats__named) or by how the file's name ends, the longest suffix first.
const struct format *formats__named(const char *name);
const struct format *formats__of_file(const char *path);
// -EINVAL and EXIT_CODE_USAGE, with the names there are, or the one that is near.
int formats__unknown(const char *name, struct fault *fault);

#endif
