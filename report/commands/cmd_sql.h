#ifndef HEARTH_REPORT_COMMANDS_CMD_SQL_H
#define HEARTH_REPORT_COMMANDS_CMD_SQL_H

#include "store/base/command.h"

extern const struct command cmd_sql;

#endif
