#include "report/profile/function_changes.h"

#include <errno.h>
#include <stdlib.h>

#include "report/profile/significance.h"
#include "store/base/cleanup.h"

static int add_side(const struct profile *profile, enum layout_measure measure, unsigned side,
                    struct function_change *changes, uint64_t *ret_whole)
{
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_free_ struct layout_sum *sums = NULL;
    uint32_t count = profile__label_count(profile);
    int err = layout__make(profile, side, measure, LAYOUT_BY_NAME, &layout);
    if (!err)
        err = layout__sum(&layout, count, &sums);
    if (err)
        return err;
    double whole = (double)layout.rows[0].total;
    for (uint32_t i = 0; i < count; i++) {
        bool is_root = profile__label(profile, i)->kind == LABEL_ROOT;
        uint64_t self = sums[i].self, total = is_root ? self : sums[i].total;
        changes[i].self.weights[side] = self;
        changes[i].total.weights[side] = total;
        *(side ? &changes[i].self.after : &changes[i].self.before) = whole > 0 ? (double)self / whole : 0;
        *(side ? &changes[i].total.after : &changes[i].total.before) = whole > 0 ? (double)total / whole : 0;
    }
    *ret_whole = layout.rows[0].total;
    return 0;
}

// Tests one of the two changes of all functions, where there is something to test.
static int judge(struct function_change *changes, uint32_t count, bool is_total, const uint64_t wholes[2])
{
    _cleanup_free_ double *ps = calloc((size_t)count + 1, sizeof(*ps));
    _cleanup_free_ struct share_change **tested = calloc((size_t)count + 1, sizeof(struct share_change *));
    uint32_t test_count = 0;
    if (!ps || !tested)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct share_change *change = is_total ? &changes[i].total : &changes[i].self;
        if (!change->weights[0] && !change->weights[1])
            continue;
        ps[test_count] = significance__p(change->weights[0], wholes[0], change->weights[1], wholes[1]);
        tested[test_count++] = change;
    }
    int err = significance__adjust(ps, test_count);
    for (uint32_t i = 0; i < test_count; i++)
        tested[i]->p = ps[i];
    return err;
}

int function_changes__make(const struct profile *profile, enum layout_measure measure,
                           struct function_change **ret_changes)
{
    uint32_t count = profile__label_count(profile);
    uint64_t wholes[2];
    _cleanup_free_ struct function_change *changes = calloc(count, sizeof(*changes));
    if (!changes)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        changes[i].self.p = changes[i].total.p = -1;
    int err = add_side(profile, measure, 0, changes, &wholes[0]);
    if (!err)
        err = add_side(profile, measure, 1, changes, &wholes[1]);
    if (!err && measure == LAYOUT_SAMPLES)
        err = judge(changes, count, false, wholes);
    if (!err && measure == LAYOUT_SAMPLES)
        err = judge(changes, count, true, wholes);
    if (err)
        return err;
    *ret_changes = take_pointer(changes);
    return 0;
}
