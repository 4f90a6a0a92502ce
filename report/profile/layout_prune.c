#include "report/profile/layout_prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/bucket.h"
#include "store/base/cleanup.h"

// The bucket of the lightest child of each row; BUCKET_COUNT where there is none.
static int find_lightest(const struct layout *layout, uint16_t **ret_lightest)
{
    _cleanup_free_ uint16_t *lightest = calloc((size_t)layout->count + 1, sizeof(*lightest));
    _cleanup_free_ uint32_t *path = calloc((size_t)layout->depth + 1, sizeof(*path));
    if (!lightest || !path)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        uint32_t bucket = bucket__of(row->total);
        lightest[i] = BUCKET_COUNT;
        path[row->depth] = i;
        if (row->depth && bucket < lightest[path[row->depth - 1]])
            lightest[path[row->depth - 1]] = (uint16_t)bucket;
    }
    *ret_lightest = take_pointer(lightest);
    return 0;
}

// The least total a row needs so that at most `limit` rows are left: the rows that have it, and one for the lighter
// children of each of them. Found in a histogram of the totals, since a parent is never lighter than its children.
static int find_threshold(const struct layout *layout, uint32_t limit, uint64_t *ret_least)
{
    uint32_t counts[BUCKET_COUNT + 1] = {0}, begins[BUCKET_COUNT + 2] = {0}, ends[BUCKET_COUNT + 2] = {0};
    _cleanup_free_ uint16_t *lightest = NULL;
    int err = find_lightest(layout, &lightest);
    if (err)
        return err;
    for (uint32_t i = 0; i < layout->count; i++) {
        uint32_t bucket = i ? bucket__of(layout->rows[i].total) : BUCKET_COUNT; // the root always stays
        counts[bucket]++;
        if (lightest[i] < bucket) { // at thresholds of lightest + 1 to bucket, some children go and the row stays
            begins[bucket]++;
            ends[lightest[i]]++;
        }
    }
    uint64_t kept = counts[BUCKET_COUNT];
    int64_t lighter = begins[BUCKET_COUNT] - (int64_t)ends[BUCKET_COUNT];
    uint32_t bucket = BUCKET_COUNT;
    for (; bucket > 0; bucket--) {
        kept += counts[bucket - 1];
        lighter += begins[bucket - 1] - (int64_t)ends[bucket - 1];
        if (kept + (uint64_t)lighter > limit)
            break;
    }
    *ret_least = bucket == BUCKET_COUNT ? UINT64_MAX : bucket__low(bucket);
    return 0;
}

// The children that went, of the row that is open at a depth.
struct gone {
    uint64_t weight, sides[2];
};

struct pruning {
    struct layout *layout;
    struct gone *gone; // by depth
    uint32_t kept;     // rows written; never more than were read, as a row for lighter ones stands for one at least
    uint32_t open;     // depths below this one have an open row
};

// Closes the rows from `depth` on, the deepest first, each with a row for its lighter children.
static void close_rows(struct pruning *pruning, uint32_t depth)
{
    struct layout *layout = pruning->layout;
    while (pruning->open > depth) {
        struct gone *gone = &pruning->gone[--pruning->open];
        if (!gone->weight)
            continue;
        uint32_t at = pruning->kept++;
        layout->rows[at] = (struct layout_row){
            .label = LAYOUT_LIGHTER, .depth = pruning->open + 1, .self = gone->weight, .total = gone->weight};
        for (unsigned side = 0; layout->sides && side < 2; side++)
            layout->sides[at][side] = gone->sides[side];
        *gone = (struct gone){0};
    }
}

static void keep_row(struct pruning *pruning, uint32_t from)
{
    struct layout *layout = pruning->layout;
    uint32_t to = pruning->kept++;
    layout->rows[to] = layout->rows[from];
    for (unsigned side = 0; layout->sides && side < 2; side++)
        layout->sides[to][side] = layout->sides[from][side];
    pruning->open = layout->rows[to].depth + 1;
}

static void add_gone(struct pruning *pruning, struct gone *gone, uint32_t first, uint32_t end)
{
    const struct layout *layout = pruning->layout;
    for (uint32_t i = first; i < end; i++) {
        gone->weight = saturated_sum(gone->weight, layout->rows[i].self);
        for (unsigned side = 0; layout->sides && side < 2; side++)
            gone->sides[side] += layout->sides[i][side];
    }
}

int layout__prune(struct layout *layout, uint32_t limit, uint32_t *ret_cut)
{
    uint32_t before = layout->count, cut = 0;
    uint64_t least = 0;
    *ret_cut = 0;
    if (before <= limit)
        return 0;
    _cleanup_free_ struct gone *gone = calloc((size_t)layout->depth + 2, sizeof(*gone));
    struct pruning pruning = {.layout = layout, .gone = gone};
    int err = gone ? find_threshold(layout, limit, &least) : -ENOMEM;
    if (err)
        return err;
    for (uint32_t i = 0, next; i < before; i = next) {
        uint32_t depth = layout->rows[i].depth;
        next = i + 1;
        close_rows(&pruning, depth);
        if (depth == 0 || layout->rows[i].total >= least) {
            keep_row(&pruning, i);
            continue;
        }
        while (next < before && layout->rows[next].depth > depth)
            next++;
        add_gone(&pruning, &gone[depth - 1], i, next);
        cut += next - i;
    }
    close_rows(&pruning, 0);
    layout->count = pruning.kept;
    *ret_cut = cut;
    return 0;
}
