// The BPF objects, embedded into the binary by the build.
#ifndef HEARTH_COLLECTOR_PROGRAMS_EMBEDDED_H
#define HEARTH_COLLECTOR_PROGRAMS_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name; // "source_perf", of bpf/source_perf.bpf.c
    const void *start;
    const void *end;
};

extern const struct embedded embedded_objects[]; // ended by a row without a name

static inline size_t embedded__bytes(const struct embedded *object)
{
    return (size_t)((const char *)object->end - (const char *)object->start);
}

#endif
