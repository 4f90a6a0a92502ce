#include "collector/programs/fill.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/programs/shared_array.h"

// A drain takes some 20 ms and more; what comes meanwhile goes to the other set, whose maps are empty.
enum { MARK_PCT = 75 };

struct fill {
    const struct wire_config *config;
    struct wire_control *control; // shared with the programs
    struct ring_buffer *asked;
};

static uint32_t mark_of(uint32_t bound)
{
    return (uint32_t)((uint64_t)bound * MARK_PCT / 100);
}

void fill__mark(const struct loader_bounds *bounds, struct wire_config *config)
{
    config->drain_at[WIRE_FILL_COUNTS] = mark_of(bounds->counts);
    config->drain_at[WIRE_FILL_STACKS] = mark_of(bounds->stacks);
    config->drain_at[WIRE_FILL_HISTS] = mark_of(bounds->hists);
}

static int ignore(void *context, void *data, size_t bytes)
{
    (void)context, (void)data, (void)bytes;
    return 0;
}

int fill__new(const struct loader *loader, const struct wire_config *config, struct fault *fault,
              struct fill **ret_fill)
{
    _cleanup_(fill__freep) struct fill *fill = calloc(1, sizeof(*fill));
    if (!fill)
        return fault__set(fault, -ENOMEM, "out of memory");
    fill->config = config;
    int err = shared_array__control(loader, fault, &fill->control);
    if (err)
        return err;
    fill->asked = ring_buffer__new(loader__map_fd(loader, "hurry"), ignore, NULL, NULL);
    if (!fill->asked)
        return fault__set(fault, -errno, "cannot read the ring buffer 'hurry' of the programs: %s", strerror(errno));
    *ret_fill = take_pointer(fill);
    return 0;
}

void fill__free(struct fill *fill)
{
    if (!fill)
        return;
    ring_buffer__free(fill->asked);
    shared_array__unmap(fill->control, sizeof(*fill->control));
    free(fill);
}

int fill__fd(const struct fill *fill)
{
    return ring_buffer__epoll_fd(fill->asked);
}

bool fill__take(struct fill *fill)
{
    uint32_t active = __atomic_load_n(&fill->control->flips, __ATOMIC_RELAXED) & 1;
    bool is_at_mark = false;
    ring_buffer__consume(fill->asked);
    for (size_t map = 0; map < WIRE_FILL_MAPS; map++) {
        uint32_t mark = fill->config->drain_at[map];
        uint32_t filled = __atomic_load_n(&fill->control->filled[active][map], __ATOMIC_RELAXED);
        is_at_mark = is_at_mark || (mark && filled >= mark);
    }
    return is_at_mark;
}

void fill__clear(struct fill *fill, uint32_t set)
{
    for (size_t map = 0; map < WIRE_FILL_MAPS; map++)
        __atomic_store_n(&fill->control->filled[set & 1][map], 0, __ATOMIC_RELAXED);
}
