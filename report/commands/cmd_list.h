// What a store holds: the offline part of `hearth list`, to which collector/cmd_list.c adds what can be recorded here.
#ifndef HEARTH_REPORT_COMMANDS_CMD_LIST_H
#define HEARTH_REPORT_COMMANDS_CMD_LIST_H

#include "report/query/filter.h"
#include "store/base/command.h"

struct list_options {
    const char *store;
    struct filter filter;
};
extern struct list_options list_options;

// Rows for a command's table of options.
#define LIST_OPTION_ROWS(list)                                                                                         \
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string, &(list).store},      \
        {'e', "event", "EVENT", "count this event only", option__string, &(list).filter.event},                        \
        {0,                                                                                                            \
         "since",                                                                                                      \
         "TIME",                                                                                                       \
         "from: -1h, 12:30, yesterday, \"2026-11-21 12:30\", @UNIX",                                                   \
         option__string,                                                                                               \
         &(list).filter.since},                                                                                        \
    {                                                                                                                  \
        0, "until", "TIME", "up to", option__string, &(list).filter.until                                              \
    }

extern const struct command cmd_list_stored;

#endif
