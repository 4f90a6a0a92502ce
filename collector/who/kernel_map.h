// The kernel's own code as binaries: its text, each module, and what was compiled at run time (BPF programs). Brings an
// address down to (binary, offset), so that a store means the same after a reboot.
#ifndef HEARTH_COLLECTOR_WHO_KERNEL_MAP_H
#define HEARTH_COLLECTOR_WHO_KERNEL_MAP_H

#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/store_types.h"

struct kernel_map;

struct kernel_part {
    uint64_t start, end;
    char name[64]; // "[kernel]", "[nf_tables]", "[bpf]"
    uint8_t build_id[20];
    size_t build_id_bytes;
    uint32_t number; // from 1, in the order in which they were heard of
};

// Reads /proc/modules and the start of the kernel's text. Where the kernel hides its addresses, everything is one part
// that starts at 0. -ENOMEM.
int kernel_map__new(struct kernel_map **ret_map);
void kernel_map__free(struct kernel_map *map);

// The part an address belongs to, never NULL; the offset is address minus start. Reads /proc/modules again, once, when
// an address is in none of the known modules (one was loaded since).
struct kernel_part *kernel_map__find(struct kernel_map *map, uint64_t address);

DEFINE_CLEANUP(struct kernel_map *, kernel_map__free);

#endif
