#include "collector/help/help.h"

#include <string.h>

struct first { // the rows that the letter and the name of another one are found at
    const struct option_row *wanted, *by_letter, *by_name;
};

static bool find_first(const struct option_row *row, size_t offset, void *context)
{
    struct first *first = context;
    (void)offset;
    if (!first->by_letter && row->letter == first->wanted->letter)
        first->by_letter = row;
    if (!first->by_name && row->name && first->wanted->name && strcmp(row->name, first->wanted->name) == 0)
        first->by_name = row;
    return row == first->wanted;
}

enum { SPELLED_BYTES = 64 };

static void spell(const struct option_row *row, bool has_letter, char out[SPELLED_BYTES])
{
    const char *before = has_letter && row->name ? ", " : "";
    char letter[] = {'-', row->letter, '\0'};
    snprintf(out, SPELLED_BYTES, "%s%s%s%s%s%s", has_letter ? letter : "", before, row->name ? "--" : "",
             row->name ? row->name : "", row->argument ? " " : "", row->argument ? row->argument : "");
}

struct printing {
    const struct option_row *rows;
    help_print_fn *print;
    FILE *file;
};

static bool print_option(const struct option_row *row, size_t offset, void *context)
{
    const struct printing *printing = context;
    struct first first = {.wanted = row};
    char spelled[SPELLED_BYTES];
    (void)offset;
    options__visit(printing->rows, find_first, &first);
    if (first.by_name && first.by_name != row)
        return false;
    spell(row, row->letter && first.by_letter == row, spelled);
    printing->print(printing->file, row, spelled);
    return false;
}

void help__each_option(const struct option_row *rows, help_print_fn *print, FILE *file)
{
    struct printing printing = {rows, print, file};
    options__visit(rows, print_option, &printing);
}

static void print_line(FILE *file, const struct option_row *row, const char *spelled)
{
    bool is_long = spelled[1] == '-'; // "--": it stands below the long ones that have a letter
    fprintf(file, "  %s%-*s %s\n", is_long ? "    " : "", is_long ? 22 : 26, spelled, row->help);
}

void help__print_command(const struct command *command, FILE *file)
{
    fprintf(file, "usage: hearth %s [OPTION...]%s%s\n\n%s.\n\n", command->name, command->operands ? " " : "",
            command->operands ? command->operands : "", command->summary);
    help__each_option(command->options, print_line, file);
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
