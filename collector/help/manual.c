#include "collector/help/manual.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/help/help.h"
#include "store/base/cleanup.h"

static const char exit_codes[] = ".SH EXIT STATUS\n"
                                 ".IP 0\ndone\n.IP 1\nfailed\n.IP 2\nwrong usage\n"
                                 ".IP 3\nlacks a privilege or a feature of the kernel\n"
                                 ".IP 4\nnothing in that range\n";

// roff takes a backslash for an escape, and a dot or a quote at the begin of a line for a request. A plain hyphen is
// set as one that can be copied from the page.
static void print_text(FILE *file, const char *text, bool at_line_begin)
{
    for (; *text; text++) {
        if (at_line_begin && (*text == '.' || *text == '\''))
            fputs("\\&", file);
        if (*text == '\\')
            fputs("\\e", file);
        else if (*text == '-')
            fputs("\\-", file);
        else
            fputc(*text, file);
        at_line_begin = *text == '\n';
    }
}

static void print_head(FILE *file, const char *name, const char *summary)
{
    fprintf(file, ".TH \"");
    for (const char *at = name; *at; at++)
        fputc(toupper((unsigned char)*at), file);
    fprintf(file, "\" 1 \"\" \"hearth %s\" \"hearth\"\n.SH NAME\n", HEARTH_VERSION);
    print_text(file, name, true);
    fputs(" \\- ", file);
    print_text(file, summary, false);
    fputs("\n.SH SYNOPSIS\n", file);
}

static void print_option(FILE *file, const struct option_row *row, const char *spelled)
{
    fputs(".TP\n.B ", file);
    print_text(file, spelled, false);
    fputc('\n', file);
    print_text(file, row->help, true);
    fputc('\n', file);
}

// Paragraphs are filled, but for tables and examples, whose lines begin with blanks.
static void print_paragraphs(FILE *file, const char *text)
{
    bool is_table = false;
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool is_row = *text == ' ' || (is_table && !length && text[1] == ' ');
        if (is_row != is_table)
            fputs(is_row ? ".PP\n.nf\n" : ".fi\n", file);
        is_table = is_row;
        char *line = strndup(text, length);
        if (length && line)
            print_text(file, line, true);
        free(line);
        fputs(length || is_table ? "\n" : ".PP\n", file);
        text += length + (text[length] == '\n');
    }
    if (is_table)
        fputs(".fi\n", file);
}

static int print_more(const struct command *command, FILE *file)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return -errno;
    command->print_more(memory);
    if (fclose(memory) != 0)
        return -errno;
    print_paragraphs(file, text);
    return 0;
}

int manual__print_command(const struct command *command, FILE *file)
{
    char name[64];
    snprintf(name, sizeof(name), "hearth-%s", command->name);
    print_head(file, name, command->summary);
    fprintf(file, ".B hearth %s\n[OPTION...] ", command->name);
    print_text(file, command->operands ? command->operands : "", false);
    fputs("\n.SH DESCRIPTION\n", file);
    print_paragraphs(file, command->details ? command->details : command->summary);
    int err = command->print_more ? print_more(command, file) : 0;
    if (command->options[0].name || command->options[0].letter || command->options[0].rows)
        fputs(".SH OPTIONS\n", file);
    help__each_option(command->options, print_option, file);
    fprintf(file, "%s.SH SEE ALSO\n.BR hearth (1)\n", exit_codes);
    return err;
}

void manual__print_overview(const struct command *const *commands, FILE *file)
{
    print_head(file, "hearth", "an always-on profiler for Linux");
    fputs(
        ".B hearth\nCOMMAND [OPTION...]\n.SH DESCRIPTION\n"
        "hearth samples what runs on a machine, with whole stacks of user and kernel, measures waits and calls in\n"
        "histograms, keeps both in a SQLite file, and draws them. Each command has a page of its own.\n.SH COMMANDS\n",
        file);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(file, ".TP\n.BR hearth\\-");
        print_text(file, commands[i]->name, false);
        fprintf(file, " (1)\n");
        print_text(file, commands[i]->summary, true);
        fputc('\n', file);
    }
    fputs(exit_codes, file);
}

static void print_word(FILE *file, const struct option_row *row, const char *spelled)
{
    (void)spelled;
    if (row->name)
        fprintf(file, " --%s", row->name);
    else
        fprintf(file, " -%c", row->letter);
}

void manual__print_completion(const struct command *const *commands, FILE *file)
{
    fputs("# bash completion of hearth\n_hearth() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    case $COMP_CWORD:${COMP_WORDS[1]} in\n    1:*) words='",
          file);
    for (size_t i = 0; commands[i]; i++)
        fprintf(file, "%s%s", i ? " " : "", commands[i]->name);
    fputs("' ;;\n", file);
    for (size_t i = 0; commands[i]; i++) {
        fprintf(file, "    *:%s) [[ $word == -* ]] && words='--help", commands[i]->name);
        help__each_option(commands[i]->options, print_word, file);
        fputs("' ;;\n", file);
    }
    // Without a match bash completes the names of files.
    fputs("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
          "complete -o bashdefault -o default -F _hearth hearth\n",
          file);
}
