#ifndef HEARTH_REPORT_COMMANDS_CMD_REPORT_H
#define HEARTH_REPORT_COMMANDS_CMD_REPORT_H

#include "store/base/command.h"

extern const struct command cmd_report;

#endif
