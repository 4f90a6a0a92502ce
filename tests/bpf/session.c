// A recording that changes while it runs, as a daemon changes its own:
//
//   session [OPTION of record]... -o FIRST.db -- COMMAND [ARG...]
//
// Each line of its input is a change: `store NEXT.db`, `detach EVENT`, `attach EVENT`. After each there is a line on
// standard error.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/session/loop.h"
#include "collector/session/record_words.h"
#include "collector/session/recorder.h"

static char next_path[4200];
static bool leaves;
static struct recorder_event *events; // those that the recording began with
static size_t event_count;
static bool are_off[WIRE_EVENTS_MAX];

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

static void ignore_interval(void *context, const struct recorder_drained *drained)
{
    (void)context, (void)drained;
}

static bool is_end(void *context)
{
    (void)context;
    return true;
}

static const struct recorder_owner owner = {.open_store = open_store,
                                            .leaves_store = leaves_store,
                                            .lose_store = ignore,
                                            .drained = ignore_interval,
                                            .ends_at_hangup = is_end};

// Has the recording go on with those of its first events that no line has detached.
static int change_events(struct recorder *recorder, const char *spelled, bool is_off, struct fault *fault)
{
    struct recorder_event wanted[WIRE_EVENTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < event_count; i++) {
        if (!events[i].hist && strcmp(events[i].spelled, spelled) == 0)
            are_off[i] = is_off;
        if (!are_off[i])
            wanted[count++] = events[i];
    }
    return recorder__change_events(recorder, wanted, count, fault);
}

static int change(struct recorder *recorder, const char *line, struct fault *fault)
{
    if (strncmp(line, "detach ", 7) == 0)
        return change_events(recorder, line + 7, true, fault);
    if (strncmp(line, "attach ", 7) == 0)
        return change_events(recorder, line + 7, false, fault);
    if (strncmp(line, "store ", 6) != 0)
        return fault__set(fault, -EINVAL, "no change is called '%s'", line);
    snprintf(next_path, sizeof(next_path), "%s", line + 6);
    leaves = true;
    return 0;
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
    free(events);
    return err ? fault__say(&fault, err) : 0;
}
