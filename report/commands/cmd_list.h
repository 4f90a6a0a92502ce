// The part of `hearth list` that reads a store; collector/cmd_list.c adds the events and probes of this machine.
#ifndef HEARTH_REPORT_COMMANDS_CMD_LIST_H
#define HEARTH_REPORT_COMMANDS_CMD_LIST_H

#include "report/query/filter.h"
#include "store/base/command.h"

struct list_options {
    const char *store;
    struct filter filter;
};

extern const struct option_row list_option_rows[]; // of a struct list_options

enum exit_code cmd_list_stored__run(const struct list_options *options, int argc, char **argv);
void cmd_list_stored__print_subjects(FILE *file);

#endif
