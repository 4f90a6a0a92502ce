// The call tree as text, the heaviest branch first. A column is indented only where calls part, so that deep stacks
// stay readable; what is lighter than half a percent is added up in one line.
//
//    TOTAL%    SELF%  FUNCTION
//   100.00%    0.00%  all
//    75.00%    0.00%  - nginx
//    75.00%    1.00%    main
//    70.00%   70.00%    - serve
//     4.00%             - (3 lighter ones)
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "report/formats/format.h"
#include "report/text/text.h"
#include "store/base/cleanup.h"

#define LEAST_SHARE 0.005

struct branch {
    uint64_t hidden;       // weight of the children not shown
    uint32_t hidden_count; // how many these are
    uint32_t shown_count;
    uint32_t indent;
};

struct tree {
    const struct picture *picture;
    const struct layout *layout;
    struct branch *branches; // by row
    uint32_t *path;          // rows, by depth
    FILE *file;
};

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static bool is_shown(const struct layout *layout, uint32_t row)
{
    return (double)layout->rows[row].total >= LEAST_SHARE * (double)layout->rows[0].total;
}

static void count_children(struct tree *tree)
{
    for (uint32_t i = 0; i < tree->layout->count; i++) {
        const struct layout_row *row = &tree->layout->rows[i];
        tree->path[row->depth] = i;
        if (row->depth == 0)
            continue;
        struct branch *parent = &tree->branches[tree->path[row->depth - 1]];
        bool shown = is_shown(tree->layout, i);
        parent->shown_count += shown;
        parent->hidden_count += !shown;
        parent->hidden += shown ? 0 : row->total;
    }
}

static bool parts(const struct branch *branch)
{
    return branch->shown_count + (branch->hidden_count > 0) > 1;
}

static void put_row(struct tree *tree, uint32_t i)
{
    const struct layout_row *row = &tree->layout->rows[i];
    const struct label *label = profile__label(tree->picture->profile, row->label);
    const struct branch *parent = row->depth ? &tree->branches[tree->path[row->depth - 1]] : NULL;
    uint64_t whole = tree->layout->rows[0].total;
    if (parent)
        tree->branches[i].indent = parent->indent + (parts(parent) ? 2 : 0);
    fprintf(tree->file, "%7.2f%% %7.2f%%  %*s%s%s%s\n", percent(row->total, whole), percent(row->self, whole),
            parent ? (int)parent->indent : 0, "", parent && parts(parent) ? "- " : "", label->name,
            label->inlined ? " [inlined]" : "");
}

// Says what was left out of the branches that end before a row of this depth.
static void close_branches(struct tree *tree, uint32_t from_depth, uint32_t to_depth)
{
    for (uint32_t depth = from_depth; depth-- > to_depth;) {
        const struct branch *branch = &tree->branches[tree->path[depth]];
        if (branch->hidden_count)
            fprintf(tree->file, "%7.2f%% %8s  %*s%s(%" PRIu32 " lighter one%s)\n",
                    percent(branch->hidden, tree->layout->rows[0].total), "", (int)branch->indent, "",
                    parts(branch) ? "- " : "", branch->hidden_count, branch->hidden_count > 1 ? "s" : "");
    }
}

static void put_tree(struct tree *tree)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < tree->layout->count; i++) {
        const struct layout_row *row = &tree->layout->rows[i];
        if (row->depth && !is_shown(tree->layout, i))
            continue; // and so are all its children
        close_branches(tree, depth, row->depth);
        put_row(tree, i);
        tree->path[row->depth] = i;
        depth = row->depth + 1;
    }
    close_branches(tree, depth, 0);
}

static int write_tree(const struct picture *picture, FILE *file, struct fault *fault)
{
    (void)fault;
    _cleanup_(layout__release) struct layout layout = {0};
    int err = layout__make(picture->profile, 0, picture->measure, LAYOUT_BY_WEIGHT, &layout);
    if (err)
        return err;
    _cleanup_free_ struct branch *branches = calloc(layout.count, sizeof(*branches));
    _cleanup_free_ uint32_t *path = calloc((size_t)layout.depth + 1, sizeof(*path));
    if (!branches || !path)
        return -ENOMEM;
    struct tree tree = {picture, &layout, branches, path, file};
    format__put_head(picture, file);
    fprintf(file, "%8s %8s  FUNCTION\n", "TOTAL%", "SELF%");
    count_children(&tree);
    put_tree(&tree);
    format__put_losses(picture, file);
    return 0;
}

const struct format format_tree = {
    .name = "tree",
    .suffixes = (const char *const[]){".tree", ".tree.txt", NULL},
    .summary = "the call tree as text, the heaviest branch first",
    .shows_losses = true,
    .write = write_tree,
};
