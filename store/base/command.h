// A command as main knows it: a row of the one table in collector/main.c.
#ifndef HEARTH_STORE_BASE_COMMAND_H
#define HEARTH_STORE_BASE_COMMAND_H

#include <stdio.h>

#include "store/base/exit_code.h"
#include "store/base/options.h"

struct command {
    const char *name;               // "record"
    const char *operands;           // behind the options in the usage line: "[-- COMMAND [ARG...]]"
    const char *summary;            // one line, no full stop
    const char *details;            // more for -h, whole lines, or NULL
    void (*print_more)(FILE *file); // prints the part of -h that other tables have; NULL: none
    // The options, ended by a row without a name; parsed by main before run is called.
    const struct option_row *options;
    void *values; // the struct that the options fill; NULL: there are none
    // argv[0..argc) are the operands left when the options are gone.
    enum exit_code (*run)(int argc, char **argv);
};

#endif
