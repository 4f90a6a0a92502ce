// The ends of names by which hearth's own folded text ("tcp_sendmsg_[k]") and speedscope files ("tcp_sendmsg [kernel]")
// tell the kind of a frame (store/frame_kinds.def).
#ifndef HEARTH_REPORT_IMPORTS_KIND_SUFFIX_H
#define HEARTH_REPORT_IMPORTS_KIND_SUFFIX_H

#include <stdbool.h>

#include "store/store_types.h"

// Cuts the suffix off, where the name has it and more.
bool kind_suffix__cut(char *name, const char *suffix);
// Cuts the suffix of a kind off, and returns the kind; STORE_BINARY_ELF where there is none.
enum store_binary_kind kind_suffix__cut_folded(char *name);
enum store_binary_kind kind_suffix__cut_spoken(char *name);

#endif
