#include "collector/daemon/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "collector/daemon/side_recordings.h"
#include "store/base/options.h"

static void refuse(struct asker *asker, const struct fault *fault, int err)
{
    char line[sizeof(fault->text) + 16];
    snprintf(line, sizeof(line), "hearth: %s\n", *fault->text ? fault->text : strerror(-err));
    asker__answer(asker, CONTROL_SAID, line, -1);
    asker__end(asker, fault->code ? fault->code : EXIT_CODE_FAILED);
}

// stat [FORMAT]
static int answer_stat(const struct requests *requests, struct asker *asker, int argc, const char *const *argv,
                       struct fault *fault)
{
    status_print_fn *print = status__format(argc ? argv[0] : "text");
    _cleanup_free_ char *text = NULL;
    size_t bytes = 0;
    if (!print || argc > 1)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown format '%s'; there are text and json",
                               argv[argc - 1]);
    const struct status *status = requests->status(requests->context);
    FILE *file = status ? open_memstream(&text, &bytes) : NULL;
    if (!status)
        return fault__set(fault, -EAGAIN, "the daemon begins a recording; ask again");
    if (!file)
        return fault__set(fault, -ENOMEM, "out of memory");
    print(status, file);
    if (fclose(file) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    asker__answer(asker, CONTROL_OUT, text, -1);
    asker__end(asker, EXIT_CODE_DONE);
    return 0;
}

// --- record

struct asked_recording {
    struct side_recordings *sides;
    struct asker *asker;
    uint64_t id;
};

static void on_end(void *context, const struct side_end *end)
{
    _cleanup_free_ struct asked_recording *asked = context;
    _cleanup_fd_ int fd = end->exit_code ? -1 : open(end->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    asker__answer(asked->asker, CONTROL_SAID, end->said, -1);
    if (fd >= 0)
        asker__answer(asked->asker, CONTROL_STORE, end->path, fd);
    asker__end(asked->asker, (enum exit_code)end->exit_code);
}

// The store is whole then, and its asker may still hear of it.
static void on_leave(void *context)
{
    const struct asked_recording *asked = context;
    side_recordings__end(asked->sides, asked->id);
}

static void tell_begun(const struct asked_recording *asked)
{
    struct side_shown side;
    for (size_t i = 0; side_recordings__show(asked->sides, i, &side); i++)
        if (side.id == asked->id)
            asker__answer(asked->asker, CONTROL_BEGUN, side.path, -1);
}

static int answer_record(const struct requests *requests, struct asker *asker, int argc, const char *const *argv,
                         struct fault *fault)
{
    char whose[48], why[64];
    struct asked_recording *asked = malloc(sizeof(*asked));
    if (!asked)
        return fault__set(fault, -ENOMEM, "out of memory");
    *asked = (struct asked_recording){.sides = requests->sides, .asker = asker};
    asker__whose(asker, whose, sizeof(whose));
    snprintf(why, sizeof(why), "a request of %s", whose);
    struct side_request request = {.argc = argc, .argv = argv, .why = why, .ended = on_end, .context = asked};
    int err = side_recordings__begin(requests->sides, &request, fault, &asked->id);
    if (err) {
        free(asked);
        return err;
    }
    asker__on_leave(asker, on_leave, asked);
    tell_begun(asked);
    return 0;
}

static const struct {
    const char *word;
    int (*answer)(const struct requests *requests, struct asker *asker, int argc, const char *const *argv,
                  struct fault *fault);
} rows[] = {{"record", answer_record}, {"stat", answer_stat}};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int refuse_word(const char *word, struct fault *fault)
{
    const char *words[ROW_COUNT + 1] = {0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        words[i] = rows[i].word;
    const char *near = options__nearest(word, words);
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "no request '%s'; %s '%s'%s", word,
                           near ? "did you mean" : "ask for 'record WORDS' or", near ? near : "stat", near ? "?" : "");
}

void requests__answer(void *context, struct asker *asker, int argc, const char *const *argv)
{
    const struct requests *requests = context;
    struct fault fault = {0};
    const char *word = argc ? argv[0] : "";
    int err = 1;
    for (size_t i = 0; i < ROW_COUNT && err > 0; i++)
        if (strcmp(word, rows[i].word) == 0)
            err = rows[i].answer(requests, asker, argc - 1, argv + 1, &fault);
    if (err > 0)
        err = refuse_word(word, &fault);
    if (err)
        refuse(asker, &fault, err);
}
