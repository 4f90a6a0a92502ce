#include "report/top/top_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "report/text/display_width.h"
#include "report/text/text.h"
#include "report/top/curses.h"
#include "report/top/terminal.h"

#define HEAD_LINES      3
#define LEAST_LINES     (HEAD_LINES + 2)
#define LEAST_COLUMNS   20
#define LINES_MOST      1000 // a terminal may say anything of its size
#define COLUMNS_MOST    1000
#define MODULE_COLUMNS  14 // at least, on a screen that has room for it
#define NUMBERS_COLUMNS 31 // up to the name
#define ESCAPE_DELAY_MS 50

enum pair { PAIR_HOT = 1, PAIR_WARM, PAIR_LOST };

struct top_screen {
    SCREEN *screen;
    WINDOW *window;
    int lines, columns;
    bool is_utf8, has_colors;
};

int top_screen__check(struct fault *fault)
{
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -ENOTTY,
                           "top draws on a terminal, and stdin or stdout is none; `hearth record -d 5 -o -` prints the "
                           "functions of five seconds");
}

// --- Begin and end

static void put_byte_sequence(const char *name, char *text, size_t bytes)
{
    const char *sequence = curses.tigetstr(name);
    size_t used = strlen(text);
    if (sequence && sequence != (const char *)-1 && used + strlen(sequence) < bytes)
        memcpy(text + used, sequence, strlen(sequence) + 1);
}

// The same that endwin() writes.
static void watch_signals(void)
{
    static const char *const names[] = {"sgr0", "rmkx", "cnorm", "rmcup"};
    char bytes[256] = "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        put_byte_sequence(names[i], bytes, sizeof(bytes));
    terminal__watch(bytes);
}

// Without a locale of UTF-8 no character beyond ASCII is sent.
static bool choose_locale(void)
{
    return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void set_modes(struct top_screen *screen)
{
    curses.cbreak(); // not raw: ^C and ^Z are signals
    curses.noecho();
    curses.nonl();
    curses.set_escdelay(ESCAPE_DELAY_MS);
    curses.intrflush(screen->window, false);
    curses.keypad(screen->window, true);
    curses.nodelay(screen->window, true);
    curses.curs_set(0);
    screen->has_colors = curses.has_colors() && curses.start_color() == OK;
    if (!screen->has_colors)
        return;
    short background = curses.use_default_colors() == OK ? -1 : COLOR_BLACK;
    curses.init_pair(PAIR_HOT, COLOR_RED, background);
    curses.init_pair(PAIR_WARM, COLOR_YELLOW, background);
    curses.init_pair(PAIR_LOST, COLOR_RED, background);
}

int top_screen__open(struct fault *fault, struct top_screen **ret_screen)
{
    int err = curses__load(fault);
    if (err)
        return err;
    struct top_screen *screen = calloc(1, sizeof(*screen));
    if (!screen)
        return fault__set(fault, -ENOMEM, "out of memory");
    err = terminal__keep();
    screen->is_utf8 = choose_locale();
    const char *kind = getenv("TERM");
    if (!err)
        screen->screen = curses.newterm(kind, stdout, stdin);
    if (screen->screen)
        screen->window = curses.newwin(0, 0, 0, 0);
    if (!screen->window) {
        if (screen->screen)
            curses.endwin();
        free(screen);
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "cannot draw on a terminal of the kind '%s'; set TERM",
                               kind ? kind : "");
    }
    set_modes(screen);
    watch_signals();
    top_screen__resize(screen);
    *ret_screen = screen;
    return 0;
}

void top_screen__close(struct top_screen *screen)
{
    if (!screen)
        return;
    curses.wmove(screen->window, screen->lines - 1, 0);
    curses.curs_set(1);
    curses.endwin();
    terminal__leave();
    curses.delscreen(screen->screen);
    free(screen);
}

static int within(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

void top_screen__resize(struct top_screen *screen)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row || !size.ws_col)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    screen->lines = within(size.ws_row, 1, LINES_MOST);
    screen->columns = within(size.ws_col, 1, COLUMNS_MOST);
    curses.resizeterm(screen->lines, screen->columns);
    curses.wresize(screen->window, screen->lines, screen->columns);
    curses.wclear(screen->window); // draws all of it anew
}

// --- Lines

// A line up to the right edge, whatever the text: cut, and filled with blanks.
static void put_line(struct top_screen *screen, int line, const char *text, attr_t look)
{
    _cleanup_(buf__release) struct buf safe = {0}, cut = {0};
    if (line >= screen->lines || line < 0)
        return;
    safe_text__append(&safe, text);
    buf__append_byte(&safe, '\0');
    if (safe.failed)
        return;
    size_t columns = (size_t)screen->columns, used = 0;
    used = display_width__append(&cut, (const char *)safe.data, columns, screen->is_utf8);
    for (; used < columns; used++)
        buf__append_byte(&cut, ' ');
    if (cut.failed)
        return;
    curses.wmove(screen->window, line, 0);
    curses.wattrset(screen->window, (int)look);
    curses.waddnstr(screen->window, (const char *)cut.data, (int)cut.length_bytes);
    curses.wattrset(screen->window, A_NORMAL);
}

__attribute__((format(printf, 4, 5))) static void put(struct top_screen *screen, int line, attr_t look,
                                                      const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        text = NULL;
    else
        put_line(screen, line, text, look);
}

static attr_t coloured(const struct top_screen *screen, enum pair pair)
{
    return screen->has_colors ? (attr_t)NCURSES_BITS(pair, 0) : A_NORMAL;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_head(struct top_screen *screen, const struct top_look *look, const struct top_head *head)
{
    const struct top_window *window = look->window;
    double span_s = (double)(window->until_ns - window->since_ns) / 1e9;
    char samples[TEXT_AMOUNT_BYTES];
    text__amount((wide)window->samples, "", samples);
    if (!window->until_ns) {
        put(screen, 0, A_BOLD, "hearth top  %s%s%s: the first samples come in a moment", head->event,
            *head->rate ? ", " : "", head->rate);
        return;
    }
    put(screen, 0, A_BOLD, "hearth top  %s%s%s; %.0f s: %s samples, %.0f/s; hearth %.1f%% CPU%s", head->event,
        *head->rate ? ", " : "", head->rate, span_s, samples, span_s > 0 ? (double)window->samples / span_s : 0,
        span_s > 0 ? 100.0 * (double)(window->losses.own_cpu_ns + window->losses.own_bpf_ns) / 1e9 / span_s : 0,
        look->is_frozen ? "  [frozen]" : "");
}

static void put_losses(struct top_screen *screen, const struct top_look *look)
{
    char losses[400], part[160] = "";
    loss_list__print(&look->window->losses, losses, sizeof(losses));
    if (look->choice.filter[0] && !look->is_typing)
        snprintf(part, sizeof(part), "filter: %s; ", look->choice.filter);
    put(screen, 1, *losses ? coloured(screen, PAIR_LOST) : A_NORMAL, "%slost or cut: %s", part,
        *losses ? losses : "nothing");
}

static void put_titles(struct top_screen *screen, const struct top_look *look)
{
    char title[200];
    if (look->subject)
        snprintf(title, sizeof(title), "BELOW %s", look->subject);
    else
        snprintf(title, sizeof(title), "%s, by %s%s", top_view__word(look->choice.view),
                 top_sort__word(look->choice.sort), look->choice.is_reversed ? ", reversed" : "");
    put(screen, 2, A_REVERSE, "  SELF%%  TOTAL%% %12s  %s", look->subject ? "TOTAL" : "SELF", title);
}

static attr_t look_of_row(const struct top_screen *screen, const struct top_look *look, size_t i)
{
    const struct top_row *row = &look->rows->rows[i];
    double share = percent(look->subject ? row->total : row->self, look->rows->whole);
    attr_t colour = share >= 20 ? coloured(screen, PAIR_HOT) : share >= 5 ? coloured(screen, PAIR_WARM) : A_NORMAL;
    return i == look->chosen ? A_REVERSE : colour;
}

static size_t module_columns(size_t left)
{
    return left < 3 * MODULE_COLUMNS ? 0 : left / 4 > MODULE_COLUMNS ? left / 4 : MODULE_COLUMNS;
}

// The name and, at the right of a wide screen, the binary.
static void put_row(struct top_screen *screen, const struct top_look *look, size_t i, int line)
{
    const struct top_row *row = &look->rows->rows[i];
    char amount[TEXT_AMOUNT_BYTES], numbers[2 * TEXT_AMOUNT_BYTES];
    _cleanup_(buf__release) struct buf text = {0}, name = {0};
    text__amount((wide)(look->subject ? row->total : row->self), look->window->unit, amount);
    snprintf(numbers, sizeof(numbers), "%6.2f%% %6.2f%% %12s  ", percent(row->self, look->rows->whole),
             percent(row->total, look->rows->whole), amount);
    size_t columns = (size_t)screen->columns, left = columns > NUMBERS_COLUMNS ? columns - NUMBERS_COLUMNS : 0;
    size_t module = *row->module ? module_columns(left) : 0, used = 0;
    size_t room = left - (module ? module + 2 : 0);
    for (uint32_t depth = 0; depth < row->depth && used + 10 < room; depth++, used++)
        buf__append_byte(&name, ' ');
    used += display_width__append(&name, row->name, room - used, screen->is_utf8);
    buf__append_string(&text, numbers);
    buf__append(&text, name.data, name.length_bytes);
    for (; module && used < room + 2; used++)
        buf__append_byte(&text, ' ');
    if (module)
        display_width__append(&text, row->module, module, screen->is_utf8);
    buf__append_byte(&text, '\0');
    if (!text.failed && !name.failed)
        put_line(screen, line, (const char *)text.data, look_of_row(screen, look, i));
}

static void put_rows(struct top_screen *screen, const struct top_look *look, size_t visible)
{
    for (size_t i = 0; i < visible && look->first + i < look->rows->count; i++)
        put_row(screen, look, look->first + i, HEAD_LINES + (int)i);
    if (look->rows->count == 0 && look->window->until_ns)
        put(screen, HEAD_LINES, A_NORMAL, "  nothing%s", look->choice.filter[0] ? " that the filter leaves" : " yet");
}

static void put_foot(struct top_screen *screen, const struct top_look *look, const struct top_head *head)
{
    int line = screen->lines - 1;
    if (look->is_typing)
        put(screen, line, A_BOLD, "filter: %s_   Enter: keep, Esc: none", look->choice.filter);
    else if (head->message)
        put(screen, line, coloured(screen, PAIR_LOST), "%s", head->message);
    else
        put(screen, line, A_REVERSE, "1 function 2 process 3 unit 4 stack < > sort / filter Space freeze Enter h q");
}

static const char *const help[] = {
    "1 2 3 4, f p u s, Tab   by function, process, unit, stack",
    "< >                     sort by self, total, name",
    "r                       the other way round",
    "/                       only names that hold a text; Esc: all",
    "Space, z                freeze, and go on",
    "Enter, Right            the tree below the row",
    "Esc, Left, Backspace    back",
    "Up Down PgUp PgDn g G   choose a row",
    "+ -                     more seconds, fewer",
    "h ?                     this; any key: back",
    "q, ^C                   end",
};

static void put_help(struct top_screen *screen)
{
    for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
        put(screen, HEAD_LINES + (int)i, A_NORMAL, "  %s", help[i]);
}

void top_screen__draw(struct top_screen *screen, struct top *top, const struct top_head *head)
{
    struct top_look look;
    size_t visible = screen->lines > HEAD_LINES + 1 ? (size_t)(screen->lines - HEAD_LINES - 1) : 1;
    top__fit(top, visible);
    top__look(top, &look);
    curses.werase(screen->window);
    put_head(screen, &look, head);
    put_losses(screen, &look);
    put_titles(screen, &look);
    if (look.shows_help)
        put_help(screen);
    else
        put_rows(screen, &look, visible);
    put_foot(screen, &look, head);
    curses.wrefresh(screen->window);
}

// --- Keys

static const struct {
    int code, key;
} keys[] = {
    {KEY_UP, TOP_KEY_UP},         {KEY_DOWN, TOP_KEY_DOWN},
    {KEY_LEFT, TOP_KEY_LEFT},     {KEY_RIGHT, TOP_KEY_RIGHT},
    {KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
    {KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
    {KEY_ENTER, TOP_KEY_ENTER},   {'\r', TOP_KEY_ENTER},
    {'\n', TOP_KEY_ENTER},        {27, TOP_KEY_ESCAPE},
    {127, TOP_KEY_BACKSPACE},     {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
    {8, TOP_KEY_BACKSPACE},
};

int top_screen__key(struct top_screen *screen)
{
    int code;
    while ((code = curses.wgetch(screen->window)) != ERR) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (keys[i].code == code)
                return keys[i].key;
        if (code <= 0xff)
            return code;
    }
    return -1;
}
