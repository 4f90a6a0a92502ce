// The text of -h, printed from the tables of the commands and their options.
#ifndef HEARTH_COLLECTOR_HELP_HELP_H
#define HEARTH_COLLECTOR_HELP_HELP_H

#include <stdio.h>

#include "store/base/command.h"

void help__print_command(const struct command *command, FILE *file);

// Of hearth itself: its commands, ended by NULL.
void help__print_overview(const struct command *const *commands, FILE *file);

// Calls `print` with each option of a table, spelled "-i, --input STORE". Where an earlier row has the letter too, the
// option is known by its name alone; where one has the name, the option is that one, and left out.
typedef void help_print_fn(FILE *file, const struct option_row *row, const char *spelled);
void help__each_option(const struct option_row *rows, help_print_fn *print, FILE *file);

#endif
