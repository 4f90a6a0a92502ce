#ifndef HEARTH_REPORT_COMMANDS_CMD_STAT_H
#define HEARTH_REPORT_COMMANDS_CMD_STAT_H

#include "store/base/command.h"

extern const struct command cmd_stat;

#endif
