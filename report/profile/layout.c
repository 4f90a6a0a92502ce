#include "report/profile/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

static uint64_t measured(const struct profile_weight *weight, enum layout_measure measure)
{
    return measure == LAYOUT_SAMPLES ? weight->samples : weight->value;
}

static uint64_t self_of(const struct profile *profile, unsigned side, uint32_t node, enum layout_measure measure)
{
    if (side != LAYOUT_BOTH)
        return measured(profile__self(profile, side, node), measure);
    return measured(profile__self(profile, 0, node), measure) + measured(profile__self(profile, 1, node), measure);
}

// All that the walk asks of a node, in one line of the processor's cache.
struct order_node {
    uint32_t first, next; // child lists, 0 ends
    uint64_t self, total;
};

struct order {
    uint32_t *nodes; // the order in which children are wanted
    struct order_node *at;
};

static void order__release(struct order *order)
{
    free(order->nodes);
    free(order->at);
}

static int by_name(const void *a, const void *b, void *context)
{
    const struct profile *profile = context;
    const struct label *left = profile__label(profile, *(const uint32_t *)a);
    const struct label *right = profile__label(profile, *(const uint32_t *)b);
    int sign = strcmp(left->name, right->name);
    if (!sign)
        sign = strcmp(left->module, right->module);
    if (!sign)
        sign = (int)left->inlined - (int)right->inlined;
    if (!sign)
        sign = (int)left->kind - (int)right->kind;
    return sign ? sign : left->frame < right->frame ? -1 : left->frame > right->frame;
}

// Counting sort of the nodes by the rank of their labels.
static int sort_by_name(const struct profile *profile, struct order *order)
{
    uint32_t label_count = profile__label_count(profile), node_count = profile__node_count(profile);
    _cleanup_free_ uint32_t *labels = calloc(label_count, sizeof(*labels));
    _cleanup_free_ uint32_t *starts = calloc(label_count, sizeof(*starts));
    if (!labels || !starts)
        return -ENOMEM;
    for (uint32_t i = 0; i < label_count; i++)
        labels[i] = i;
    qsort_r(labels, label_count, sizeof(*labels), by_name, (void *)profile);
    for (uint32_t node = 0; node < node_count; node++)
        starts[profile__label_of(profile, node)]++;
    uint32_t at = 0;
    for (uint32_t i = 0; i < label_count; i++) {
        uint32_t count = starts[labels[i]];
        starts[labels[i]] = at;
        at += count;
    }
    for (uint32_t node = 0; node < node_count; node++)
        order->nodes[starts[profile__label_of(profile, node)]++] = node;
    return 0;
}

static int by_weight(const void *a, const void *b, void *context)
{
    const struct order_node *at = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (at[left].total != at[right].total)
        return at[left].total > at[right].total ? -1 : 1;
    return left < right ? -1 : left > right;
}

static int start_order(const struct profile *profile, unsigned side, enum layout_measure measure, struct order *order)
{
    uint32_t count = profile__node_count(profile);
    order->nodes = calloc(count, sizeof(*order->nodes));
    order->at = calloc(count, sizeof(*order->at));
    if (!order->nodes || !order->at)
        return -ENOMEM;
    for (uint32_t node = 0; node < count; node++)
        order->at[node].total = order->at[node].self = self_of(profile, side, node, measure);
    for (uint32_t node = count; node-- > 1;) {
        uint64_t *total = &order->at[profile__parent(profile, node)].total;
        *total = saturated_sum(*total, order->at[node].total);
    }
    return 0;
}

static void link_children(const struct profile *profile, struct order *order)
{
    for (uint32_t i = profile__node_count(profile); i-- > 0;) {
        uint32_t node = order->nodes[i], parent = profile__parent(profile, node);
        if (node == 0)
            continue;
        order->at[node].next = order->at[parent].first;
        order->at[parent].first = node;
    }
}

static void walk(const struct profile *profile, const struct order *order, struct layout *layout)
{
    uint32_t node = 0, depth = 0;
    for (;;) {
        if (order->at[node].total || node == 0) {
            layout->rows[layout->count++] = (struct layout_row){node, profile__label_of(profile, node), depth,
                                                                order->at[node].self, order->at[node].total};
            if (depth > layout->depth)
                layout->depth = depth;
        }
        if (order->at[node].first && order->at[node].total) {
            node = order->at[node].first;
            depth++;
            continue;
        }
        while (node && !order->at[node].next) {
            node = profile__parent(profile, node);
            depth--;
        }
        if (!node)
            return;
        node = order->at[node].next;
    }
}

static int part_sides(const struct profile *profile, enum layout_measure measure, struct layout *layout)
{
    layout->sides = calloc((size_t)layout->count + 1, sizeof(*layout->sides));
    if (!layout->sides)
        return -ENOMEM;
    for (uint32_t i = 0; i < layout->count; i++)
        for (unsigned side = 0; side < 2; side++)
            layout->sides[i][side] = measured(profile__self(profile, side, layout->rows[i].node), measure);
    return 0;
}

int layout__make(const struct profile *profile, unsigned side, enum layout_measure measure, enum layout_order wanted,
                 struct layout *ret_layout)
{
    _cleanup_(order__release) struct order order = {0};
    int err = start_order(profile, side, measure, &order);
    if (err)
        return err;
    uint32_t count = profile__node_count(profile);
    if (wanted == LAYOUT_BY_NAME) {
        err = sort_by_name(profile, &order);
        if (err)
            return err;
    } else {
        for (uint32_t node = 0; node < count; node++)
            order.nodes[node] = node;
        qsort_r(order.nodes, count, sizeof(*order.nodes), by_weight, order.at);
    }
    link_children(profile, &order);
    _cleanup_(layout__release) struct layout layout = {.rows = calloc(count, sizeof(*layout.rows))};
    if (!layout.rows)
        return -ENOMEM;
    walk(profile, &order, &layout);
    err = side == LAYOUT_BOTH ? part_sides(profile, measure, &layout) : 0;
    if (err)
        return err;
    *ret_layout = layout;
    layout = (struct layout){0};
    return 0;
}

void layout__release(struct layout *layout)
{
    free(layout->rows);
    free(layout->sides);
    *layout = (struct layout){0};
}

int layout__sum(const struct layout *layout, uint32_t label_count, struct layout_sum **ret_sums)
{
    _cleanup_free_ struct layout_sum *sums = calloc(label_count, sizeof(*sums));
    _cleanup_free_ uint32_t *path = calloc((size_t)layout->depth + 1, sizeof(*path));
    _cleanup_free_ uint32_t *open = calloc(label_count, sizeof(*open)); // how often the label stands on the path
    if (!sums || !path || !open)
        return -ENOMEM;
    for (uint32_t label = 0; label < label_count; label++)
        sums[label].label = label;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct layout_row *row = &layout->rows[i];
        while (depth > row->depth)
            open[path[--depth]]--;
        struct layout_sum *sum = &sums[row->label];
        sum->self = saturated_sum(sum->self, row->self);
        if (!open[row->label]++)
            sum->total = saturated_sum(sum->total, row->total);
        path[depth++] = row->label;
    }
    *ret_sums = take_pointer(sums);
    return 0;
}
