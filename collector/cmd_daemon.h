#ifndef HEARTH_COLLECTOR_CMD_DAEMON_H
#define HEARTH_COLLECTOR_CMD_DAEMON_H

#include "store/base/command.h"

extern const struct command cmd_daemon;

#endif
