// The exit codes of every command: a promise to scripts, printed by `hearth help`.
#ifndef HEARTH_STORE_BASE_EXIT_CODE_H
#define HEARTH_STORE_BASE_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_LACKS = 3, // a privilege or a kernel feature is missing; the message names it
    EXIT_CODE_EMPTY = 4, // nothing in that range
};

#endif
