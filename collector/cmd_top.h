#ifndef HEARTH_COLLECTOR_CMD_TOP_H
#define HEARTH_COLLECTOR_CMD_TOP_H

#include "store/base/command.h"

extern const struct command cmd_top;

#endif
