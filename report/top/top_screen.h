// Draws a live table on the terminal, and reads its keys.
//
//   hearth top  cpu, 99 Hz; the last 10 s: 1,980 samples, 198/s; hearth 0.4 % CPU        the head
//   lost: nothing
//     SELF%  TOTAL%         SELF  FUNCTION                                    BINARY     reversed
//    60.00%  60.00%       6.00 s  leaf_a                                      chain      a row each, one of them chosen
//   1 function 2 process ...                                                             keys, filter, or a message
//
// All text goes through safe_text.h and display_width.h: no byte of a stranger is a command to the terminal.
#ifndef HEARTH_REPORT_TOP_TOP_SCREEN_H
#define HEARTH_REPORT_TOP_TOP_SCREEN_H

#include "report/top/top.h"
#include "store/base/fault.h"

struct top_screen;

struct top_head {
    const char *event;   // "cpu"
    const char *rate;    // "99 Hz"; "" none
    const char *message; // of the last line; NULL: none
};

// Whether stdin and stdout are a terminal. -ENOTTY and EXIT_CODE_USAGE.
int top_screen__check(struct fault *fault);
// -ENOENT and EXIT_CODE_LACKS: ncurses is not there; -EINVAL and EXIT_CODE_USAGE: $TERM is unknown to it.
int top_screen__open(struct fault *fault, struct top_screen **ret_screen);
// Gives the terminal back as it was.
void top_screen__close(struct top_screen *screen);

// Asks the terminal for its size.
void top_screen__resize(struct top_screen *screen);
void top_screen__draw(struct top_screen *screen, struct top *top, const struct top_head *head);
// The next key that was pressed, as top__press() takes them; -1: none.
int top_screen__key(struct top_screen *screen);

DEFINE_CLEANUP(struct top_screen *, top_screen__close);

#endif
