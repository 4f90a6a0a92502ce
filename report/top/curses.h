// The calls of ncurses, as `curses.waddnstr(...)`. The libraries are opened when a screen begins: linked, they would
// be loaded at each start of any command.
#ifndef HEARTH_REPORT_TOP_CURSES_H
#define HEARTH_REPORT_TOP_CURSES_H

#define NCURSES_NOMACROS
#include <curses.h>

#include "store/base/fault.h"

char *tigetstr(const char *name); // of term.h, whose macros take common words

#define CURSES_CALLS(CALL)                                                                                             \
    CALL(cbreak)                                                                                                       \
    CALL(curs_set)                                                                                                     \
    CALL(def_prog_mode)                                                                                                \
    CALL(delscreen)                                                                                                    \
    CALL(endwin)                                                                                                       \
    CALL(has_colors)                                                                                                   \
    CALL(init_pair)                                                                                                    \
    CALL(intrflush)                                                                                                    \
    CALL(keypad)                                                                                                       \
    CALL(newterm)                                                                                                      \
    CALL(newwin)                                                                                                       \
    CALL(nodelay)                                                                                                      \
    CALL(noecho)                                                                                                       \
    CALL(nonl)                                                                                                         \
    CALL(resizeterm)                                                                                                   \
    CALL(set_escdelay)                                                                                                 \
    CALL(start_color)                                                                                                  \
    CALL(tigetstr)                                                                                                     \
    CALL(use_default_colors)                                                                                           \
    CALL(waddnstr)                                                                                                     \
    CALL(wattrset)                                                                                                     \
    CALL(wclear)                                                                                                       \
    CALL(werase)                                                                                                       \
    CALL(wgetch)                                                                                                       \
    CALL(wmove)                                                                                                        \
    CALL(wrefresh)                                                                                                     \
    CALL(wresize)

struct curses {
#define CALL(name) __typeof__(name) *name;
    CURSES_CALLS(CALL)
#undef CALL
};
extern struct curses curses;

// Before any other call. -ENOENT with a fault: the library is not installed, or lacks a call.
int curses__load(struct fault *fault);

#endif
