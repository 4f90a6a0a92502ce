#ifndef HEARTH_COLLECTOR_CMD_DOCTOR_H
#define HEARTH_COLLECTOR_CMD_DOCTOR_H

#include "store/base/command.h"

extern const struct command cmd_doctor;

#endif
