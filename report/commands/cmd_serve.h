// `hearth serve`, for the table of commands in collector/main.c.
#ifndef HEARTH_REPORT_COMMANDS_CMD_SERVE_H
#define HEARTH_REPORT_COMMANDS_CMD_SERVE_H

#include "store/base/command.h"

extern const struct command cmd_serve;

#endif
