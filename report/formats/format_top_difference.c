// The table of functions of a difference: shares before and after, in percent of their ranges, and whether the change
// is more than chance (significance.h). The function whose own share changed most comes first.
//
//    SELF: BEFORE   AFTER  CHANGE       P    TOTAL: BEFORE   AFTER  CHANGE       P  FUNCTION  (BINARY)
//           7.00%  21.00% +14.00%  <0.001          30.00%  31.00%  +1.00%   0.61   memcpy  (libc.so.6)
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/profile/function_changes.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

struct row {
    uint32_t label;
    struct share_change self, total;
};

static double change_of(const struct share_change *change)
{
    return fabs(change->after - change->before);
}

static int most_changed_first(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    double self = change_of(&right->self) - change_of(&left->self);
    double total = change_of(&right->total) - change_of(&left->total);
    double sign = fabs(self) > 1e-12 ? self : total;
    return sign > 1e-12 ? 1 : sign < -1e-12 ? -1 : left->label < right->label ? -1 : 1;
}

static int put_change(const struct share_change *change, FILE *file)
{
    char p[16] = "-";
    if (change->p >= 0 && change->p < 0.001)
        snprintf(p, sizeof(p), "<0.001");
    else if (change->p >= 0)
        snprintf(p, sizeof(p), "%.3f", change->p);
    return fprintf(file, "%7.2f%% %7.2f%% %+7.2f%% %7s", 100 * change->before, 100 * change->after,
                   100 * (change->after - change->before), p);
}

static void put_rows(const struct picture *picture, const struct row *rows, uint32_t count, FILE *file)
{
    fprintf(file, "%35s%s%37s\n", "---------- SELF, in all ----------", "   ", "---------- TOTAL, in all ---------");
    fprintf(file, "%8s %8s %8s %7s   %8s %8s %8s %7s  FUNCTION  (BINARY)\n", "BEFORE", "AFTER", "CHANGE", "P", "BEFORE",
            "AFTER", "CHANGE", "P");
    struct format_room room = format__room(picture);
    uint32_t shown = count < room.rows ? count : room.rows;
    for (uint32_t i = 0; i < shown; i++) {
        int used = put_change(&rows[i].self, file);
        used += fprintf(file, "   ");
        used += put_change(&rows[i].total, file);
        used += fprintf(file, "  ");
        format__put_function(profile__label(picture->profile, rows[i].label), room.columns, used, file);
    }
    format__put_more(count - shown, file);
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
    _cleanup_free_ struct function_change *changes = NULL;
    int err = function_changes__make(picture->profile, picture->measure, &changes);
    if (err)
        return err;
    uint32_t label_count = profile__label_count(picture->profile), count = 0;
    _cleanup_free_ struct row *rows = calloc(label_count, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < label_count; i++)
        if (changes[i].total.weights[0] || changes[i].total.weights[1])
            rows[count++] = (struct row){i, changes[i].self, changes[i].total};
    qsort(rows, count, sizeof(*rows), most_changed_first);
    put_head(picture, file);
    put_rows(picture, rows, count, file);
    format__put_losses(picture, file);
    return 0;
}
