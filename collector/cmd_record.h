#ifndef HEARTH_COLLECTOR_CMD_RECORD_H
#define HEARTH_COLLECTOR_CMD_RECORD_H

#include "store/base/command.h"

extern const struct command cmd_record;

#endif
