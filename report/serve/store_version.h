// A number that changes with each write to a store: of names, sizes and times of its files, which are not opened.
#ifndef HEARTH_REPORT_SERVE_STORE_VERSION_H
#define HEARTH_REPORT_SERVE_STORE_VERSION_H

#include <stdint.h>

uint64_t store_version__of(const char *store);

#endif
