#include "store/directory/retirement.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store/base/cleanup.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/directory/incidents.h"
#include "store/directory/listing.h"
#include "store/directory/rollup.h"
#include "store/directory/watermark.h"

#define HOUR_NS (3600 * 1000000000ull)

struct store_limits store_limits__default(void)
{
    struct store_limits limits = {.bytes_most = LIMIT_STORE_DIRECTORY_BYTES, .bytes_free = LIMIT_STORE_FREE_BYTES};
    for (unsigned i = 0; i < STORE_TIER_COUNT; i++)
        limits.hours[i] = store_tier__row(i)->hours;
    return limits;
}

static int remove_item(const char *directory, struct listing *listing, size_t index, struct fault *fault,
                       struct retirement *retired)
{
    struct listed *item = &listing->items[index];
    int err = listing__remove(directory, item->name);
    if (err)
        return fault__set(fault, err, "cannot remove '%s/%s': %s", directory, item->name, strerror(-err));
    retired->files++;
    retired->bytes += item->bytes;
    listing->bytes -= item->bytes < listing->bytes ? item->bytes : listing->bytes;
    memmove(item, item + 1, (--listing->count - index) * sizeof(*item));
    return 0;
}

static bool has_next_tier(const struct listing *listing, const struct day_file *file)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct day_file *other = &listing->items[i].file;
        if (other->day == file->day && other->tier == file->tier + 1 && !other->is_damaged)
            return true;
    }
    return false;
}

// How dear a file is; of equal ones, the first of the listing is the oldest.
static unsigned worth(const struct listing *listing, const struct day_file *file)
{
    if (file->is_damaged)
        return 0;
    return has_next_tier(listing, file) ? 1 + file->tier : 1 + STORE_TIER_COUNT;
}

static bool find_cheapest(const struct listing *listing, const char *live, size_t *ret_index)
{
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < listing->count; i++) {
        unsigned own = worth(listing, &listing->items[i].file);
        if (own >= least || strcmp(listing->items[i].name, live) == 0)
            continue;
        least = own;
        *ret_index = i;
    }
    return least != UINT32_MAX;
}

static bool has_room(const char *directory, const struct store_limits *limits, uint64_t bytes, uint64_t bytes_coming)
{
    struct statvfs disk;
    if (bytes + bytes_coming > limits->bytes_most)
        return false;
    return statvfs(directory, &disk) != 0 ||
           (uint64_t)disk.f_bavail * disk.f_frsize >= limits->bytes_free + bytes_coming;
}

// The oldest one. Whatever began before this may be written still.
static bool remove_incident(const char *directory, struct listing *listing, struct retirement *retired)
{
    uint64_t bytes, before_ns = clock__ns(CLOCK_REALTIME) - LIMIT_SIDE_WRITTEN_NS;
    if (incidents__remove_oldest(directory, before_ns, &bytes) != 0 || !bytes)
        return false;
    retired->files++;
    retired->bytes += bytes;
    listing->bytes -= bytes < listing->bytes ? bytes : listing->bytes;
    return true;
}

int retirement__make_room(const char *directory, const struct store_limits *limits, const char *live,
                          uint64_t bytes_coming, struct fault *fault, struct retirement *retired)
{
    _cleanup_(listing__release) struct listing listing = {0};
    size_t index;
    int err = listing__read(directory, fault, &listing);
    while (!err && !has_room(directory, limits, listing.bytes, bytes_coming)) {
        if (!find_cheapest(&listing, live, &index)) {
            if (remove_incident(directory, &listing, retired))
                continue;
            return fault__set(fault, -ENOSPC,
                              "cannot write to the directory '%s': it may take %llu bytes, and its file system is to "
                              "keep %llu free; raise --keep-bytes, or free some space",
                              directory, (unsigned long long)limits->bytes_most,
                              (unsigned long long)limits->bytes_free);
        }
        err = remove_item(directory, &listing, index, fault, retired);
    }
    return err;
}

struct ageing {
    const char *directory, *live;
    const struct store_limits *limits;
    uint64_t now_ns, deadline_ns, read_ns;
};

static bool is_due(const struct ageing *ageing, const struct listed *item)
{
    uint64_t end_ns = (item->file.day + 1) * DAY_NS, age_ns = ageing->limits->hours[item->file.tier] * HOUR_NS;
    bool is_unread = item->file.tier == STORE_TIER_FULL && !item->file.is_damaged && ageing->read_ns < end_ns;
    return end_ns + age_ns <= ageing->now_ns && !is_unread && strcmp(item->name, ageing->live) != 0;
}

// Rolls the file's day and tier up. ret_is_safe: nothing is left that could be.
static int save(const struct ageing *ageing, const struct day_file *file, struct fault *fault, bool *ret_is_safe)
{
    struct rollup_plan plan = {.directory = ageing->directory,
                               .day = file->day,
                               .tier = file->tier + 1,
                               .until_ns = ageing->now_ns,
                               .deadline_ns = ageing->deadline_ns};
    struct rollup_done done = {0};
    struct fault why = {0};
    int err = file->tier + 1 < STORE_TIER_COUNT && !file->is_damaged ? rollup__day(&plan, &why, &done) : 0;
    *ret_is_safe = (!err && !done.is_stopped) || err == -EBADMSG;
    if (!err || err == -EBADMSG)
        return 0;
    if (fault)
        *fault = why;
    return err;
}

int retirement__by_age(const char *directory, const struct store_limits *limits, const char *live, uint64_t now_ns,
                       uint64_t deadline_ns, struct fault *fault, struct retirement *retired)
{
    _cleanup_(listing__release) struct listing listing = {0};
    struct ageing ageing = {
        .directory = directory, .live = live, .limits = limits, .now_ns = now_ns, .deadline_ns = deadline_ns};
    int err = watermark__lowest(directory, fault, &ageing.read_ns);
    if (!err)
        err = listing__read(directory, fault, &listing);
    for (size_t i = 0; !err && i < listing.count;) {
        bool is_safe = false;
        if (is_due(&ageing, &listing.items[i]))
            err = save(&ageing, &listing.items[i].file, fault, &is_safe);
        if (!err && is_safe)
            err = remove_item(directory, &listing, i, fault, retired);
        else
            i++;
    }
    return err;
}
