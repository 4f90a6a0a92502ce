// The command `hearth unwind-rows`.
#ifndef HEARTH_REPORT_COMMANDS_CMD_UNWIND_ROWS_H
#define HEARTH_REPORT_COMMANDS_CMD_UNWIND_ROWS_H

#include "store/base/command.h"

extern const struct command cmd_unwind_rows;

#endif
