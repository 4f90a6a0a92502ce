#include "collector/sources/hist_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 12 }; // of a USDT probe, in libbpf

static int parse_number(const char *text, uint8_t *ret_argument, const char **ret_rest)
{
    char *end;
    if (strncmp(text, "arg", 3) != 0 || text[3] < '0' || text[3] > '9')
        return -EINVAL;
    unsigned long number = strtoul(text + 3, &end, 10);
    if (number >= ARGUMENTS_MAX)
        return -EINVAL;
    *ret_argument = (uint8_t)number;
    *ret_rest = end;
    return 0;
}

static int parse_type(const char *type, uint8_t *ret_bytes, bool *ret_is_signed)
{
    static const struct {
        const char *name;
        uint8_t bytes;
        bool is_signed;
    } types[] = {{"", 8, false},   {":u8", 1, false}, {":u16", 2, false}, {":u32", 4, false}, {":u64", 8, false},
                 {":s8", 1, true}, {":s16", 2, true}, {":s32", 4, true},  {":s64", 8, true},  {NULL, 0, false}};
    for (size_t i = 0; types[i].name; i++)
        if (strcmp(types[i].name, type) == 0) {
            *ret_bytes = types[i].bytes;
            *ret_is_signed = types[i].is_signed;
            return 0;
        }
    return -EINVAL;
}

static int parse_by(struct hist_options *options, const char *text, struct fault *fault)
{
    static const char *const names[] = {
        [WIRE_HIST_BY_COMM] = "comm",
        [WIRE_HIST_BY_PID] = "pid",
        [WIRE_HIST_BY_TID] = "tid",
        [WIRE_HIST_BY_CGROUP] = "cgroup",
    };
    const char *rest;
    for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0) {
            options->by = (enum wire_hist_by)i;
            return 0;
        }
    options->by = WIRE_HIST_BY_ARGUMENT;
    if (parse_number(text, &options->by_argument, &rest) == 0 &&
        parse_type(rest, &options->by_bytes, &options->by_is_signed) == 0) {
        options->by_has_type = *rest != '\0';
        return 0;
    }
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "bad value for --by: '%s' is none of comm, pid, tid, cgroup, arg0, arg1, arg1:s32, ...",
                           text);
}

static int parse_argument(struct hist_options *options, const char *text, struct fault *fault)
{
    const char *rest = text;
    int err = 0;
    if (strncmp(text, "retval", 6) == 0) {
        options->argument = WIRE_HIST_RETURNED;
        rest = text + 6;
    } else {
        err = parse_number(text, &options->argument, &rest);
    }
    if (!err)
        err = parse_type(rest, &options->bytes, &options->is_signed);
    options->has_type = *rest != '\0';
    return err ? fault__set_code(fault, EXIT_CODE_USAGE, err,
                                 "'%s' is no argument; arg0 to arg11 and retval are, with a type behind it where they "
                                 "have fewer than 64 bits: arg1:s32",
                                 text)
               : 0;
}

int hist_options__parse(const struct hist_words *words, struct hist_options *ret_options, struct fault *fault)
{
    struct hist_options options = {.bytes = 8,
                                   .by_bytes = 8,
                                   .has_key = words->key != NULL,
                                   .has_value = words->value != NULL,
                                   .stacks = words->stacks};
    int err = words->by ? parse_by(&options, words->by, fault) : 0;
    if (!err && words->key && words->value)
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "--key and --value exclude each other");
    if (!err && (words->key || words->value))
        err = parse_argument(&options, words->key ? words->key : words->value, fault);
    if (!err)
        *ret_options = options;
    return err;
}

const char *hist_words__first(const struct hist_words *words)
{
    return words->by ? "--by" : words->key ? "--key" : words->value ? "--value" : words->stacks ? "--stacks" : NULL;
}
