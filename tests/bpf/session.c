// A recording that changes while it runs, as a daemon changes its own:
//
//   session [OPTION of record]... -o FIRST.db -- COMMAND [ARG...]
//
// Each line of its input is a change: `store NEXT.db`, `detach EVENT`, `attach EVENT`. After each there is a line on
// standard error.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/session/loop.h"
#include "collector/session/record_words.h"
#include "collector/session/recorder.h"

static char next_path[4200];
static bool leaves;

static int open_store(void *context, uint64_t start_ns, const struct store_meta *meta, struct fault *fault,
                      struct store_writer **ret_writer)
{
    (void)context, (void)start_ns;
    leaves = false;
    return store_writer__create(next_path, meta, fault, ret_writer);
}

static bool leaves_store(void *context, uint64_t start_ns)
{
    (void)context, (void)start_ns;
    return leaves;
}

static void ignore(void *context)
{
    (void)context;
}

static bool is_end(void *context)
{
    (void)context;
    return true;
}

static const struct recorder_owner owner = {.open_store = open_store,
                                            .leaves_store = leaves_store,
                                            .lose_store = ignore,
                                            .drained = ignore,
                                            .ends_at_hangup = is_end};

static int change(struct recorder *recorder, const char *line, struct fault *fault)
{
    size_t index;
    if (strncmp(line, "store ", 6) == 0) {
        snprintf(next_path, sizeof(next_path), "%s", line + 6);
        leaves = true;
        return 0;
    }
    if (strchr(line, ' ') && recorder__find_event(recorder, strchr(line, ' ') + 1, &index) == 0)
        return line[0] == 'd' ? recorder__detach_event(recorder, index, fault)
                              : recorder__attach_event(recorder, index, fault);
    return fault__set(fault, -EINVAL, "no change is called '%s'", line);
}

// A line is written at once, and one at a time.
static int on_input(void *own, struct fault *fault)
{
    struct recorder *recorder = own;
    char line[4200];
    ssize_t length = read(STDIN_FILENO, line, sizeof(line) - 1);
    if (length <= 0) {
        loop__remove(recorder__loop(recorder), STDIN_FILENO);
        return 0;
    }
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    int err = change(recorder, line, fault);
    if (!err)
        fprintf(stderr, "%s\n", line); // of a store: it begins with the next interval
    return err;
}

static int run(const struct recorder_options *options, struct fault *fault)
{
    struct recorder_summary summary;
    _cleanup_(recorder__freep) struct recorder *recorder = NULL;
    int err = recorder__new(options, fault, &recorder);
    if (!err)
        err = loop__add(recorder__loop(recorder), STDIN_FILENO, on_input, recorder);
    return err ? err : recorder__run(recorder, fault, &summary);
}

int main(int argc, char **argv)
{
    struct record_words words = RECORD_WORDS_DEFAULTS;
    struct hist_options hist = {0};
    struct fault fault = {0};
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t event_count = 0;
    int operands;
    int err = options__parse(record_word_rows, &words, true, argc - 1, argv + 1, &fault, &operands);
    if (!err)
        err = record_words__check(&words, &hist, &fault);
    if (!err)
        err = record_words__list_events(&words, &hist, &events, &event_count, &fault);
    if (err)
        return fault__say(&fault, err);
    argv[1 + operands] = NULL;
    snprintf(next_path, sizeof(next_path), "%s", words.output);
    struct recorder_options options = record_words__options(&words, &hist);
    options.events = events;
    options.event_count = event_count;
    options.owner = &owner;
    options.command_line = "session";
    options.command = operands ? argv + 1 : NULL;
    err = run(&options, &fault);
    options__release(record_word_rows, &words);
    return err ? fault__say(&fault, err) : 0;
}
