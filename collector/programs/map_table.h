// Keys and values of one BPF map, read in batches.
#ifndef HEARTH_COLLECTOR_PROGRAMS_MAP_TABLE_H
#define HEARTH_COLLECTOR_PROGRAMS_MAP_TABLE_H

#include <stddef.h>

struct map_table {
    char *keys, *values;
    size_t key_bytes, value_bytes; // set by the caller, before the first call
    size_t count, capacity;
};

void map_table__release(struct map_table *table);

// Room for so many entries. -ENOMEM.
int map_table__reserve(struct map_table *table, size_t count);

// Appends all that is in the map to the table, and empties the map. Errors are the kernel's.
int map_table__take(struct map_table *table, int map_fd);

// Reads all that is in the map in place of what the table holds.
int map_table__read(struct map_table *table, int map_fd);

#endif
