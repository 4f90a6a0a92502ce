// A live table while somebody looks at it: the view, the order, the filter, the row that is chosen, the tree below it,
// and what each key does. Knows no terminal: top_screen.h draws it.
#ifndef HEARTH_REPORT_TOP_TOP_H
#define HEARTH_REPORT_TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/top/top_rows.h"
#include "report/top/top_window.h"
#include "store/base/cleanup.h"

// Keys that are no characters, beyond the code points.
enum top_key {
    TOP_KEY_UP = 0x110000,
    TOP_KEY_DOWN,
    TOP_KEY_LEFT,
    TOP_KEY_RIGHT,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_ENTER,
    TOP_KEY_ESCAPE,
    TOP_KEY_BACKSPACE,
};

struct top;

int top__new(struct top **ret_top); // -ENOMEM
void top__free(struct top *top);

// Takes the window, whatever comes of it. One that comes while the table is frozen is not shown.
int top__take(struct top *top, struct top_window *window);
// -ENOMEM. *ret_ends: the key ends the table.
int top__press(struct top *top, int key, bool *ret_ends);
// So many rows are to be seen: has the chosen one among them.
void top__fit(struct top *top, size_t visible);

// The parts that are to be seen, borrowed until the next call of those above.
struct top_look {
    const struct top_rows *rows;
    size_t first, chosen; // rows; first is the topmost one that is seen
    struct top_choice choice;
    const char *subject;                   // of a tree, the row that it is below; else NULL
    bool is_frozen, is_typing, shows_help; // is_typing: the filter
    const struct top_window *window;
};
void top__look(const struct top *top, struct top_look *ret_look);

// The seconds that are wanted of the next window.
unsigned top__seconds(const struct top *top);

const char *top_view__word(enum top_view view); // "function"
const char *top_sort__word(enum top_sort sort);

DEFINE_CLEANUP(struct top *, top__free);

#endif
