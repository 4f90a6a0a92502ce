#include "symbolizer/jit_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "store/base/cleanup.h"
#include "symbolizer/jit_dump.h"
#include "symbolizer/perf_map.h"

// The only list of sources of JIT names.
static const struct {
    int (*open)(pid_t pid, int *ret_fd);
    int (*find)(FILE *stream, const uint64_t *addresses, size_t count, struct jit_frame *frames);
} sources[JIT_SOURCES] = {
    [JIT_SOURCE_DUMP] = {jit_dump__open, jit_dump__find},
    [JIT_SOURCE_PERF_MAP] = {perf_map__open, perf_map__find},
};

void jit_frame__release(struct jit_frame *frame)
{
    free(frame->name);
    free(frame->file);
    *frame = (struct jit_frame){0};
}

int jit_names__open(enum jit_source source, int pid, int *ret_fd)
{
    return sources[source].open(pid, ret_fd);
}

int jit_names__read(enum jit_source source, int fd, const uint64_t *addresses, size_t count, struct buf *out)
{
    _cleanup_free_ struct jit_frame *frames = calloc(count + 1, sizeof(*frames));
    _cleanup_file_ FILE *stream = fdopen(fd, "r");
    if (!frames || !stream)
        return -ENOMEM;
    int err = sources[source].find(stream, addresses, count, frames);
    for (size_t i = 0; i < count; i++) {
        buf__append_string(out, frames[i].name ? frames[i].name : "");
        buf__append_byte(out, 0);
        buf__append_string(out, frames[i].file ? frames[i].file : "");
        buf__append_byte(out, 0);
        buf__append_format(out, "%" PRIu32, frames[i].line);
        buf__append_byte(out, 0);
        jit_frame__release(&frames[i]);
    }
    return err == -ENOMEM || out->failed ? -ENOMEM : 0; // what stands before damage counts
}
