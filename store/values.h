// Values of an interval in their order: by event, thread, node and bucket, equal ones added up.
#ifndef HEARTH_STORE_VALUES_H
#define HEARTH_STORE_VALUES_H

#include "store/store_types.h"

// Sorts and adds up in place; returns how many are left.
size_t values__settle(struct store_value *values, size_t count);

#endif
