// `hearth stat`: what a store holds, lost and cost.
#include "report/commands/cmd_stat.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/query/filter.h"
#include "report/query/stat.h"
#include "store/base/cleanup.h"
#include "store/system/control_client.h"

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

// Prints the answer of the running daemon.
static int ask_daemon(int fd, enum exit_code *ret_code, struct fault *fault)
{
    const char *words[] = {"stat", options.format ? options.format : "text"};
    _cleanup_free_ struct control_answer *answer = calloc(1, sizeof(*answer));
    int err = answer ? control_client__ask(fd, 2, words, fault) : fault__set(fault, -ENOMEM, "out of memory");
    while (!err && answer->letter != CONTROL_CODE) {
        err = control_client__receive(fd, fault, answer);
        if (!err && answer->letter != CONTROL_CODE)
            fputs(answer->text, answer->letter == CONTROL_OUT ? stdout : stderr);
    }
    if (!err)
        *ret_code = (enum exit_code)strtol(answer->text, NULL, 10);
    return err;
}

// Without a store's name, and without one here, the running daemon is told of.
static bool find_daemon(int *ret_fd)
{
    struct fault ignored;
    return access("hearth.db", F_OK) != 0 && control_client__open(CONTROL_SOCKET, &ignored, ret_fd) == 0;
}

static enum exit_code run(int argc, char **argv)
{
    _cleanup_fd_ int fd = -1;
    enum exit_code code = EXIT_CODE_DONE;
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    _cleanup_(store_stat__release) struct store_stat stat = {0};
    struct fault fault = {0};
    if (argc > 1 || (argc == 1 && options.store)) {
        fault__warn("unexpected operand '%s'; `hearth stat -h` tells more", argv[argc - 1]);
        return EXIT_CODE_USAGE;
    }
    const char *path = filter__store(argc ? argv[0] : options.store);
    if (!argc && !options.store && find_daemon(&fd)) {
        int unanswered = ask_daemon(fd, &code, &fault);
        return unanswered ? fault__say(&fault, unanswered) : code;
    }
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
    .summary = "tell what a store holds, lost and cost, or what the running daemon does",
    .details =
        "Without a store, and without a hearth.db here, the running daemon tells what it does now: its events with "
        "the\n"
        "rates that hold, its last interval, its cost, its directory, and what it records besides. Its directory is\n"
        "read where no daemon runs, or where it is named: `hearth stat /var/lib/hearth`.\n",
    .options = rows,
    .values = &options,
    .run = run,
};
