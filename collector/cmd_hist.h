#ifndef HEARTH_COLLECTOR_CMD_HIST_H
#define HEARTH_COLLECTOR_CMD_HIST_H

#include "store/base/command.h"

extern const struct command cmd_hist;

#endif
