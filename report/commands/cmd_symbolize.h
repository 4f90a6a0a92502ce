#ifndef HEARTH_REPORT_COMMANDS_CMD_SYMBOLIZE_H
#define HEARTH_REPORT_COMMANDS_CMD_SYMBOLIZE_H

#include "store/base/command.h"

extern const struct command cmd_symbolize;

#endif
