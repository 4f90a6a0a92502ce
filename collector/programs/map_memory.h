// The kernel memory of a BPF map. Since Linux 6.4 the kernel counts what is allocated now (bpf_map_memory_usage());
// before, what a full map would take.
#ifndef HEARTH_COLLECTOR_PROGRAMS_MAP_MEMORY_H
#define HEARTH_COLLECTOR_PROGRAMS_MAP_MEMORY_H

#include <stdint.h>

// 0 where the kernel does not say. A read of /proc/self/fdinfo.
uint64_t map_memory__bytes(int fd);

#endif
