// What -h prints, from the tables of the commands and their options.
#ifndef HEARTH_COLLECTOR_HELP_HELP_H
#define HEARTH_COLLECTOR_HELP_HELP_H

#include <stdio.h>

#include "store/base/command.h"

void help__print_command(const struct command *command, FILE *file);

// Of hearth itself: its commands, ended by NULL.
void help__print_overview(const struct command *const *commands, FILE *file);

// "-i, --input STORE", in `out`. An option whose letter is also that of an earlier row of the table is known by its
// name alone, as the earlier one takes the letter.
enum { HELP_OPTION_BYTES = 64 };
void help__spell_option(const struct option_row *rows, const struct option_row *row, char out[HELP_OPTION_BYTES]);

#endif
