#include "symbolizer/jit/jit_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "store/base/cleanup.h"
#include "symbolizer/jit/jit_dump.h"
#include "symbolizer/jit/perf_map.h"

// The only list of sources of JIT names.
static int (*const sources[JIT_SOURCES])(int fd, const struct jit_search *search, uint64_t *ret_end) = {
    [JIT_SOURCE_DUMP] = jit_dump__find,
    [JIT_SOURCE_PERF_MAP] = perf_map__find,
};

int jit_names__read(enum jit_source source, int fd, struct jit_search *search, struct buf *out)
{
    _cleanup_free_ struct jit_frame *frames = calloc(search->count + 1, sizeof(*frames));
    uint64_t end = search->from;
    if (!frames)
        return -ENOMEM;
    search->frames = frames;
    int err = sources[source](fd, search, &end);
    for (size_t i = 0; i < search->count; i++) {
        buf__append_string(out, frames[i].name ? frames[i].name : "");
        buf__append_byte(out, 0);
        buf__append_string(out, frames[i].file ? frames[i].file : "");
        buf__append_byte(out, 0);
        buf__append_format(out, "%" PRIu32, frames[i].line);
        buf__append_byte(out, 0);
        jit_frame__release(&frames[i]);
    }
    buf__append_format(out, "%" PRIu64, end);
    buf__append_byte(out, 0);
    return err == -ENOMEM || out->failed ? -ENOMEM : 0; // what stands before damage counts
}
