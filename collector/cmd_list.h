#ifndef HEARTH_COLLECTOR_CMD_LIST_H
#define HEARTH_COLLECTOR_CMD_LIST_H

#include "store/base/command.h"

extern const struct command cmd_list;

#endif
