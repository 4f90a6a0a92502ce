// The rows of a live table, made of a profile: what `hearth top` shows, apart from how.
//
//   TOP_FUNCTIONS   a row a function      memcpy                     self: counted in it; total: in stacks it stands in
//   TOP_PROCESSES   a row a root          nginx-4242                 self and total: all of it
//   TOP_UNITS       a row a root          nginx.service
//   TOP_STACKS      a row a stack         memcpy < serve < main      innermost first
//
// A row has an id made of its names, by which it is found again in the next profile. Below each row there is a tree:
// the calls below a function or a root, wherever it was called from; of a stack, its frames.
#ifndef HEARTH_REPORT_TOP_TOP_ROWS_H
#define HEARTH_REPORT_TOP_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/profile/layout.h"

enum top_view { TOP_FUNCTIONS, TOP_PROCESSES, TOP_UNITS, TOP_STACKS, TOP_VIEWS };
enum top_sort { TOP_BY_SELF, TOP_BY_TOTAL, TOP_BY_NAME, TOP_SORTS };

struct top_row {
    char *name;         // clean
    const char *module; // clean, "" none; of a stack, its root; borrowed from the profile, or from the tree
    uint64_t id;        // of the thing that the row stands for
    uint64_t self, total;
    uint32_t depth; // of a tree: how far the name is indented
};

struct top_rows {
    struct top_row *rows;
    size_t count;
    uint64_t whole;       // 100 %
    struct profile *tree; // that of a tree; else NULL
};

struct top_choice {
    enum top_view view;
    enum top_sort sort;
    bool is_reversed;
    const char *filter; // part of a name, in any case; NULL or "": all
};

// The profile is by process for TOP_PROCESSES, by unit for TOP_UNITS. -ENOMEM.
int top_rows__make(const struct profile *profile, enum layout_measure measure, const struct top_choice *choice,
                   struct top_rows *ret_rows);
// The tree below the row of that view and id, the heaviest branch first, without the branches lighter than
// TOP_LEAST_SHARE. A filter leaves what matches, and what leads there. No rows: there is no such row. `whole` is that
// of the profile. -ENOMEM.
#define TOP_LEAST_SHARE 0.005
int top_rows__make_tree(const struct profile *profile, enum layout_measure measure, enum top_view view, uint64_t id,
                        const char *filter, struct top_rows *ret_rows);
void top_rows__release(struct top_rows *rows);

// Whether the filter is part of the name, in any case; that of ASCII letters alone.
bool top_rows__matches(const char *name, const char *filter);

#endif
