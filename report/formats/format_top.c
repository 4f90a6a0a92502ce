// A table of functions: what was counted in each itself, and in all stacks that it stands in.
//
//        SELF   SELF%       TOTAL  TOTAL%  FUNCTION                                  BINARY
//         600  60.00%         600  60.00%  leaf_a [inlined]                          chain
//           1   0.10%        1000 100.00%  main                                      chain
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

static int heaviest_first(const void *a, const void *b, void *context)
{
    const struct layout_sum *left = a, *right = b;
    const struct profile *profile = context;
    if (left->self != right->self)
        return left->self > right->self ? -1 : 1;
    if (left->total != right->total)
        return left->total > right->total ? -1 : 1;
    int sign = strcmp(profile__label(profile, left->label)->name, profile__label(profile, right->label)->name);
    return sign ? sign : left->label < right->label ? -1 : left->label > right->label;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_row(const struct picture *picture, const struct layout_sum *sum, uint64_t whole, uint32_t columns,
                    FILE *file)
{
    const struct label *label = profile__label(picture->profile, sum->label);
    char self[TEXT_AMOUNT_BYTES], total[TEXT_AMOUNT_BYTES];
    text__amount(sum->self, picture->unit, self);
    text__amount(sum->total, picture->unit, total);
    int used = fprintf(file, "%12s %6.2f%% %12s %6.2f%%  ", self, percent(sum->self, whole), total,
                       percent(sum->total, whole));
    format__put_function(label, columns, used, file);
}

static int write_top(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    if (picture->before)
        return format_top__write_difference(picture, file);
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_free_ struct layout_sum *sums = NULL;
    uint32_t count = profile__label_count(picture->profile);
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_NAME, &layout);
    if (!err)
        err = layout__sum(&layout, count, &sums);
    if (err)
        return err;
    uint64_t whole = layout.rows[0].total;
    qsort_r(sums, count, sizeof(*sums), heaviest_first, (void *)picture->profile);
    format__put_head(picture, file);
    fprintf(file, "%12s %7s %12s %7s  FUNCTION  (BINARY)\n", "SELF", "SELF%", "TOTAL", "TOTAL%");
    struct format_room room = format__room(picture);
    uint32_t shown = 0, left = 0;
    for (uint32_t i = 0; i < count; i++) {
        // A comm or thread has a row for its samples without a stack only.
        if (profile__label(picture->profile, sums[i].label)->kind == LABEL_ROOT)
            sums[i].total = sums[i].self;
        if (!sums[i].total)
            continue;
        if (shown++ < room.rows)
            put_row(picture, &sums[i], whole, room.columns, file);
        else
            left++;
    }
    format__put_more(left, file);
    format__put_losses(picture, file);
    return 0;
}

const struct format format_top = {
    .name = "top",
    .suffixes = (const char *const[]){".txt", NULL},
    .summary = "a table of functions: self and total, with shares",
    .compares = true,
    .shows_losses = true,
    .write = write_top,
};
