#include "report/serve/question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_USUAL 300u

void question__add(struct question *question, const char *name, const char *value)
{
    if (question->count == LIMIT_SERVE_PARAMETERS) {
        question->is_too_long = true;
        return;
    }
    question->parameters[question->count].name = name;
    question->parameters[question->count++].value = value ? value : "yes"; // "&threads"
}

const char *question__find(const struct question *question, const char *name)
{
    for (size_t i = 0; i < question->count; i++)
        if (strcmp(question->parameters[i].name, name) == 0)
            return question->parameters[i].value;
    return NULL;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const char *as_option(const char *name)
{
    return strcmp(name, "from") == 0 ? "since" : strcmp(name, "to") == 0 ? "until" : name;
}

int question__request(const struct question *question, const char *const *own, struct filter *filter,
                      struct fault *fault, struct report_request *ret_request)
{
    int err = 0;
    if (question->is_too_long)
        return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "more than %u parameters", LIMIT_SERVE_PARAMETERS);
    for (size_t i = 0; !err && i < question->count; i++)
        if (!is_among(own, question->parameters[i].name))
            err = options__set(filter_rows, filter, as_option(question->parameters[i].name),
                               question->parameters[i].value, fault);
    if (err)
        fault->code = EXIT_CODE_USAGE;
    return err ? err : filter__request(filter, fault, ret_request);
}

int question__columns(const struct question *question, struct fault *fault, uint32_t *ret_count)
{
    const char *text = question__find(question, "columns");
    char *end = NULL;
    unsigned long count = text ? strtoul(text, &end, 10) : COLUMNS_USUAL;
    if (text && (*text < '0' || *text > '9' || *end || !count || count > LIMIT_SERVE_COLUMNS))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "columns '%s' is not a number from 1 to %u", text,
                               LIMIT_SERVE_COLUMNS);
    *ret_count = (uint32_t)count;
    return 0;
}
