// Any bytes as what a runtime left for profilers: the first says of which kind.
#include <stdio.h>

#include "symbolizer/jit_dump.h"
#include "symbolizer/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const uint64_t addresses[] = {0x1000, 0x1010, 0x2000, 0x2100, 0x1000, 0, UINT64_MAX};
    enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };
    struct jit_frame frames[COUNT] = {0};
    FILE *stream = bytes > 1 ? fmemopen((void *)(data + 1), bytes - 1, "r") : NULL; // NOLINT: no descriptor
    if (!stream)
        return 0;
    if (data[0] % 2)
        jit_dump__find(stream, addresses, COUNT, frames);
    else
        perf_map__find(stream, addresses, COUNT, frames);
    for (size_t i = 0; i < COUNT; i++)
        jit_frame__release(&frames[i]);
    fclose(stream);
    return 0;
}
