// The table of functions of a difference: shares before and after, in percent of their ranges, and whether the change
// is more than chance (significance.h). What changed most by itself comes first.
//
//    SELF: BEFORE   AFTER  CHANGE       P    TOTAL: BEFORE   AFTER  CHANGE       P  FUNCTION  (BINARY)
//           7.00%  21.00% +14.00%  <0.001          30.00%  31.00%  +1.00%   0.61   memcpy  (libc.so.6)
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/profile/significance.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

// By label, of one side.
struct side_sums {
    struct layout layout;
    struct layout_sum *sums;
    double whole;
};

static void side_sums__release(struct side_sums *side)
{
    layout__release(&side->layout);
    free(side->sums);
}

struct change {
    uint32_t label;
    double before, after; // shares
    double p;             // adjusted for the number of functions; below 0: nothing to test
};

struct row {
    struct change self, total;
};

static int sum_side(const struct picture *picture, unsigned number, struct side_sums *side)
{
    int err = layout__make(picture->profile, number, picture->measure, LAYOUT_BY_NAME, &side->layout);
    if (!err)
        err = layout__sum(&side->layout, profile__label_count(picture->profile), &side->sums);
    if (!err)
        side->whole = (double)side->layout.rows[0].total;
    return err;
}

// Only counts have a law of chance: of values (time, bytes) one large one may be all.
static bool is_counted(const struct picture *picture)
{
    return picture->measure == LAYOUT_SAMPLES;
}

// Tests one of the two changes of all rows, where there is something to test.
static int judge(const struct side_sums sides[2], struct row *rows, uint32_t count, bool is_total)
{
    _cleanup_free_ double *ps = calloc((size_t)count + 1, sizeof(*ps));
    _cleanup_free_ struct change **tested = calloc((size_t)count + 1, sizeof(*tested));
    uint32_t test_count = 0;
    if (!ps || !tested)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        struct change *change = is_total ? &rows[i].total : &rows[i].self;
        const struct layout_sum *a = &sides[0].sums[change->label], *b = &sides[1].sums[change->label];
        uint64_t before = is_total ? a->total : a->self, after = is_total ? b->total : b->self;
        if (!before && !after)
            continue;
        ps[test_count] = significance__p(before, (uint64_t)sides[0].whole, after, (uint64_t)sides[1].whole);
        tested[test_count++] = change;
    }
    int err = significance__adjust(ps, test_count);
    for (uint32_t i = 0; i < test_count; i++)
        tested[i]->p = ps[i];
    return err;
}

static double change_of(const struct change *change)
{
    return fabs(change->after - change->before);
}

static int most_changed_first(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    double self = change_of(&right->self) - change_of(&left->self);
    double total = change_of(&right->total) - change_of(&left->total);
    double sign = fabs(self) > 1e-12 ? self : total;
    return sign > 1e-12 ? 1 : sign < -1e-12 ? -1 : left->self.label < right->self.label ? -1 : 1;
}

static void put_change(const struct picture *picture, const struct change *change, FILE *file)
{
    char p[16] = "-";
    bool is_tested = is_counted(picture) && change->p >= 0;
    if (is_tested && change->p < 0.001)
        snprintf(p, sizeof(p), "<0.001");
    else if (is_tested)
        snprintf(p, sizeof(p), "%.3f", change->p);
    fprintf(file, "%7.2f%% %7.2f%% %+7.2f%% %7s", 100 * change->before, 100 * change->after,
            100 * (change->after - change->before), p);
}

static void put_rows(const struct picture *picture, const struct row *rows, uint32_t count, FILE *file)
{
    fprintf(file, "%35s%s%37s\n", "---------- SELF, in all ----------", "   ", "---------- TOTAL, in all ---------");
    fprintf(file, "%8s %8s %8s %7s   %8s %8s %8s %7s  FUNCTION  (BINARY)\n", "BEFORE", "AFTER", "CHANGE", "P", "BEFORE",
            "AFTER", "CHANGE", "P");
    for (uint32_t i = 0; i < count; i++) {
        const struct label *label = profile__label(picture->profile, rows[i].self.label);
        put_change(picture, &rows[i].self, file);
        fputs("   ", file);
        put_change(picture, &rows[i].total, file);
        fprintf(file, "  %s%s%s%s%s\n", label->name,
                label->kind == LABEL_ROOT ? " [no stack]"
                : label->inlined          ? " [inlined]"
                                          : "",
                *label->module ? "  (" : "", label->module, *label->module ? ")" : "");
    }
}

static void put_head(const struct picture *picture, FILE *file)
{
    const struct picture_before *before = picture->before;
    char range[FORMAT_RANGE_BYTES], amount[FORMAT_AMOUNT_BYTES], losses[512];
    loss_list__print(before->losses, losses, sizeof(losses));
    format__span(before->since_ns, before->until_ns, range);
    format__amount(picture, format__weight(picture, &before->total), amount);
    fprintf(file, "%s\n\nbefore: %s, %s: %s%s%s\n", picture->title, before->name, range, amount,
            *losses ? "; lost " : "", losses);
    format__range(picture, range);
    format__amount(picture, format__weight(picture, &picture->total), amount);
    fprintf(file, "after:  %s, %s: %s\n\n", before->after_name, range, amount);
}

int format_top__write_difference(const struct picture *picture, FILE *file)
{
    _cleanup_(side_sums__release) struct side_sums before = {0};
    _cleanup_(side_sums__release) struct side_sums after = {0};
    int err = sum_side(picture, 0, &before);
    if (!err)
        err = sum_side(picture, 1, &after);
    if (err)
        return err;
    uint32_t label_count = profile__label_count(picture->profile), count = 0;
    _cleanup_free_ struct row *rows = calloc(label_count, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < label_count; i++) {
        struct layout_sum *a = &before.sums[i], *b = &after.sums[i];
        if (profile__label(picture->profile, i)->kind == LABEL_ROOT) {
            a->total = a->self; // a comm or thread stands for its samples without a stack only
            b->total = b->self;
        }
        if (!a->total && !b->total)
            continue;
        rows[count++] = (struct row){
            .self = {i, (double)a->self / before.whole, (double)b->self / after.whole, -1},
            .total = {i, (double)a->total / before.whole, (double)b->total / after.whole, -1},
        };
    }
    const struct side_sums sides[] = {before, after};
    err = judge(sides, rows, count, false);
    if (!err)
        err = judge(sides, rows, count, true);
    if (err)
        return err;
    qsort(rows, count, sizeof(*rows), most_changed_first);
    put_head(picture, file);
    put_rows(picture, rows, count, file);
    format__put_losses(picture, file);
    return 0;
}
