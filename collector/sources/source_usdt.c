#include "collector/sources/source_usdt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "collector/probes/probe_sites.h"
#include "collector/probes/usdt_sites.h"
#include "collector/sources/source.h"
#include "collector/sources/source_probe.h"

int source_usdt__parse(struct event *event, struct fault *fault)
{
    const char *words = event__behind(event, "usdt:"), *probe;
    char file[PATH_MAX];
    if (!words)
        return -ENOENT;
    int err = probe__split(words, 0, 1, file, &probe, fault);
    if (!err && !strchr(probe, ':'))
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                              "'%s' names no USDT probe; usdt:FILE:PROVIDER:NAME is needed", event->spelled);
    return err;
}

static int prepare(struct event *event, const struct target *target, struct fault *fault)
{
    char file[PATH_MAX];
    const char *pattern;
    struct probe_sites *sites;
    size_t count;
    int err = probe__split(event->words, source_probe__pid(target), 1, file, &pattern, fault);
    if (!err)
        err = usdt_sites__find(file, pattern, source_probe__pid(target), fault, &sites, &count);
    if (err)
        return err;
    event->prepared = sites;
    snprintf(event->detail, sizeof(event->detail), "%zu USDT probe%s at %zu place%s of %s", count, count > 1 ? "s" : "",
             sites->count, sites->count > 1 ? "s" : "", sites->path);
    return 0;
}

const struct source source_usdt = {
    .spelling = "usdt:FILE:PROVIDER:NAME",
    .summary = "a USDT probe of a program or a library, or several by a glob",
    .places = "places",
    .unit = "hits",
    .is_probe = true,
    .object = "source_probe",
    .parse = source_usdt__parse,
    .prepare = prepare,
    .release = source_probe__release,
    .configure = source_probe__configure,
    .attach = source_probe__attach_entry,
};
