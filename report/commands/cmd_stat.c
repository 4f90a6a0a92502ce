// `hearth stat`: what a store holds, lost and cost.
#include "report/commands/cmd_stat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/query/filter.h"
#include "report/query/stat.h"
#include "store/base/cleanup.h"

static struct stat_options {
    const char *store, *format;
} options;

static const struct option_row rows[] = {
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string,
     offsetof(struct stat_options, store)},
    {'f', "format", "FORMAT", "text or json (text)", option__string, offsetof(struct stat_options, format)},
    {0},
};

static const struct {
    const char *name;
    int (*print)(const struct store_stat *stat, FILE *file);
} formats[] = {{"text", store_stat__print_text}, {"json", store_stat__print_json}};

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

static int print(const struct store_stat *stat, struct fault *fault)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (!options.format || strcmp(options.format, formats[i].name) == 0)
            return formats[i].print(stat, stdout);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown format '%s'; there are text and json",
                           options.format);
}

static enum exit_code run(int argc, char **argv)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    _cleanup_(store_stat__release) struct store_stat stat = {0};
    struct fault fault = {0};
    if (argc > 1 || (argc == 1 && options.store)) {
        fault__warn("unexpected operand '%s'; `hearth stat -h` tells more", argv[argc - 1]);
        return EXIT_CODE_USAGE;
    }
    const char *path = filter__store(argc ? argv[0] : options.store);
    int err = store_reader__open(path, &fault, &reader);
    if (!err)
        err = store_stat__gather(path, reader, &fault, &stat);
    if (!err)
        err = print(&stat, &fault);
    return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
}

const struct command cmd_stat = {
    .name = "stat",
    .operands = "[STORE]",
    .summary = "tell what a store holds, lost and cost",
    .options = rows,
    .values = &options,
    .run = run,
};
