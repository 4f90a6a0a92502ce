// The kernel's types, as far as a BPF object asks for their fields: what libbpf moves the object's accesses by (CO-RE).
//
// The whole BTF of a kernel has 150,000 types in 5 MB. libbpf reads it once for each object and compares all its names
// with each type of the object: half of what it takes to load one. Here the types of an object, some 300, are cut out
// of it once in a start of the system, and kept in the cache:
//
//   CACHE/types/source_perf.types      struct kept_types, then BTF: task_struct with all its members; what a member
//                                      points to is void, since an access through a pointer begins anew
//
// With them stand the numbers of the kernel's iterators that the object has programs for (iterator_ids.h).
#ifndef HEARTH_COLLECTOR_PROGRAMS_KERNEL_TYPES_H
#define HEARTH_COLLECTOR_PROGRAMS_KERNEL_TYPES_H

#include "collector/programs/iterator_ids.h"
#include "store/base/cleanup.h"

struct kernel_types;

// folder NULL: nothing is kept. -ENOENT: the kernel does not show its types in sysfs.
int kernel_types__new(const char *folder, struct kernel_types **ret_types);
void kernel_types__free(struct kernel_types *types);
DEFINE_CLEANUP(struct kernel_types *, kernel_types__free);

// Writes the BTF for an object to a descriptor, and tells the numbers of its iterators. Cost: 0.1 ms, of the first
// object that is not in the cache 30 ms.
int kernel_types__write(struct kernel_types *types, const char *name, const struct bpf_object *object, int fd,
                        uint32_t ret_iterators[ITERATOR_IDS_MAX]);

// Gives back the memory of the kernel's whole BTF.
void kernel_types__give_back(struct kernel_types *types);

#endif
