#include "report/query/filter.h"

#include <errno.h>
#include <math.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report/text/time_text.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"

const struct option_row stack_filter_rows[] = {
    {0, "focus", "REGEX", "only stacks with a function whose name matches", option__string,
     offsetof(struct stack_filter, focus)},
    {0, "ignore", "REGEX", "only stacks without such a function", option__string,
     offsetof(struct stack_filter, ignore)},
    {0, "hide", "REGEX", "leave such functions out, not what was counted in them", option__string,
     offsetof(struct stack_filter, hide)},
    {0},
};

const struct option_row filter_rows[] = {
    {'e', "event", "EVENT", "the event to show (the only one, else cpu)", option__string,
     offsetof(struct filter, event)},
    {0, "since", "TIME", "from this time on: -1h, 12:30, yesterday, \"2026-11-21 12:30\", @UNIX", option__string,
     offsetof(struct filter, since)},
    {0, "until", "TIME", "up to this time", option__string, offsetof(struct filter, until)},
    {'p', "pid", "PID[,PID...]", "only these processes", filter__ids, offsetof(struct filter, pids)},
    {'t', "tid", "TID[,TID...]", "only these threads", filter__ids, offsetof(struct filter, tids)},
    {'u', "uid", "USER", "only this user's processes: a name or a number", option__string,
     offsetof(struct filter, uid)},
    {'G', "cgroup", "PATH", "only this cgroup and those below it", option__string, offsetof(struct filter, cgroup)},
    {'C', "cpu", "LIST", "cannot be asked of a store: it keeps no CPUs", option__string, offsetof(struct filter, cpu)},
    {0, "unit", "NAME", "only this systemd unit: nginx is nginx.service; * ? [...] as in a shell", option__string,
     offsetof(struct filter, unit)},
    {0, "container", "ID", "only this container: the first digits of its id, or its name", option__string,
     offsetof(struct filter, container)},
    {0, "pod", "UID", "only this pod of Kubernetes", option__string, offsetof(struct filter, pod)},
    {0, "comm", "NAME", NAME_PATTERN_HELP, option__string, offsetof(struct filter, comm)},
    {0, "bucket", "LOW..HIGH", "only values of a histogram event from LOW up to HIGH: 16ms.., 4KiB..1MiB",
     option__string, offsetof(struct filter, bucket)},
    {0, "group-by", "KEY", "a root for each KEY: comm (the default), " GROUP_KEYS_BUT_COMM, group__option,
     offsetof(struct filter, group)},
    {0, "threads", NULL, "a root for each thread: --group-by tid", option__flag, offsetof(struct filter, threads)},
    {0, "lines", NULL, "a frame for each line of source, not for each function", option__flag,
     offsetof(struct filter, lines)},
    {0, "no-inline", NULL, "leave inlined functions out", option__flag, offsetof(struct filter, no_inline)},
    OPTION_ROWS_OF(stack_filter_rows, struct filter, stacks),
    {0, "collapse", "binary|file",
     "put functions together by binary or by source file; neighbours of one are one frame", collapse__option,
     offsetof(struct filter, collapse)},
    {0},
};

int filter__ids(const char *text, void *target, struct fault *fault)
{
    struct id_list *list = target;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        unsigned long id = strtoul(at, &end, 10);
        if (errno || end == at || *at < '0' || *at > '9' || id > INT32_MAX || (*end && *end != ','))
            return fault__set(fault, -EINVAL, "'%s' is not a list of ids such as 12 or 12,34", text);
        if (RESIZE(list->ids, list->count + 1) != 0)
            return fault__set(fault, -ENOMEM, "out of memory");
        list->ids[list->count++] = (uint32_t)id;
        if (!*end)
            return 0;
        at = end;
    }
}

static int parse_user(const char *text, struct fault *fault, uint32_t *ret_uid)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    const struct passwd *user = getpwnam(text);
    if (user)
        *ret_uid = user->pw_uid;
    else if (*text >= '0' && *text <= '9' && !*end && number < UINT32_MAX)
        *ret_uid = (uint32_t)number;
    else
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "there is no user '%s'", text);
    return 0;
}

static bool parse_amount(const char *text, size_t length, wide *ret_amount)
{
    static const struct {
        const char *unit;
        double size;
    } units[] = {{"", 1},         {"ns", 1},       {"us", 1e3},   {"ms", 1e6}, {"s", 1e9},
                 {"min", 60e9},   {"m", 60e9},     {"h", 3600e9}, {"B", 1},    {"KiB", 0x1p10},
                 {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"k", 1e3},    {"M", 1e6}};
    char word[32], *end;
    if (length >= sizeof(word) || !length || !strchr("-0123456789.", *text))
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    double number = strtod(word, &end);
    for (size_t i = 0; end != word && i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(end, units[i].unit) == 0 && isfinite(number) && fabs(number * units[i].size) < 0x1p63) {
            *ret_amount = llround(number * units[i].size);
            return true;
        }
    return false;
}

int filter__bucket(const char *text, struct fault *fault, struct report_request *ret_request)
{
    wide low = 0, high = 0;
    const char *dots = strstr(text, "..");
    bool has_low = dots && dots > text, has_high = dots && dots[2];
    bool good = (has_low || has_high) && (!has_low || parse_amount(text, (size_t)(dots - text), &low)) &&
                (!has_high || parse_amount(dots + 2, strlen(dots + 2), &high)) && (!has_low || !has_high || high > low);
    if (!good)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' is not a range of values such as 16ms.., ..1ms or 4KiB..1MiB", text);
    ret_request->has_bucket_low = has_low;
    ret_request->has_bucket_high = has_high;
    ret_request->bucket_low = low;
    ret_request->bucket_high = high;
    return 0;
}

static int parse_range(const struct filter *filter, struct fault *fault, struct report_request *request)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    int err = filter->since ? time_text__parse(filter->since, now_ns, fault, &request->since_ns) : 0;
    if (!err && filter->until)
        err = time_text__parse(filter->until, now_ns, fault, &request->until_ns);
    if (!err && request->until_ns && request->until_ns <= request->since_ns)
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "--until '%s' is not after --since '%s'", filter->until,
                              filter->since);
    return err;
}

int filter__request(const struct filter *filter, struct fault *fault, struct report_request *ret_request)
{
    struct report_request request = {
        .event = filter->event,
        .pids = filter->pids.ids,
        .pid_count = filter->pids.count,
        .tids = filter->tids.ids,
        .tid_count = filter->tids.count,
        .comm = filter->comm,
        .cgroup = filter->cgroup,
        .unit = filter->unit,
        .container = filter->container,
        .pod = filter->pod,
        .has_uid = filter->uid != NULL,
        .group = filter->threads ? &group_of_threads : filter->group,
        .lines = filter->lines,
        .no_inline = filter->no_inline,
        .stacks = filter->stacks,
        .collapse = filter->collapse,
    };
    if (filter->cpu)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "-C '%s': a store does not keep on which CPU a sample was taken; give -C to `hearth "
                               "record`",
                               filter->cpu);
    if (filter->threads && filter->group && filter->group != &group_of_threads)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "--threads and --group-by %s: choose one",
                               filter->group->name);
    int err = parse_range(filter, fault, &request);
    if (!err && filter->uid)
        err = parse_user(filter->uid, fault, &request.uid);
    if (!err && filter->bucket)
        err = filter__bucket(filter->bucket, fault, &request);
    struct name_pattern names; // parsed to refuse a pattern that matches no name
    if (!err && filter->comm)
        err = name_pattern__parse(filter->comm, fault, &names);
    if (!err)
        err = stack_filter__check(&filter->stacks, fault);
    if (!err)
        *ret_request = request;
    return err;
}

const char *filter__store(const char *named)
{
    static const char here[] = "hearth.db", daemon[] = "/var/lib/hearth";
    return named ? named : access(here, F_OK) != 0 && access(daemon, F_OK) == 0 ? daemon : here;
}
