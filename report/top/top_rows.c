#include "report/top/top_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/top/top_names.h"
#include "store/base/cleanup.h"

bool top_rows__matches(const char *name, const char *filter)
{
    return !filter || !*filter || strcasestr(name, filter);
}

void top_rows__release(struct top_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->rows[i].name);
    free(rows->rows);
    profile__free(rows->tree);
    *rows = (struct top_rows){0};
}

// --- Order

static int by_name(const struct top_row *left, const struct top_row *right)
{
    int sign = strcmp(left->name, right->name);
    if (!sign)
        sign = strcmp(left->module, right->module);
    return sign ? sign : left->id < right->id ? -1 : left->id > right->id;
}

static int by_weight(uint64_t left, uint64_t right)
{
    return left > right ? -1 : left < right;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct top_row *left = a, *right = b;
    const struct top_choice *choice = context;
    int sign = choice->sort == TOP_BY_SELF    ? by_weight(left->self, right->self)
               : choice->sort == TOP_BY_TOTAL ? by_weight(left->total, right->total)
                                              : 0;
    if (!sign && choice->sort == TOP_BY_SELF)
        sign = by_weight(left->total, right->total);
    if (!sign && choice->sort == TOP_BY_TOTAL)
        sign = by_weight(left->self, right->self);
    if (!sign)
        sign = by_name(left, right);
    return choice->is_reversed ? -sign : sign;
}

// --- Rows

static int add(struct top_rows *rows, const struct top_row *row)
{
    if (!row->name)
        return -ENOMEM;
    rows->rows[rows->count++] = *row;
    return 0;
}

// All that was counted in a process is its own.
static int add_label(const struct profile *profile, const struct layout_sum *sum, struct top_rows *rows)
{
    const struct label *label = profile__label(profile, sum->label);
    return add(rows, &(struct top_row){.name = top_names__of_label(label),
                                       .module = label->module,
                                       .id = top_names__id_of_label(label),
                                       .self = label->kind == LABEL_ROOT ? sum->total : sum->self,
                                       .total = sum->total});
}

static int add_labels(const struct profile *profile, const struct layout *layout, const struct top_choice *choice,
                      struct top_rows *rows)
{
    _cleanup_free_ struct layout_sum *sums = NULL;
    uint32_t count = profile__label_count(profile);
    int err = layout__sum(layout, count, &sums);
    for (uint32_t i = 1; i < count && !err; i++) { // 0 is "all"
        const struct label *label = profile__label(profile, i);
        bool is_wanted = (label->kind == LABEL_ROOT) == (choice->view != TOP_FUNCTIONS);
        if (is_wanted && sums[i].total && top_rows__matches(label->name, choice->filter))
            err = add_label(profile, &sums[i], rows);
    }
    return err;
}

static bool stack_matches(const struct profile *profile, uint32_t node, const char *filter)
{
    for (; node; node = profile__parent(profile, node))
        if (top_rows__matches(profile__label(profile, profile__label_of(profile, node))->name, filter))
            return true;
    return false;
}

static int add_stacks(const struct profile *profile, const struct layout *layout, const struct top_choice *choice,
                      struct top_rows *rows)
{
    int err = 0;
    for (uint32_t i = 1; i < layout->count && !err; i++) {
        const struct layout_row *row = &layout->rows[i];
        if (!row->self || !stack_matches(profile, row->node, choice->filter))
            continue;
        err = add(rows, &(struct top_row){.name = top_names__of_stack(profile, row->node),
                                          .module = top_names__root_of(profile, row->node),
                                          .id = top_names__id_of_stack(profile, row->node),
                                          .self = row->self,
                                          .total = row->self});
    }
    return err;
}

int top_rows__make(const struct profile *profile, enum layout_measure measure, const struct top_choice *choice,
                   struct top_rows *ret_rows)
{
    _cleanup_(layout__release) struct layout layout = {0};
    _cleanup_(top_rows__release) struct top_rows rows = {0};
    int err = layout__make(profile, 0, measure, LAYOUT_BY_NAME, &layout);
    if (err)
        return err;
    size_t most = choice->view == TOP_STACKS ? layout.count : profile__label_count(profile);
    rows.whole = layout.rows[0].total;
    rows.rows = calloc(most + 1, sizeof(*rows.rows));
    if (!rows.rows)
        return -ENOMEM;
    err = choice->view == TOP_STACKS ? add_stacks(profile, &layout, choice, &rows)
                                     : add_labels(profile, &layout, choice, &rows);
    if (err)
        return err;
    qsort_r(rows.rows, rows.count, sizeof(*rows.rows), compare, (void *)choice);
    *ret_rows = rows;
    rows = (struct top_rows){0};
    return 0;
}
