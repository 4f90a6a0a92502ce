// hearth: the table of commands, and what they share: -h, --version, "did you mean".
#include "store/base/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "collector/cmd_doctor.h"
#include "collector/cmd_hist.h"
#include "collector/cmd_list.h"
#include "collector/cmd_record.h"
#include "report/commands/cmd_diff.h"
#include "report/commands/cmd_report.h"
#include "report/commands/cmd_sql.h"
#include "report/commands/cmd_stat.h"
#include "report/commands/cmd_symbolize.h"
#include "report/commands/cmd_unwind_rows.h"
#include "report/text/output.h"

// The only list of commands. Each is defined in a file of its own, in collector/ (live) or report/ (offline).
static const struct command *const commands[] = {
    &cmd_record, &cmd_hist,      &cmd_report,      &cmd_diff,   &cmd_list, &cmd_sql,
    &cmd_stat,   &cmd_symbolize, &cmd_unwind_rows, &cmd_doctor, NULL,
};

static bool print_option(const struct option_row *row, size_t offset, void *context)
{
    char left[64] = "    ";
    (void)offset, (void)context;
    if (row->letter)
        snprintf(left, sizeof(left), "-%c%s", row->letter, row->name ? ", " : "");
    size_t used = strlen(left);
    snprintf(left + used, sizeof(left) - used, "%s%s%s%s", row->name ? "--" : "", row->name ? row->name : "",
             row->argument ? " " : "", row->argument ? row->argument : "");
    printf("  %-26s %s\n", left, row->help);
    return false;
}

static enum exit_code print_command_help(const struct command *command)
{
    printf("usage: hearth %s [OPTION...]%s%s\n\n%s.\n\n", command->name, command->operands ? " " : "",
           command->operands ? command->operands : "", command->summary);
    options__visit(command->options, print_option, NULL);
    if (command->details)
        printf("\n%s", command->details);
    if (command->print_more)
        command->print_more();
    return EXIT_CODE_DONE;
}

static void print_help(FILE *file)
{
    fprintf(file, "usage: hearth COMMAND [OPTION...]\n\nhearth is an always-on profiler for Linux.\n\n");
    for (size_t i = 0; commands[i]; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(file,
            "\n`hearth COMMAND -h` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 lacks a privilege or "
            "a kernel\nfeature, 4 nothing in that range.\n");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static enum exit_code unknown_command(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0])];
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        names[i] = commands[i] ? commands[i]->name : NULL;
    const char *near = options__nearest(name, names);
    if (near)
        fault__warn("unknown command '%s'; did you mean '%s'?", name, near);
    else
        fault__warn("unknown command '%s'; `hearth --help` lists the commands", name);
    return EXIT_CODE_USAGE;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

// A command that starts another program takes that program's options as they are.
static bool starts_program(const struct command *command)
{
    return command->operands && strstr(command->operands, "COMMAND");
}

// The output must have reached the disk or the pipe, or the command has failed. A reader that has closed its pipe wants
// no more: a command that has ignored SIGPIPE so far ends of it now.
static enum exit_code close_output(enum exit_code code)
{
    int err = output__flush(stdout);
    if (!err)
        return code;
    if (err == -EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    fault__warn("cannot write the output: %s", strerror(-err));
    return code == EXIT_CODE_DONE ? EXIT_CODE_FAILED : code;
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); // the write fails with EFBIG then, and that is said
    if (argc < 2) {
        print_help(stderr);
        return EXIT_CODE_USAGE;
    }
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;
        if (argc > 2 && !command)
            return unknown_command(argv[2]);
        if (command)
            print_command_help(command);
        else
            print_help(stdout);
        return close_output(EXIT_CODE_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("hearth %s\n", HEARTH_VERSION);
        return close_output(EXIT_CODE_DONE);
    }
    const struct command *command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    if (wants_help(argc - 2, argv + 2))
        return close_output(print_command_help(command));
    struct fault fault = {0};
    int operands;
    int err = options__parse(command->options, command->values, starts_program(command), argc - 2, argv + 2, &fault,
                             &operands);
    if (err)
        return fault__say(&fault, err);
    argv[2 + operands] = NULL;
    return close_output(command->run(operands, argv + 2));
}
