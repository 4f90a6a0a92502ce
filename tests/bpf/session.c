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

static int change(struct recorder *recorder, const char *line, struct fault *fault)
{
    size_t index;
    if (strncmp(line, "store ", 6) == 0)
        return recorder__rotate(recorder, line + 6, fault);
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
        fprintf(stderr, "%s\n", line);
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
    struct recorder_options options = {
        .events = events,
        .event_count = event_count,
        .frequency_hz = words.frequency_hz ? words.frequency_hz : 99,
        .bpf_share = 1,
        .drain_ns = words.drain_ns,
        .duration_ns = words.duration_ns,
        .store_path = words.output,
        .command_line = "session",
        .target = &words.target,
        .command = operands ? argv + 1 : NULL,
    };
    err = run(&options, &fault);
    options__release(record_word_rows, &words);
    return err ? fault__say(&fault, err) : 0;
}
