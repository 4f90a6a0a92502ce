#include "collector/help/help.h"

static bool has_letter(const struct option_row *row, size_t offset, void *context)
{
    const struct option_row **wanted = context;
    (void)offset;
    if (row->letter != (*wanted)->letter)
        return false;
    *wanted = row;
    return true;
}

static bool takes_letter(const struct option_row *rows, const struct option_row *row)
{
    const struct option_row *first = row;
    return row->letter && options__visit(rows, has_letter, &first) && first == row;
}

void help__spell_option(const struct option_row *rows, const struct option_row *row, char out[HELP_OPTION_BYTES])
{
    bool has_short = takes_letter(rows, row);
    const char *before = has_short && row->name ? ", " : "";
    char letter[] = {'-', row->letter, '\0'};
    snprintf(out, HELP_OPTION_BYTES, "%s%s%s%s%s%s", has_short ? letter : "", before, row->name ? "--" : "",
             row->name ? row->name : "", row->argument ? " " : "", row->argument ? row->argument : "");
}

struct printing {
    const struct option_row *rows;
    FILE *file;
};

static bool print_option(const struct option_row *row, size_t offset, void *context)
{
    const struct printing *printing = context;
    char spelled[HELP_OPTION_BYTES];
    (void)offset;
    help__spell_option(printing->rows, row, spelled);
    bool is_long = spelled[1] == '-'; // "--": it stands below the long ones that have a letter
    fprintf(printing->file, "  %s%-*s %s\n", is_long ? "    " : "", is_long ? 22 : 26, spelled, row->help);
    return false;
}

void help__print_command(const struct command *command, FILE *file)
{
    struct printing printing = {command->options, file};
    fprintf(file, "usage: hearth %s [OPTION...]%s%s\n\n%s.\n\n", command->name, command->operands ? " " : "",
            command->operands ? command->operands : "", command->summary);
    options__visit(command->options, print_option, &printing);
    if (command->details)
        fprintf(file, "\n%s", command->details);
    if (command->print_more)
        command->print_more(file);
}

void help__print_overview(const struct command *const *commands, FILE *file)
{
    fprintf(file, "usage: hearth COMMAND [OPTION...]\n\nhearth is an always-on profiler for Linux.\n\n");
    for (size_t i = 0; commands[i]; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(file,
            "\n`hearth COMMAND -h` tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 lacks a privilege or "
            "a kernel\nfeature, 4 nothing in that range.\n");
}
