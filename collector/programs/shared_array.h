// Arrays that the BPF programs and this process write and read in the same pages: maps with BPF_F_MMAPABLE.
#ifndef HEARTH_COLLECTOR_PROGRAMS_SHARED_ARRAY_H
#define HEARTH_COLLECTOR_PROGRAMS_SHARED_ARRAY_H

#include <stddef.h>

#include "bpf/wire/wire.h"
#include "collector/programs/loader.h"
#include "store/base/fault.h"

int shared_array__map(int map_fd, size_t bytes, void **ret_array);
void shared_array__unmap(void *array, size_t bytes); // NULL is fine

// The one entry of the map `control`, sizeof(struct wire_control).
int shared_array__control(const struct loader *loader, struct fault *fault, struct wire_control **ret_control);

#endif
