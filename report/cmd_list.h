// The command `hearth list`: what a store holds.
#ifndef HEARTH_REPORT_CMD_LIST_H
#define HEARTH_REPORT_CMD_LIST_H

#include "store/base/command.h"

extern const struct command cmd_list;

#endif
