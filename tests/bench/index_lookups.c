// How fast a loaded index answers:  index_lookups FILE.names [LOOKUPS]
//
// FILE is of the cache of `hearth symbolize --cache`. Random offsets of its first segment, in no order; each one is
// asked for its whole chain, and the next offset depends on the answer before, so that two look-ups never overlap in
// time.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "store/base/cleanup.h"
#include "symbolizer/index/index.h"

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t look_up(const struct index *index, uint64_t count)
{
    const struct index_segment *segment = index->segments;
    uint64_t state = 1, frames = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct index_frame chain[LIMIT_CHAIN];
        size_t length;
        state = (state + frames) * 6364136223846793005u + 1442695040888963407u;
        index__find(index, segment->file_offset + (state >> 20) % segment->bytes, false, chain, &length);
        frames += length;
    }
    return frames;
}

int main(int argc, char **argv)
{
    struct stat status;
    struct index index;
    _cleanup_fd_ int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
    void *bytes = fd >= 0 && fstat(fd, &status) == 0 ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0)
                                                     : MAP_FAILED;
    if (bytes == MAP_FAILED || count == 0) {
        fprintf(stderr, "usage: index_lookups FILE.names [LOOKUPS]\n");
        return 1;
    }
    double start_s = cpu_s();
    if (index__check(bytes, (size_t)status.st_size, INDEX_CHECKSUM, &index) != 0 ||
        index.header->tables[INDEX_SEGMENTS].count == 0) {
        fprintf(stderr, "index_lookups: '%s' is not an index, or has no code\n", argv[1]);
        return 1;
    }
    double checked_s = cpu_s();
    uint64_t frames = look_up(&index, count);
    double done_s = cpu_s();
    printf("%.1f MiB, checked in %.3f s; %.2f M look-ups/s, %.2f frames each\n", (double)status.st_size / (1 << 20),
           checked_s - start_s, (double)count / (done_s - checked_s) / 1e6, (double)frames / (double)count);
    munmap(bytes, (size_t)status.st_size);
    return 0;
}
