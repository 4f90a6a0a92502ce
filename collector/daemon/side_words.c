#include "collector/daemon/side_words.h"

#include <errno.h>
#include <string.h>

#include "collector/session/record_words.h"
#include "store/base/limits.h"

static int refuse_operand(const char *word, struct fault *fault)
{
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "cannot run '%s': a recording beside the daemon's own starts no command; name its process "
                           "with -p",
                           word);
}

static int check_bounds(const struct record_words *words, struct fault *fault)
{
    if (words->output)
        return fault__set_code(
            fault, EXIT_CODE_USAGE, -EINVAL,
            "-o '%s': a recording beside the daemon's own goes to a store of the daemon's directory; "
            "leave -o out",
            words->output);
    if (!words->duration_ns || words->duration_ns > LIMIT_SIDE_NS)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "a recording beside the daemon's own has an end: give -d SECONDS, %llu at most",
                               LIMIT_SIDE_NS / 1000000000u);
    if (words->bpf_share > LIMIT_BPF_SHARE)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--max-cpu: a recording beside the daemon's own may take %.0f%% at most",
                               LIMIT_BPF_SHARE * 100);
    return 0;
}

static int check_events(const struct record_words *words, struct fault *fault)
{
    struct hist_options hist = {0};
    _cleanup_free_ struct recorder_event *events = NULL;
    size_t count = 0;
    int err = record_words__check(words, &hist, fault);
    if (!err)
        err = record_words__list_events(words, &hist, &events, &count, fault);
    for (size_t i = 0; i < count && !err; i++)
        err = recorder__check_event(&events[i], fault);
    return err;
}

static int check_size(int argc, const char *const *argv, struct fault *fault)
{
    size_t bytes = 0;
    for (int i = 0; i < argc; i++)
        bytes += strlen(argv[i]) + 1;
    if (argc <= LIMIT_SIDE_WORDS && bytes <= LIMIT_SIDE_WORD_BYTES)
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "more than %d words or %d bytes of them: say less",
                           LIMIT_SIDE_WORDS, LIMIT_SIDE_WORD_BYTES);
}

int side_words__check(int argc, const char *const *argv, struct fault *fault)
{
    struct record_words words = RECORD_WORDS_DEFAULTS;
    char *given[LIMIT_SIDE_WORDS + 1]; // options__parse moves the operands to the front
    int operands = 0;
    int err = check_size(argc, argv, fault);
    if (err)
        return err;
    words.output = NULL;
    for (int i = 0; i < argc; i++)
        given[i] = (char *)argv[i];
    err = options__parse(record_word_rows, &words, true, argc, given, fault, &operands);
    if (!err && operands)
        err = refuse_operand(given[0], fault);
    if (!err)
        err = check_bounds(&words, fault);
    if (!err)
        err = check_events(&words, fault);
    options__release(record_word_rows, &words);
    return err;
}
