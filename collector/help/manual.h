// The manual pages, in the man(7) macros, from the tables that -h prints. `make install` makes them:
//
//   hearth --print-manual            hearth(1)
//   hearth --print-manual record     hearth-record(1)
//   hearth --print-completion        the completion of bash
#ifndef HEARTH_COLLECTOR_HELP_MANUAL_H
#define HEARTH_COLLECTOR_HELP_MANUAL_H

#include <stdio.h>

#include "store/base/command.h"

// -ENOMEM, or an error of the stream in memory that the pieces are printed to first.
int manual__print_command(const struct command *command, FILE *file);
void manual__print_overview(const struct command *const *commands, FILE *file);
void manual__print_completion(const struct command *const *commands, FILE *file);

#endif
