#ifndef HEARTH_SYMBOLIZER_GUESTS_GUEST_PHP_H
#define HEARTH_SYMBOLIZER_GUESTS_GUEST_PHP_H

#include "symbolizer/guests/guest_file.h"

guest_find_fn guest_php__find;

#endif
