// hearth: the table of commands, and what they share: -h, --version, "did you mean".
#include "store/base/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "collector/cmd_daemon.h"
#include "collector/cmd_doctor.h"
#include "collector/cmd_hist.h"
#include "collector/cmd_list.h"
#include "collector/cmd_record.h"
#include "collector/cmd_top.h"
#include "collector/help/help.h"
#include "collector/help/manual.h"
#include "report/commands/cmd_diff.h"
#include "report/commands/cmd_report.h"
#include "report/commands/cmd_serve.h"
#include "report/commands/cmd_sql.h"
#include "report/commands/cmd_stat.h"
#include "report/commands/cmd_symbolize.h"
#include "report/commands/cmd_unwind_rows.h"
#include "report/text/output.h"

// The only list of commands. Each is defined in a file of its own, in collector/ (live) or report/ (offline).
static const struct command *const commands[] = {
    &cmd_record, &cmd_hist, &cmd_daemon, &cmd_top,       &cmd_report,      &cmd_serve,  &cmd_diff,
    &cmd_list,   &cmd_sql,  &cmd_stat,   &cmd_symbolize, &cmd_unwind_rows, &cmd_doctor, NULL,
};

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

// hearth help [COMMAND]
static enum exit_code print_help(int argc, char **argv)
{
    const struct command *command = argc ? find_command(argv[0]) : NULL;
    if (argc && !command)
        return unknown_command(argv[0]);
    if (command)
        help__print_command(command, stdout);
    else
        help__print_overview(commands, stdout);
    return EXIT_CODE_DONE;
}

// hearth --print-manual [COMMAND]
static enum exit_code print_manual(int argc, char **argv)
{
    const struct command *command = argc ? find_command(argv[0]) : NULL;
    if (argc && !command)
        return unknown_command(argv[0]);
    int err = command ? manual__print_command(command, stdout) : 0;
    if (!command)
        manual__print_overview(commands, stdout);
    return err ? fault__say(&(struct fault){0}, err) : EXIT_CODE_DONE;
}

static enum exit_code print_completion(int argc, char **argv)
{
    (void)argc, (void)argv;
    manual__print_completion(commands, stdout);
    return EXIT_CODE_DONE;
}

static enum exit_code print_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("hearth %s\n", HEARTH_VERSION);
    return EXIT_CODE_DONE;
}

// The words that hearth answers itself, without a command.
static const struct {
    const char *word;
    enum exit_code (*print)(int argc, char **argv);
} prints[] = {
    {"-h", print_help},           {"--help", print_help},           {"help", print_help},
    {"--version", print_version}, {"--print-manual", print_manual}, {"--print-completion", print_completion},
};

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); // the write fails with EFBIG then, and that is said
    if (argc < 2) {
        help__print_overview(commands, stderr);
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++)
        if (strcmp(argv[1], prints[i].word) == 0)
            return close_output(prints[i].print(argc - 2, argv + 2));
    const struct command *command = find_command(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    if (wants_help(argc - 2, argv + 2))
        return close_output(print_help(1, argv + 1));
    struct fault fault = {0};
    int operands;
    int err = options__parse(command->options, command->values, starts_program(command), argc - 2, argv + 2, &fault,
                             &operands);
    if (err)
        return fault__say(&fault, err);
    argv[2 + operands] = NULL;
    return close_output(command->run(operands, argv + 2));
}
