#include "collector/sources/source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/programs/iterator.h"

void event__release(struct event *event)
{
    loaded__free(event->loaded);
    event->loaded = NULL;
    if (event->source && event->source->release && event->prepared)
        event->source->release(event);
    event->prepared = NULL;
    free(event->cpus);
    event->cpus = NULL;
    event->cpu_count = 0;
    free(event->copied);
    event->spelled = event->copied = NULL;
}

const char *event__unit(const struct event *event)
{
    return event->unit ? event->unit : event->source->unit;
}

bool event__keeps_stacks(const struct event *event)
{
    return !event->hist || event->hist->stacks;
}

void event__read_runs(const struct event *event, uint64_t *ret_runs, uint64_t *ret_ns)
{
    struct bpf_program *program;
    *ret_runs = *ret_ns = 0;
    if (!event->loaded)
        return;
    bpf_object__for_each_program(program, loaded__object(event->loaded))
    {
        struct bpf_prog_info info = {0};
        __u32 length = sizeof(info);
        if (strcmp(bpf_program__name(program), "trap_nothing") == 0 ||
            strncmp(bpf_program__name(program), "left_", 5) == 0 ||
            bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) != 0)
            continue;
        *ret_runs += info.run_cnt;
        *ret_ns += info.run_time_ns;
    }
}

uint64_t event__lost(const struct event *event)
{
    const struct bpf_map *map =
        event->loaded ? bpf_object__find_map_by_name(loaded__object(event->loaded), "own_lost") : NULL;
    int cpus = libbpf_num_possible_cpus();
    uint32_t zero = 0;
    uint64_t lost = 0;
    _cleanup_free_ uint64_t *per_cpu = cpus > 0 ? calloc((size_t)cpus, sizeof(*per_cpu)) : NULL;
    if (!map || !per_cpu || bpf_map_lookup_elem(bpf_map__fd(map), &zero, per_cpu) != 0)
        return lost;
    for (int i = 0; i < cpus; i++)
        lost += per_cpu[i];
    return lost;
}

int source__say_unattached(const char *name, int err, struct fault *fault)
{
    if (err == -EMFILE || err == -ENFILE)
        return fault__set(fault, err, "cannot attach '%s': too many open files", name);
    return fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot attach '%s': %s; see `hearth doctor`", name,
                           strerror(-err));
}

const char *event__behind(struct event *event, const char *prefix)
{
    size_t length = strlen(prefix);
    event->words = strncmp(event->spelled, prefix, length) == 0 ? event->spelled + length : NULL;
    return event->words;
}

int source__attach_named(struct event *event, const char *const *names, size_t count, struct bpf_link **ret_links,
                         struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        ret_links[i] = bpf_program__attach(loaded__program(event->loaded, names[i]));
        int err = ret_links[i] ? loaded__keep(event->loaded, ret_links[i]) : -errno;
        if (err)
            return source__say_unattached(event->spelled, err, fault);
    }
    return 0;
}

void source__choose_left(struct loaded *loaded, bool is_needed)
{
    static const char *const names[] = {"left_by_exit", "left_at_end", "left_keyed"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct bpf_program *program = loaded__program(loaded, names[i]);
        if (program)
            bpf_program__set_autoload(program, is_needed);
    }
}

int source__watch_exits(struct event *event, struct fault *fault)
{
    struct bpf_link *link = bpf_program__attach(loaded__program(event->loaded, "left_by_exit"));
    int err = link ? loaded__keep(event->loaded, link) : -errno;
    return err ? fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot follow the ends of threads for '%s': %s",
                                 event->spelled, strerror(-err))
               : 0;
}

int source__count_left(struct event *event)
{
    struct bpf_program *at_end = loaded__program(event->loaded, "left_at_end");
    struct bpf_program *keyed = loaded__program(event->loaded, "left_keyed");
    LIBBPF_OPTS(bpf_test_run_opts, options);
    int err = at_end && bpf_program__fd(at_end) >= 0 ? iterator__run_program(at_end, 0, NULL, NULL) : 0;
    if (!err && keyed && bpf_program__fd(keyed) >= 0 && bpf_prog_test_run_opts(bpf_program__fd(keyed), &options) != 0)
        err = -errno;
    return err;
}

int source__attach_programs(struct event *event, const struct target *target, struct fault *fault)
{
    struct bpf_program *program;
    (void)target;
    bpf_object__for_each_program(program, loaded__object(event->loaded))
    {
        struct bpf_link *link = bpf_program__attach(program);
        int err = link ? loaded__keep(event->loaded, link) : -errno;
        if (err)
            return source__say_unattached(event->spelled, err, fault);
        if (bpf_program__expected_attach_type(program) == BPF_TRACE_ITER)
            event->prepared = link;
    }
    return 0;
}
