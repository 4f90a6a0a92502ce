#include "report/top/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_BYTES   64
#define SUBJECTS_MOST  16 // trees below rows of trees, to go back to
#define PAGE_DEFAULT   10
#define SECONDS_CHOSEN 3 // 10 s

static const unsigned seconds[] = {1, 2, 5, 10, 30, 60};
#define SECONDS_COUNT (sizeof(seconds) / sizeof(seconds[0]))

// A row that the table shows the tree of.
struct subject {
    enum top_view view; // whose row it is; a row of a tree is a function
    uint64_t id;
    char *name;
    uint64_t came_from; // the row that was chosen there
};

struct top {
    struct top_window window;
    struct top_rows rows;
    struct top_choice choice;
    char filter[FILTER_BYTES];
    struct subject subjects[SUBJECTS_MOST];
    size_t subject_count;
    size_t first, chosen, visible;
    uint64_t chosen_id; // 0: the topmost row, whichever it is
    size_t seconds_at;
    bool is_frozen, is_typing, shows_help;
};

const char *top_view__word(enum top_view view)
{
    static const char *const words[TOP_VIEWS] = {"function", "process", "unit", "stack"};
    return words[view];
}

const char *top_sort__word(enum top_sort sort)
{
    static const char *const words[TOP_SORTS] = {"self", "total", "name"};
    return words[sort];
}

int top__new(struct top **ret_top)
{
    struct top *top = calloc(1, sizeof(*top));
    if (!top)
        return -ENOMEM;
    top->seconds_at = SECONDS_CHOSEN;
    top->visible = PAGE_DEFAULT;
    top->choice.filter = top->filter;
    *ret_top = top;
    return 0;
}

static void leave_subject(struct top *top)
{
    free(top->subjects[--top->subject_count].name);
}

void top__free(struct top *top)
{
    if (!top)
        return;
    while (top->subject_count)
        leave_subject(top);
    top_rows__release(&top->rows);
    top_window__release(&top->window);
    free(top);
}

unsigned top__seconds(const struct top *top)
{
    return seconds[top->seconds_at];
}

// --- Rows

static void choose(struct top *top, size_t row)
{
    top->chosen = row;
    top->chosen_id = row && row < top->rows.count ? top->rows.rows[row].id : 0;
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

// The same row as before, wherever it stands now; the nearest one where a tree has several of that function. A row that
// is gone leaves its place to the next.
static void find_chosen(struct top *top)
{
    size_t last = top->rows.count ? top->rows.count - 1 : 0, found = SIZE_MAX;
    for (size_t i = 0; i < top->rows.count && top->chosen_id; i++)
        if (top->rows.rows[i].id == top->chosen_id &&
            (found == SIZE_MAX || distance(i, top->chosen) < distance(found, top->chosen)))
            found = i;
    if (!top->chosen_id)
        top->chosen = 0;
    else if (found != SIZE_MAX)
        top->chosen = found;
    if (top->chosen > last)
        top->chosen = last;
    top__fit(top, top->visible);
}

static const struct profile *profile_of(const struct top *top, enum top_view view)
{
    return view == TOP_UNITS ? top->window.by_unit : top->window.by_process;
}

static int make_rows(struct top *top)
{
    struct top_rows rows = {0};
    const struct subject *subject = top->subject_count ? &top->subjects[top->subject_count - 1] : NULL;
    const struct profile *profile = profile_of(top, subject ? top->subjects[0].view : top->choice.view);
    if (!profile)
        return 0; // no window yet
    int err = subject
                  ? top_rows__make_tree(profile, top->window.measure, subject->view, subject->id, top->filter, &rows)
                  : top_rows__make(profile, top->window.measure, &top->choice, &rows);
    if (err)
        return err;
    top_rows__release(&top->rows);
    top->rows = rows;
    find_chosen(top);
    return 0;
}

int top__take(struct top *top, struct top_window *window)
{
    if (top->is_frozen) {
        top_window__release(window);
        return 0;
    }
    struct top_window before = top->window;
    top->window = *window;
    *window = (struct top_window){0};
    int err = make_rows(top); // the rows before borrow from the window before
    if (err)
        top_rows__release(&top->rows);
    top_window__release(&before);
    return err;
}

void top__fit(struct top *top, size_t visible)
{
    top->visible = visible ? visible : 1;
    if (top->chosen < top->first)
        top->first = top->chosen;
    if (top->chosen >= top->first + top->visible)
        top->first = top->chosen - top->visible + 1;
    if (top->first + top->visible > top->rows.count)
        top->first = top->rows.count > top->visible ? top->rows.count - top->visible : 0;
}

// --- Keys

static void move(struct top *top, long by)
{
    long last = top->rows.count ? (long)top->rows.count - 1 : 0, row = (long)top->chosen + by;
    choose(top, (size_t)(row < 0 ? 0 : row > last ? last : row));
    top__fit(top, top->visible);
}

static void start_over(struct top *top)
{
    top->first = 0;
    choose(top, 0);
}

static int show_view(struct top *top, enum top_view view)
{
    while (top->subject_count)
        leave_subject(top);
    top->choice.view = view;
    start_over(top);
    return make_rows(top);
}

// The tree below the chosen row; of a row of a tree, that of the function, wherever it is called from.
static int enter(struct top *top)
{
    if (top->chosen >= top->rows.count || top->subject_count == SUBJECTS_MOST)
        return 0;
    const struct top_row *row = &top->rows.rows[top->chosen];
    struct subject *subject = &top->subjects[top->subject_count];
    *subject = (struct subject){.view = top->subject_count ? TOP_FUNCTIONS : top->choice.view,
                                .id = row->id,
                                .name = strdup(row->name),
                                .came_from = top->chosen_id};
    if (!subject->name)
        return -ENOMEM;
    top->subject_count++;
    top->filter[0] = '\0';
    start_over(top);
    return make_rows(top);
}

// Out of the tree, else of the filter.
static int go_back(struct top *top)
{
    if (top->filter[0]) {
        top->filter[0] = '\0';
    } else if (top->subject_count) {
        top->chosen_id = top->subjects[top->subject_count - 1].came_from;
        leave_subject(top);
    }
    return make_rows(top);
}

static int sort_by(struct top *top, enum top_sort sort, bool is_reversed)
{
    top->choice.sort = sort;
    top->choice.is_reversed = is_reversed;
    start_over(top);
    return make_rows(top);
}

static int type(struct top *top, int key)
{
    size_t length = strlen(top->filter);
    if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE) {
        top->is_typing = false;
        if (key == TOP_KEY_ESCAPE)
            top->filter[0] = '\0';
    } else if (key == TOP_KEY_BACKSPACE) {
        while (length && (top->filter[length - 1] & 0xc0) == 0x80) // the rest of a character of UTF-8
            length--;
        top->filter[length ? length - 1 : 0] = '\0';
    } else if (key >= 0x20 && key <= 0xff && key != 0x7f && length + 1 < sizeof(top->filter)) {
        top->filter[length] = (char)key;
        top->filter[length + 1] = '\0';
    } else {
        return 0;
    }
    start_over(top);
    return make_rows(top);
}

static bool moves(struct top *top, int key)
{
    long page = (long)top->visible;
    switch (key) {
    case TOP_KEY_UP:
    case 'k':
        move(top, -1);
        return true;
    case TOP_KEY_DOWN:
    case 'j':
        move(top, 1);
        return true;
    case TOP_KEY_PAGE_UP:
        move(top, -page);
        return true;
    case TOP_KEY_PAGE_DOWN:
        move(top, page);
        return true;
    case TOP_KEY_HOME:
    case 'g':
        move(top, -(long)top->rows.count);
        return true;
    case TOP_KEY_END:
    case 'G':
        move(top, (long)top->rows.count);
        return true;
    default:
        return false;
    }
}

static int choose_by_key(struct top *top, int key)
{
    const struct top_choice *choice = &top->choice;
    switch (key) {
    case '1':
    case 'f':
        return show_view(top, TOP_FUNCTIONS);
    case '2':
    case 'p':
        return show_view(top, TOP_PROCESSES);
    case '3':
    case 'u':
        return show_view(top, TOP_UNITS);
    case '4':
    case 's':
        return show_view(top, TOP_STACKS);
    case '\t':
        return show_view(top, (choice->view + 1) % TOP_VIEWS);
    case '>':
        return sort_by(top, (choice->sort + 1) % TOP_SORTS, false);
    case '<':
        return sort_by(top, (choice->sort + TOP_SORTS - 1) % TOP_SORTS, false);
    case 'r':
        return sort_by(top, choice->sort, !choice->is_reversed);
    case TOP_KEY_ENTER:
    case TOP_KEY_RIGHT:
        return enter(top);
    case TOP_KEY_ESCAPE:
    case TOP_KEY_LEFT:
    case TOP_KEY_BACKSPACE:
        return go_back(top);
    default:
        return 0;
    }
}

static void change_seconds(struct top *top, bool more)
{
    if (more && top->seconds_at + 1 < SECONDS_COUNT)
        top->seconds_at++;
    else if (!more && top->seconds_at)
        top->seconds_at--;
}

int top__press(struct top *top, int key, bool *ret_ends)
{
    *ret_ends = false;
    if (top->is_typing)
        return type(top, key);
    if (top->shows_help && key != 'q') {
        top->shows_help = false;
        return 0;
    }
    if (moves(top, key))
        return 0;
    switch (key) {
    case 'q':
        *ret_ends = true;
        return 0;
    case 'h':
    case '?':
        top->shows_help = true;
        return 0;
    case '/':
        top->is_typing = true;
        return 0;
    case ' ':
    case 'z':
        top->is_frozen = !top->is_frozen;
        return 0;
    case '+':
    case '-':
        change_seconds(top, key == '+');
        return 0;
    default:
        return choose_by_key(top, key);
    }
}

void top__look(const struct top *top, struct top_look *ret_look)
{
    *ret_look = (struct top_look){
        .rows = &top->rows,
        .first = top->first,
        .chosen = top->chosen,
        .choice = top->choice,
        .subject = top->subject_count ? top->subjects[top->subject_count - 1].name : NULL,
        .is_frozen = top->is_frozen,
        .is_typing = top->is_typing,
        .shows_help = top->shows_help,
        .window = &top->window,
    };
}
