// `hearth sql`: one query, or a prompt, over a store.
#include "report/commands/cmd_sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/query/filter.h"
#include "report/text/sql_output.h"
#include "store/base/buf.h"
#include "store/base/cleanup.h"

static struct sql_options {
    const char *store, *format;
    bool has_header, has_no_header;
} options;

static const struct option_row rows[] = {
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string,
     offsetof(struct sql_options, store)},
    {'f', "format", "FORMAT", "list, column, csv or json (column on a terminal, else list)", option__string,
     offsetof(struct sql_options, format)},
    {'H', "header", NULL, "begin with the names of the columns (column, csv)", option__flag,
     offsetof(struct sql_options, has_header)},
    {0, "no-header", NULL, "do not", option__flag, offsetof(struct sql_options, has_no_header)},
    {0},
};

DEFINE_CLEANUP(struct store_reader *, store_reader__free);
DEFINE_CLEANUP(struct store_sql *, store_sql__free);
DEFINE_CLEANUP(struct sql_output *, sql_output__free);

struct prompt {
    struct store_sql *sql;
    struct sql_output *output;
    struct store_sql_output target;
    bool is_terminal;
    bool has_ended;
};

static int print_tables(struct prompt *prompt, const char *name)
{
    (void)prompt, (void)name;
    for (unsigned i = 0; store_sql__table(i); i++)
        puts(store_sql__table(i));
    return 0;
}

static int print_schema(struct prompt *prompt, const char *name)
{
    for (unsigned i = 0; store_sql__table(i); i++)
        if (!name || strcmp(name, store_sql__table(i)) == 0)
            puts(store_sql__schema(prompt->sql, i));
    return 0;
}

static int set_headers(struct prompt *prompt, const char *word)
{
    sql_output__set_header(prompt->output, !word || strcmp(word, "off") != 0);
    return 0;
}

static int quit(struct prompt *prompt, const char *word)
{
    (void)word;
    prompt->has_ended = true;
    return 0;
}

static int print_dots(struct prompt *prompt, const char *word);

static const struct {
    const char *name, *argument, *help;
    int (*run)(struct prompt *prompt, const char *argument);
} dots[] = {
    {".tables", "", "the names of the tables", print_tables},
    {".schema", " [TABLE]", "their columns", print_schema},
    {".headers", " on|off", "begin with the names of the columns", set_headers},
    {".help", "", "this list", print_dots},
    {".quit", "", "end; so does the end of the input", quit},
};

static int print_dots(struct prompt *prompt, const char *word)
{
    (void)prompt, (void)word;
    for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
        printf("%s%-*s  %s\n", dots[i].name, (int)(18 - strlen(dots[i].name)), dots[i].argument, dots[i].help);
    return 0;
}

static int run_dot(struct prompt *prompt, char *line, struct fault *fault)
{
    char *rest;
    const char *name = strtok_r(line, " \t\n", &rest), *argument = strtok_r(NULL, " \t\n", &rest);
    for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
        if (strcmp(name, dots[i].name) == 0)
            return dots[i].run(prompt, argument);
    return fault__set(fault, -EINVAL, "unknown command '%s'; .help lists them", name);
}

// A line more: a command with a dot, or a part of a statement, which runs when its semicolon has come.
static int take_line(struct prompt *prompt, struct buf *statement, char *line, struct fault *fault)
{
    if (statement->length_bytes == 0 && line[0] == '.')
        return run_dot(prompt, line, fault);
    if (statement->length_bytes == 0 && line[strspn(line, " \t\n")] == '\0')
        return 0;
    buf__append_string(statement, line);
    buf__append_byte(statement, '\0');
    if (statement->failed)
        return fault__set(fault, -ENOMEM, "out of memory");
    if (!store_sql__is_complete((const char *)statement->data)) {
        statement->length_bytes--;
        return 0;
    }
    int err = store_sql__run(prompt->sql, (const char *)statement->data, &prompt->target, fault);
    buf__clear(statement);
    return err;
}

static void invite(const struct prompt *prompt, const struct buf *statement)
{
    if (!prompt->is_terminal)
        return;
    fputs(statement->length_bytes ? "   ...> " : "hearth> ", stdout);
    fflush(stdout);
}

// On a terminal a mistake is said, and the prompt goes on; a script ends at its first one.
static int read_statements(struct prompt *prompt, struct fault *fault)
{
    _cleanup_(buf__release) struct buf statement = {0};
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    for (invite(prompt, &statement); !prompt->has_ended && getline(&line, &size, stdin) > 0;) {
        struct fault why = {0};
        int err = take_line(prompt, &statement, line, &why);
        if (err && !prompt->is_terminal) {
            *fault = why;
            return err;
        }
        if (err)
            fault__say(&why, err);
        invite(prompt, &statement);
    }
    buf__append_byte(&statement, '\0'); // the last one may lack its semicolon
    return statement.failed ? -ENOMEM
                            : store_sql__run(prompt->sql, (const char *)statement.data, &prompt->target, fault);
}

static int answer(struct store_reader *reader, const char *query, struct fault *fault)
{
    _cleanup_(store_sql__freep) struct store_sql *sql = NULL;
    _cleanup_(sql_output__freep) struct sql_output *output = NULL;
    int err = sql_output__new(stdout, options.format, fault, &output);
    if (!err)
        err = store_sql__new(reader, fault, &sql);
    if (err)
        return err;
    if (options.has_header || options.has_no_header)
        sql_output__set_header(output, !options.has_no_header);
    struct prompt prompt = {.sql = sql, .output = output, .target = sql_output__target(output)};
    if (query)
        return store_sql__run(sql, query, &prompt.target, fault);
    prompt.is_terminal = isatty(STDIN_FILENO);
    if (prompt.is_terminal)
        puts("SQL over a store: a statement ends with a semicolon; .tables, .schema, .help, .quit.");
    return read_statements(&prompt, fault);
}

static enum exit_code run(int argc, char **argv)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = NULL;
    struct fault fault = {0};
    if (argc > 1) {
        fault__warn("unexpected operand '%s'; put the query in quotes", argv[1]);
        return EXIT_CODE_USAGE;
    }
    int err = store_reader__open(filter__store(options.store), &fault, &reader);
    if (!err)
        err = answer(reader, argc ? argv[0] : NULL, &fault);
    if (err == -EIO && ferror(stdout)) // main says it
        return EXIT_CODE_FAILED;
    if (err)
        return fault__say(&fault, err);
    const struct store_damage *damage = store_reader__damage(reader);
    if (damage->places)
        fault__warn("the store is damaged: %s could not be read, and %llu more; %llu samples are missing",
                    damage->first, (unsigned long long)damage->places - 1, (unsigned long long)damage->samples);
    return EXIT_CODE_DONE;
}

// The queries are run by tests/e2e/sql.sh, which lifts them from here.
static const char details[] =
    "Without a query, statements are read from stdin. Nothing is ever written to the store. The tables:\n"
    "\n"
    "  sample       a row an interval, event, thread, stack (node) and bucket: samples, value\n"
    "  stack        a row a stack: its leaf, its depth, how it ended (status), and all of it (folded)\n"
    "  stack_frame  a row a function of a stack, inlined ones too; position 0 is the leaf; `repeated` when the same\n"
    "               function stands nearer to the leaf\n"
    "  histogram    a row an interval, event, key and bucket that is not empty: low, high (exclusive), count\n"
    "               Samples of an event and a histogram of it are two events by one name; of the samples, `bucket` is "
    "NULL\n"
    "  event process thread binary function file frame frame_line interval total process_total loss\n"
    "  histogram_total incident meta: as plain sqlite3 shows them\n"
    "\n"
    "Times are nanoseconds since 1970 in start_ns and end_ns, and local time as text in `time` (the interval's "
    "start).\n"
    "A condition on time, event, pid, tid, comm, interval or node is used to read only what it needs.\n"
    "\n"
    "Where a process spent its CPU time between two times, by function (its own time):\n"
    "\n"
    "    SELECT f.function, sum(s.samples) AS samples\n"
    "    FROM sample s JOIN stack_frame f ON f.node = s.node AND f.position = 0\n"
    "    WHERE s.event = 'cpu' AND s.comm = 'python3' AND s.time BETWEEN '2026-11-21 12:30' AND '2026-11-21 12:40'\n"
    "    GROUP BY f.function ORDER BY samples DESC LIMIT 20;\n"
    "\n"
    "The same with what they called, over everything recorded:\n"
    "\n"
    "    SELECT f.function, sum(s.samples) AS samples\n"
    "    FROM (SELECT node, sum(samples) AS samples FROM sample WHERE event = 'cpu' GROUP BY node) s\n"
    "    JOIN stack_frame f ON f.node = s.node AND NOT f.repeated\n"
    "    GROUP BY f.function ORDER BY samples DESC LIMIT 20;\n"
    "\n"
    "Who calls a function, and how much of its time is theirs:\n"
    "\n"
    "    SELECT c.function AS caller, sum(s.samples) AS samples\n"
    "    FROM sample s JOIN stack_frame f ON f.node = s.node AND NOT f.repeated\n"
    "    JOIN stack_frame c ON c.node = f.node AND c.position = f.position + 1\n"
    "    WHERE s.event = 'cpu' AND f.function = 'malloc'\n"
    "    GROUP BY caller ORDER BY samples DESC;\n"
    "\n"
    "The busiest processes of each minute:\n"
    "\n"
    "    SELECT substr(i.time, 1, 16) AS minute, p.pid, p.comm, sum(t.samples) AS samples\n"
    "    FROM process_total t JOIN event e ON e.id = t.event JOIN process p ON p.id = t.process\n"
    "    JOIN interval i ON i.id = t.interval\n"
    "    WHERE e.name = 'cpu' GROUP BY minute, p.id ORDER BY minute, samples DESC;\n"
    "\n"
    "A latency's distribution, all intervals together:\n"
    "\n"
    "    SELECT event, low, high, sum(count) AS count FROM histogram GROUP BY event, bucket ORDER BY event, bucket;\n"
    "\n"
    "What was lost, and when:\n"
    "\n"
    "    SELECT i.time, l.name, l.count FROM loss l JOIN interval i ON i.id = l.interval ORDER BY i.id, l.name;\n";

const struct command cmd_sql = {
    .name = "sql",
    .operands = "[QUERY]",
    .summary = "ask SQL of a store, packed intervals included",
    .details = details,
    .options = rows,
    .values = &options,
    .run = run,
};
