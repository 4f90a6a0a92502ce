#include "collector/source_usdt.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/probe_file.h"
#include "collector/probe_sites.h"
#include "collector/source_probe.h"
#include "collector/usdt_sites.h"
#include "store/base/limits.h"
#include "symbolizer/usdt_notes.h"

struct usdt_probe {
    char provider[64], name[128];
};

struct usdt_probes {
    int fd;
    char *path;
    const char *pattern; // while they are looked for
    char others[160];    // some that do not fit
    struct usdt_probe *rows;
    size_t count;
};

static bool is_known(const struct usdt_probes *probes, const struct usdt_note *note)
{
    for (size_t i = 0; i < probes->count; i++)
        if (strcmp(probes->rows[i].provider, note->provider) == 0 && strcmp(probes->rows[i].name, note->name) == 0)
            return true;
    return false;
}

static void remember_other(struct usdt_probes *probes, const char *words)
{
    size_t used = strlen(probes->others);
    if (!strstr(probes->others, words) && used + strlen(words) + 3 < sizeof(probes->others))
        snprintf(probes->others + used, sizeof(probes->others) - used, "%s%s", used ? ", " : "", words);
}

// One row a probe, however many places it has: libbpf finds those.
static int add_note(const struct usdt_note *note, void *context)
{
    struct usdt_probes *probes = context;
    char words[256];
    snprintf(words, sizeof(words), "%s:%s", note->provider, note->name);
    if (fnmatch(probes->pattern, words, 0) != 0) {
        remember_other(probes, words);
        return 0;
    }
    if (is_known(probes, note))
        return 0;
    if (probes->count == LIMIT_PROBE_SITES)
        return -E2BIG;
    struct usdt_probe *rows = reallocarray(probes->rows, probes->count + 1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    probes->rows = rows;
    struct usdt_probe *row = &rows[probes->count];
    if (strlen(note->provider) >= sizeof(row->provider) || strlen(note->name) >= sizeof(row->name))
        return 0;
    snprintf(row->provider, sizeof(row->provider), "%s", note->provider);
    snprintf(row->name, sizeof(row->name), "%s", note->name);
    probes->count++;
    return 0;
}

static int find_in(struct usdt_probes *probes, const struct probe_file *file, const char *pattern, struct fault *fault)
{
    probes->pattern = pattern;
    probes->fd = dup(file->fd);
    probes->path = strdup(file->path);
    if (probes->fd < 0 || !probes->path)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = usdt_notes__each(file->elf, add_note, probes);
    if (err == -ENOENT)
        return fault__set(fault, err, "'%s' has no USDT probes (no .note.stapsdt in it)", file->path);
    if (err == -E2BIG)
        return fault__set_code(fault, EXIT_CODE_USAGE, err, "'%s' fits more than %u USDT probes of '%s'", pattern,
                               LIMIT_PROBE_SITES, file->path);
    if (err)
        return fault__set(fault, err, "cannot read the USDT probes of '%s': %s", file->path, strerror(-err));
    if (!probes->count)
        return fault__set(fault, -ENOENT, "'%s' has no USDT probe '%s'; it has %s", file->path, pattern,
                          probes->others);
    return 0;
}

int usdt_probes__find(const char *name, const char *pattern, uint32_t pid, struct fault *fault,
                      struct usdt_probes **ret_probes)
{
    _cleanup_(probe_file__release) struct probe_file file = {.fd = -1};
    _cleanup_(usdt_probes__freep) struct usdt_probes *probes = calloc(1, sizeof(*probes));
    if (!probes)
        return fault__set(fault, -ENOMEM, "out of memory");
    probes->fd = -1;
    int err = probe_file__open(name, pid, fault, &file);
    if (!err)
        err = find_in(probes, &file, pattern, fault);
    if (!err)
        *ret_probes = take_pointer(probes);
    return err;
}

void usdt_probes__free(struct usdt_probes *probes)
{
    if (!probes)
        return;
    fd__close(&probes->fd);
    free(probes->path);
    free(probes->rows);
    free(probes);
}

size_t usdt_probes__count(const struct usdt_probes *probes)
{
    return probes->count;
}

static int attach_one(const struct usdt_probes *probes, const struct usdt_probe *probe,
                      const struct bpf_program *program, int pid, struct loaded *loaded, struct fault *fault)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", probes->fd);
    struct bpf_link *link = bpf_program__attach_usdt(program, pid, path, probe->provider, probe->name, NULL);
    int err = link ? loaded__keep(loaded, link) : -errno;
    if (err == -EPERM || err == -EACCES)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "cannot put a probe on %s:%s in '%s': %s; run as root, or with CAP_PERFMON",
                               probe->provider, probe->name, probes->path, strerror(-err));
    return err ? fault__set(fault, err, "cannot put a probe on %s:%s in '%s': %s", probe->provider, probe->name,
                            probes->path, loaded__reason(err))
               : 0;
}

int usdt_probes__attach(const struct usdt_probes *probes, const struct bpf_program *program,
                        const struct target *target, struct loaded *loaded, struct fault *fault)
{
    bool narrow = target__is_processes(target);
    int err = 0;
    for (size_t i = 0; i < probes->count && !err; i++) {
        if (!narrow)
            err = attach_one(probes, &probes->rows[i], program, -1, loaded, fault);
        for (size_t j = 0; narrow && j < target->process_count && !err; j++)
            err = attach_one(probes, &probes->rows[i], program, (int)target->processes[j].pid, loaded, fault);
    }
    return err;
}

// --- As an event

int source_usdt__parse(struct event *event, struct fault *fault)
{
    const char *words = event__behind(event, "usdt:"), *probe;
    char file[PATH_MAX];
    if (!words)
        return -ENOENT;
    int err = probe__split(words, file, sizeof(file), &probe, fault);
    if (!err && !strchr(probe, ':'))
        err = fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                              "'%s' names no USDT probe; usdt:FILE:PROVIDER:NAME is needed", event->spelled);
    return err;
}

int source_usdt__prepare(struct event *event, const struct target *target, struct fault *fault)
{
    char file[PATH_MAX];
    const char *pattern;
    struct probe_sites *sites;
    size_t count;
    int err = probe__split(event__behind(event, "usdt:"), file, sizeof(file), &pattern, fault);
    if (!err)
        err = usdt_sites__find(file, pattern, source_probe__pid(target), fault, &sites, &count);
    if (err)
        return err;
    event->prepared = sites;
    snprintf(event->detail, sizeof(event->detail), "%zu USDT probe%s at %zu place%s of %s", count, count > 1 ? "s" : "",
             sites->count, sites->count > 1 ? "s" : "", sites->path);
    return 0;
}
