#include "collector/programs/map_memory.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/base/cleanup.h"

uint64_t map_memory__bytes(int fd)
{
    char path[64], line[128];
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    _cleanup_file_ FILE *file = fd < 0 ? NULL : fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "memlock: %" SCNu64, &bytes) == 1)
            break;
    return bytes;
}
