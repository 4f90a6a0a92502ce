#include "collector/sources/source_tracepoint.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/probes/tracefs.h"
#include "collector/sources/source.h"
#include "store/base/limits.h"

struct ids {
    size_t count;
    uint64_t rows[LIMIT_PROBE_SITES];
};

static int parse(struct event *event, struct fault *fault)
{
    const char *name = event__behind(event, "tracepoint:");
    if (!name)
        return -ENOENT;
    const char *colon = strchr(name, ':');
    if (!colon || colon == name || !colon[1])
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "'%s' names no tracepoint; its CATEGORY:NAME is needed, as in "
                               "tracepoint:sched:sched_switch",
                               event->spelled);
    return 0;
}

// --- Walking the folders events/CATEGORY/NAME of tracefs

static DIR *open_folder(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !folder)
        close(fd);
    return folder;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static int read_id(int events_fd, const char *category, const char *name, uint64_t *ret_id)
{
    char path[512], text[32] = "";
    snprintf(path, sizeof(path), "%s/%s/id", category, name);
    _cleanup_fd_ int fd = openat(events_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return -ENOENT; // no event: a file of the folder
    *ret_id = strtoull(text, NULL, 10);
    return 0;
}

static int each_of(int events_fd, const char *category, const char *pattern,
                   int (*row)(const char *name, uint64_t id, void *context), void *context)
{
    _cleanup_(close_folder) DIR *folder = open_folder(events_fd, category);
    const struct dirent *entry;
    int err = 0;
    while (folder && !err && (entry = readdir(folder))) {
        char name[512];
        uint64_t id;
        snprintf(name, sizeof(name), "%s:%s", category, entry->d_name);
        if (entry->d_name[0] != '.' && fnmatch(pattern, name, 0) == 0 &&
            read_id(events_fd, category, entry->d_name, &id) == 0)
            err = row(name, id, context);
    }
    return err;
}

int source_tracepoint__each(const char *pattern, int (*row)(const char *name, uint64_t id, void *context),
                            void *context, struct fault *fault)
{
    _cleanup_fd_ int root = -1;
    int err = tracefs__open(fault, &root);
    if (err)
        return err;
    _cleanup_fd_ int events = openat(root, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(close_folder) DIR *folder = events < 0 ? NULL : open_folder(events, ".");
    if (!folder)
        return fault__set_code(fault, EXIT_CODE_LACKS, -errno, "cannot read the tracepoints in tracefs: %s",
                               strerror(errno));
    const struct dirent *entry;
    while (!err && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            err = each_of(events, entry->d_name, pattern, row, context);
    return err;
}

// --- As events

static int add_id(const char *name, uint64_t id, void *context)
{
    struct ids *ids = context;
    (void)name;
    if (ids->count == LIMIT_PROBE_SITES)
        return -E2BIG;
    ids->rows[ids->count++] = id;
    return 0;
}

static int prepare(struct event *event, const struct target *target, struct fault *fault)
{
    const char *name = event->words;
    _cleanup_free_ struct ids *ids = calloc(1, sizeof(*ids));
    (void)target;
    if (!ids)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = source_tracepoint__each(name, add_id, ids, fault);
    if (err == -E2BIG)
        return fault__set_code(fault, EXIT_CODE_USAGE, err, "'%s' fits more than %u tracepoints", event->spelled,
                               LIMIT_PROBE_SITES);
    if (err)
        return err;
    if (!ids->count)
        return fault__set(fault, -ENOENT,
                          "the kernel has no tracepoint '%s'; `hearth list events 'tracepoint:*'` lists "
                          "them",
                          name);
    if (ids->count > 1)
        snprintf(event->note, sizeof(event->note), "%zu tracepoints", ids->count);
    snprintf(event->detail, sizeof(event->detail), "%zu of the kernel's tracepoints", ids->count);
    event->prepared = take_pointer(ids);
    return 0;
}

static void release(struct event *event)
{
    free(event->prepared);
}

// The program runs on every CPU, whichever one the event is opened on (kernel/trace/trace_event_perf.c: the programs
// belong to the tracepoint).
static int attach_one(struct event *event, uint64_t id, uint32_t cpu)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .config = id};
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int link_fd =
        bpf_link_create(bpf_program__fd(loaded__program(event->loaded, "sample_tracepoint")), fd, BPF_PERF_EVENT, NULL);
    int err = link_fd < 0 ? -errno : loaded__keep_fd(event->loaded, link_fd);
    if (err) {
        close(fd);
        return err;
    }
    return loaded__keep_slow_fd(event->loaded, fd);
}

static int attach(struct event *event, const struct target *target, struct fault *fault)
{
    const struct ids *ids = event->prepared;
    for (size_t i = 0; i < ids->count; i++) {
        int err = -ENODEV; // of a CPU that is offline; any other will do, since the program runs on all
        for (size_t j = 0; j < target->present_count && err == -ENODEV; j++)
            err = attach_one(event, ids->rows[i], target->present[j]);
        if (err)
            return source__say_unattached(event->spelled, err, fault);
    }
    return 0;
}

const struct source source_tracepoint = {
    .spelling = "tracepoint:CATEGORY:NAME",
    .summary = "a tracepoint of the kernel, or several by a glob",
    .unit = "hits",
    .is_probe = true,
    .object = "source_tracepoint",
    .parse = parse,
    .prepare = prepare,
    .release = release,
    .attach = attach,
};
