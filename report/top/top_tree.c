// The tree below a row: a profile of its own, whose nodes are the calls below all places of the row, merged by their
// names, laid out by weight. A name is indented where calls part alone, so that deep stacks fit into a narrow screen.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/top/top_names.h"
#include "report/top/top_rows.h"
#include "store/base/cleanup.h"

DEFINE_CLEANUP(struct profile *, profile__free);

struct subtree {
    const struct profile *profile;
    struct profile *merged;
    uint32_t *places; // node -> node of `merged`, 0: not below the row
    uint32_t *labels; // label -> label of `merged` + 1
};

static void subtree__release(struct subtree *subtree)
{
    profile__free(subtree->merged);
    free(subtree->places);
    free(subtree->labels);
}

// The node below `parent` for a node of the profile.
static int keep_node(struct subtree *subtree, uint32_t node, uint32_t parent)
{
    uint32_t own = profile__label_of(subtree->profile, node), *label = &subtree->labels[own];
    if (!*label) {
        int err = profile__keep_label(subtree->merged, profile__label(subtree->profile, own), label);
        if (err)
            return err;
        ++*label;
    }
    return profile__child(subtree->merged, parent, *label - 1, &subtree->places[node]);
}

static void count_self(struct subtree *subtree, uint32_t node)
{
    const struct profile_weight *self = profile__self(subtree->profile, 0, node);
    profile__count(subtree->merged, 0, subtree->places[node], self->samples, self->value);
}

static bool is_row(const struct subtree *subtree, uint32_t node, uint64_t id)
{
    return top_names__id_of_label(profile__label(subtree->profile, profile__label_of(subtree->profile, node))) == id;
}

// A parent's number is below its children's: one pass. A row that calls itself again stands once at the top.
static int merge_calls(struct subtree *subtree, uint64_t id)
{
    int err = 0;
    for (uint32_t node = 1; node < profile__node_count(subtree->profile) && !err; node++) {
        uint32_t above = subtree->places[profile__parent(subtree->profile, node)];
        if (!above && !is_row(subtree, node, id))
            continue;
        err = keep_node(subtree, node, above);
        if (!err)
            count_self(subtree, node);
    }
    return err;
}

// The frames of one stack, the root first; what was counted in its callers themselves is no part of it.
static int keep_path(struct subtree *subtree, uint32_t last)
{
    const struct profile *profile = subtree->profile;
    size_t depth = 0, at = 0;
    for (uint32_t node = last; node; node = profile__parent(profile, node))
        depth++;
    _cleanup_free_ uint32_t *path = calloc(depth, sizeof(*path));
    if (!path)
        return -ENOMEM;
    for (uint32_t node = last; node; node = profile__parent(profile, node))
        path[at++] = node;
    int err = 0;
    while (at-- && !err)
        err = keep_node(subtree, path[at], subtree->places[profile__parent(profile, path[at])]);
    if (!err)
        count_self(subtree, last);
    return err;
}

static int merge_stack(struct subtree *subtree, uint64_t id)
{
    const struct profile *profile = subtree->profile;
    for (uint32_t node = 1; node < profile__node_count(profile); node++)
        if (profile__self(profile, 0, node)->samples && top_names__id_of_stack(profile, node) == id)
            return keep_path(subtree, node);
    return 0;
}

static int merge(struct subtree *subtree, enum top_view view, uint64_t id)
{
    const struct profile_options options = {.grain = profile__options(subtree->profile)->grain};
    int err = profile__new(&options, &subtree->merged);
    if (err)
        return err;
    subtree->places = calloc(profile__node_count(subtree->profile), sizeof(*subtree->places));
    subtree->labels = calloc(profile__label_count(subtree->profile), sizeof(*subtree->labels));
    if (!subtree->places || !subtree->labels)
        return -ENOMEM;
    return view == TOP_STACKS ? merge_stack(subtree, id) : merge_calls(subtree, id);
}

// --- Rows

struct branches {
    const struct layout *layout;
    bool *is_shown;     // by row
    uint32_t *path;     // rows, by depth
    uint32_t *children; // of a row, those that are shown
    uint32_t *indents;  // of a row
};

static void branches__release(struct branches *branches)
{
    free(branches->is_shown);
    free(branches->path);
    free(branches->children);
    free(branches->indents);
}

// From the end: a row that matches, and then its parent, which is the nearest row before it that is less deep.
static void choose(const struct profile *merged, const char *filter, struct branches *branches)
{
    const struct layout_row *rows = branches->layout->rows;
    uint32_t parent_depth = 0; // that of the parent that is still to come; 0: none, for the root is no row
    for (uint32_t i = branches->layout->count; i-- > 1;) {
        const char *name = profile__label(merged, rows[i].label)->name;
        bool is_heavy = (double)rows[i].total >= TOP_LEAST_SHARE * (double)rows[0].total;
        bool leads = parent_depth && rows[i].depth == parent_depth;
        branches->is_shown[i] = leads || (is_heavy && top_rows__matches(name, filter));
        if (branches->is_shown[i])
            parent_depth = rows[i].depth - 1;
    }
}

static void indent(struct branches *branches)
{
    const struct layout_row *rows = branches->layout->rows;
    for (uint32_t i = 0; i < branches->layout->count; i++) {
        branches->path[rows[i].depth] = i;
        if (i && branches->is_shown[i])
            branches->children[branches->path[rows[i].depth - 1]]++;
    }
    for (uint32_t i = 1; i < branches->layout->count; i++) {
        branches->path[rows[i].depth] = i;
        uint32_t parent = branches->path[rows[i].depth - 1];
        branches->indents[i] = branches->indents[parent] + (branches->children[parent] > 1 ? 2 : 0);
    }
}

static int add_rows(const struct profile *merged, const struct branches *branches, struct top_rows *rows)
{
    for (uint32_t i = 1; i < branches->layout->count; i++) {
        const struct layout_row *at = &branches->layout->rows[i];
        if (!branches->is_shown[i])
            continue;
        const struct label *label = profile__label(merged, at->label);
        struct top_row row = {.name = top_names__of_label(label),
                              .module = label->module,
                              .id = top_names__id_of_label(label),
                              .self = at->self,
                              .total = at->total,
                              .depth = branches->indents[i]};
        if (!row.name)
            return -ENOMEM;
        rows->rows[rows->count++] = row;
    }
    return 0;
}

static int lay_out(const struct profile *merged, enum layout_measure measure, const char *filter, struct top_rows *rows)
{
    _cleanup_(layout__release) struct layout layout = {0};
    int err = layout__make(merged, 0, measure, LAYOUT_BY_WEIGHT, &layout);
    if (err)
        return err;
    _cleanup_(branches__release) struct branches branches = {
        .layout = &layout,
        .is_shown = calloc(layout.count, sizeof(*branches.is_shown)),
        .path = calloc((size_t)layout.depth + 1, sizeof(*branches.path)),
        .children = calloc(layout.count, sizeof(*branches.children)),
        .indents = calloc(layout.count, sizeof(*branches.indents)),
    };
    rows->rows = calloc(layout.count, sizeof(*rows->rows));
    if (!branches.is_shown || !branches.path || !branches.children || !branches.indents || !rows->rows)
        return -ENOMEM;
    choose(merged, filter, &branches);
    indent(&branches);
    return add_rows(merged, &branches, rows);
}

int top_rows__make_tree(const struct profile *profile, enum layout_measure measure, enum top_view view, uint64_t id,
                        const char *filter, struct top_rows *ret_rows)
{
    _cleanup_(subtree__release) struct subtree subtree = {.profile = profile};
    _cleanup_(top_rows__release) struct top_rows rows = {0};
    struct profile_weight whole = profile__total(profile, 0);
    int err = merge(&subtree, view, id);
    if (!err)
        err = lay_out(subtree.merged, measure, filter, &rows);
    if (err)
        return err;
    rows.tree = take_pointer(subtree.merged);
    rows.whole = measure == LAYOUT_SAMPLES ? whole.samples : whole.value;
    *ret_rows = rows;
    rows = (struct top_rows){0};
    return 0;
}
