#include "store/directory/maintenance.h"

#include <errno.h>

#include "store/base/cleanup.h"
#include "store/directory/coverage.h"
#include "store/directory/listing.h"
#include "store/directory/rollup.h"

// Names come some time after the frames that they are of.
#define NAMING_NS (120 * 1000000000ull)

struct run {
    const struct maintenance *maintenance;
    struct maintained *done;
    struct fault *fault;
    int err; // of the first day that failed
};

static void roll_up(struct run *run, const struct listing *listing, uint32_t day, enum store_tier tier)
{
    const struct maintenance *maintenance = run->maintenance;
    struct rollup_plan plan = {.directory = maintenance->directory,
                               .day = day,
                               .tier = tier,
                               .until_ns = maintenance->now_ns > NAMING_NS ? maintenance->now_ns - NAMING_NS : 0,
                               .deadline_ns = maintenance->deadline_ns};
    struct rollup_done done = {0};
    struct fault why = {0};
    // One that is retired already is not made again.
    if ((day + 1) * DAY_NS + maintenance->limits.hours[tier] * (3600 * 1000000000ull) <= maintenance->now_ns ||
        coverage__is_whole(maintenance->directory, listing, day, tier))
        return;
    int err = rollup__day(&plan, &why, &done);
    run->done->parts += done.parts;
    run->done->sums += done.sums;
    run->done->is_stopped |= done.is_stopped;
    if (!err || err == -ENOENT || run->err)
        return;
    run->err = err;
    if (run->fault)
        *run->fault = why;
}

static void roll_up_tier(struct run *run, enum store_tier tier)
{
    _cleanup_(listing__release) struct listing listing = {0};
    int err = listing__read(run->maintenance->directory, run->err ? NULL : run->fault, &listing);
    if (err && !run->err)
        run->err = err;
    for (size_t i = 0; i < listing.count && !run->done->is_stopped; i++)
        if (i == 0 || listing.items[i].file.day != listing.items[i - 1].file.day)
            roll_up(run, &listing, listing.items[i].file.day, tier);
}

int maintenance__run(const struct maintenance *maintenance, struct fault *fault, struct maintained *ret_maintained)
{
    struct run run = {.maintenance = maintenance, .done = ret_maintained, .fault = fault};
    *ret_maintained = (struct maintained){0};
    for (enum store_tier tier = STORE_TIER_FULL + 1; tier < STORE_TIER_COUNT; tier++)
        roll_up_tier(&run, tier);
    int err = retirement__by_age(maintenance->directory, &maintenance->limits, maintenance->live, maintenance->now_ns,
                                 maintenance->deadline_ns, run.err ? NULL : fault, &ret_maintained->retired);
    return run.err ? run.err : err;
}
