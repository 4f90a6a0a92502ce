// Any bytes as what a runtime left for profilers: the first says of which kind.
#include <sys/mman.h>
#include <unistd.h>

#include "symbolizer/jit/jit_dump.h"
#include "symbolizer/jit/perf_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const uint64_t addresses[] = {0x1000, 0x1010, 0x2000, 0x2100, 0x1000, 0, UINT64_MAX};
    enum { COUNT = sizeof(addresses) / sizeof(addresses[0]) };
    struct jit_frame frames[COUNT] = {0};
    struct jit_search search = {.addresses = addresses, .count = COUNT, .frames = frames, .is_last = bytes % 2};
    uint64_t end = 0;
    int fd = bytes > 1 ? memfd_create("fuzz", MFD_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    if (write(fd, data + 1, bytes - 1) == (ssize_t)bytes - 1)
        for (int reading = 0; reading < 2; reading++) { // the second from where the first has ended
            if (data[0] % 2)
                jit_dump__find(fd, &search, &end);
            else
                perf_map__find(fd, &search, &end);
            search.from = end;
        }
    for (size_t i = 0; i < COUNT; i++)
        jit_frame__release(&frames[i]);
    close(fd);
    return 0;
}
