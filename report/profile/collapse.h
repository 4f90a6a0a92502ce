// A profile with its functions put together by binary or by source file: frames of one that follow each other are one.
//
//   by function                        by binary               by file
//   nginx;main;serve;memcpy;fault_[k]  nginx;nginx;libc.so.6;  nginx;/src/main.c;/src/serve.c;[libc.so.6];
//                                      [kernel]_[k]            [kernel]_[k]
//
// Roots and marks stay. A function whose source file is not known stands for its binary, in brackets; a frame without
// either for itself.
#ifndef HEARTH_REPORT_PROFILE_COLLAPSE_H
#define HEARTH_REPORT_PROFILE_COLLAPSE_H

#include "report/profile/profile.h"
#include "store/base/fault.h"

enum collapse_by {
    COLLAPSE_NOTHING,
    COLLAPSE_BINARY,
    COLLAPSE_FILE,
};

// The parser of an option whose target is an enum collapse_by.
int collapse__option(const char *text, void *target, struct fault *fault);

// "by binary"; "" of COLLAPSE_NOTHING.
const char *collapse__words(enum collapse_by by);

// A new profile, in time linear in the nodes. Needs labels with binaries (not names_only).
int collapse__apply(enum collapse_by by, const struct profile *profile, struct profile **ret_profile);

#endif
