#include "collector/pprof/profile_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_USUAL 30u

// Without `user`: its name is looked up in /etc/passwd, which this process cannot open.
static const char *const names[] = {"seconds", "event", "pid", "comm", "unit", "container", "pod", "cgroup"};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))
static const char *const own[] = {"seconds", NULL};

static int check_name(const char *name, struct fault *fault)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return 0;
    char list[128] = "";
    for (size_t i = 0; i < NAME_COUNT; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", names[i]);
    }
    return fault__set(fault, -EINVAL, "no parameter '%s'; there are %s", name, list);
}

static int read_seconds(const char *text, struct fault *fault, uint32_t *ret_seconds)
{
    char *end = NULL;
    unsigned long count = text ? strtoul(text, &end, 10) : SECONDS_USUAL;
    if (text && (*text < '0' || *text > '9' || *end || !count || count > LIMIT_PPROF_SECONDS))
        return fault__set(fault, -EINVAL, "seconds '%s' is not a number from 1 to %u", text, LIMIT_PPROF_SECONDS);
    *ret_seconds = (uint32_t)count;
    return 0;
}

static int check_filters(const struct question *question, struct fault *fault)
{
    struct filter filter = {0};
    struct report_request request;
    int err = question__request(question, own, &filter, fault, &request);
    free(filter.pids.ids);
    return err;
}

// Before the first interval nothing is known of events.
static int check_event(const char *event, const struct metrics_totals *totals, struct fault *fault)
{
    char clean[METRICS_NAME_BYTES], list[512] = "";
    if (!event || !totals->intervals)
        return 0;
    metrics_name__clean(event, clean, sizeof(clean));
    for (size_t i = 0; i < WIRE_EVENTS_MAX; i++) {
        const char *name = totals->events[i];
        size_t used = strlen(list);
        if (strcmp(name, clean) == 0)
            return 0;
        if (*name)
            snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", name);
    }
    return fault__set(fault, -EINVAL, "no event '%s' is sampled; there are %s", event, list);
}

static int add_word(const char *word, size_t *used, struct fault *fault, struct profile_order *order)
{
    size_t bytes = strlen(word) + 1;
    if (bytes >= sizeof(order->words) - *used)
        return fault__set(fault, -EINVAL, "the parameters are longer than %zu bytes", sizeof(order->words));
    memcpy(order->words + *used, word, bytes);
    *used += bytes;
    return 0;
}

static int add_words(const struct question *question, struct fault *fault, struct profile_order *order)
{
    size_t used = 0;
    int err = 0;
    for (size_t i = 0; i < question->count && !err; i++) {
        if (strcmp(question->parameters[i].name, "seconds") == 0)
            continue;
        err = add_word(question->parameters[i].name, &used, fault, order);
        if (!err)
            err = add_word(question->parameters[i].value, &used, fault, order);
        order->word_count++;
    }
    return err;
}

int profile_words__read(const struct question *question, const struct metrics_totals *totals, struct fault *fault,
                        struct profile_order *order, uint32_t *ret_seconds)
{
    int err = 0;
    for (size_t i = 0; i < question->count && !err; i++)
        err = check_name(question->parameters[i].name, fault);
    if (!err)
        err = read_seconds(question__find(question, "seconds"), fault, ret_seconds);
    if (!err)
        err = check_filters(question, fault);
    if (!err)
        err = check_event(question__find(question, "event"), totals, fault);
    return err ? err : add_words(question, fault, order);
}
