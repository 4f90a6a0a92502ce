// Profiles that other tools wrote, as hearth's own: an importer reads one format into a `struct foreign`. The list is
// imports.def; the first importer that knows the bytes takes them.
#ifndef HEARTH_REPORT_IMPORTS_IMPORT_H
#define HEARTH_REPORT_IMPORTS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/imports/foreign.h"
#include "store/base/fault.h"

// All of a file, inflated where it was gzip. A NUL byte follows the last one.
struct import_file {
    const char *path; // for messages
    char *bytes;      // an importer may change them
    size_t length;
    uint64_t changed_ns; // when it was written (CLOCK_REALTIME): the time of profiles that tell none
};

struct import {
    const char *name; // for messages and help: "folded stacks"
    bool (*knows)(const struct import_file *file);
    // -EBADMSG with a fault that says where, -ENOMEM, or an error of `foreign`.
    int (*read)(struct import_file *file, struct foreign *foreign, struct fault *fault);
};

#define IMPORT(name) extern const struct import import_##name;
#include "report/imports/imports.def"
#undef IMPORT

#endif
