#ifndef HEARTH_SYMBOLIZER_GUESTS_GUEST_CPYTHON_H
#define HEARTH_SYMBOLIZER_GUESTS_GUEST_CPYTHON_H

#include "symbolizer/guests/guest_file.h"

guest_find_fn guest_cpython__find;

#endif
