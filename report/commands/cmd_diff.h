// The command `hearth diff`.
#ifndef HEARTH_REPORT_COMMANDS_CMD_DIFF_H
#define HEARTH_REPORT_COMMANDS_CMD_DIFF_H

#include "store/base/command.h"

extern const struct command cmd_diff;

#endif
