#include "collector/source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/iterator.h"
#include "collector/source_fentry.h"
#include "collector/source_hist.h"
#include "collector/source_off_cpu.h"
#include "collector/source_perf.h"
#include "collector/source_probe.h"
#include "collector/source_tracepoint.h"
#include "collector/source_usdt.h"
#include "collector/source_wall.h"

// The one list of kinds of events. The first row whose parse knows the spelling wins.
const struct source sources[] = {
    {
        .spelling = "cpu",
        .summary = "on-CPU samples: cycles where the PMU has them, else cpu-clock",
        .unit = "samples",
        .object = "source_perf",
        .is_sampled = true,
        .parse = source_perf__parse_cpu,
        .configure = source_perf__configure,
        .attach = source_perf__attach,
        .follow_cpus = source_perf__follow_cpus,
    },
    {
        .spelling = "off-cpu",
        .summary = "time from leaving the CPU to being back on it, with the stack it was left with",
        .unit = "ns",
        .object = "source_off_cpu",
        .parse = source_off_cpu__parse,
        .configure = source_off_cpu__configure,
        .attach = source_off_cpu__attach,
        .has_early_waits = true,
        .settle = source_off_cpu__settle,
        .mark = source_off_cpu__mark,
    },
    {
        .spelling = "wall",
        .summary = "the time of each thread, on the CPU and off it",
        .unit = "ns",
        .object = "source_wall",
        .parse = source_wall__parse,
        .release = source_wall__release,
        .attach = source_wall__attach,
        .follow_cpus = source_perf__follow_cpus,
        .has_early_waits = true,
        .settle = source_wall__settle,
        .is_clocked = true,
        .mark = source_off_cpu__mark,
    },
    {
        .spelling = "page-faults, cycles, ...",
        .summary = "perf's events by perf's names, and rNNNN; software events each, or one of many by -c",
        .unit = "events",
        .object = "source_perf",
        .is_sampled = true,
        .parse = source_perf__parse_named,
        .configure = source_perf__configure,
        .attach = source_perf__attach,
        .follow_cpus = source_perf__follow_cpus,
    },
    {
        .spelling = "tracepoint:CATEGORY:NAME",
        .summary = "a tracepoint of the kernel, or several by a glob",
        .unit = "hits",
        .is_probe = true,
        .object = "source_tracepoint",
        .parse = source_tracepoint__parse,
        .prepare = source_tracepoint__prepare,
        .release = source_tracepoint__release,
        .attach = source_tracepoint__attach,
    },
    {
        .spelling = "uprobe:FILE:SYMBOL[+OFFSET]",
        .summary = "a function of a program or a library is entered, or several by a glob; 0xADDRESS too",
        .unit = "hits",
        .is_probe = true,
        .object = "source_probe",
        .parse = source_probe__parse_entry,
        .prepare = source_probe__prepare,
        .release = source_probe__release,
        .configure = source_probe__configure,
        .attach = source_probe__attach_entry,
    },
    {
        .spelling = "uretprobe:FILE:SYMBOL",
        .summary = "a function of a program or a library returns",
        .unit = "hits",
        .is_probe = true,
        .object = "source_probe",
        .parse = source_probe__parse_return,
        .prepare = source_probe__prepare,
        .release = source_probe__release,
        .configure = source_probe__configure,
        .attach = source_probe__attach_return,
    },
    {
        .spelling = "usdt:FILE:PROVIDER:NAME",
        .summary = "a USDT probe of a program or a library, or several by a glob",
        .unit = "hits",
        .is_probe = true,
        .object = "source_probe",
        .parse = source_usdt__parse,
        .prepare = source_usdt__prepare,
        .release = source_probe__release,
        .configure = source_probe__configure,
        .attach = source_probe__attach_entry,
    },
    {
        .spelling = "fentry:FUNCTION",
        .summary = "a function of the kernel is entered, where the kernel has BTF trampolines",
        .unit = "hits",
        .is_probe = true,
        .object = "source_fentry",
        .parse = source_fentry__parse,
        .prepare = source_fentry__prepare,
        .configure = source_fentry__configure,
        .attach = source__attach_programs,
    },
    {
        .spelling = "kprobe:FUNCTION",
        .summary = "a function of the kernel is entered, where the kernel has kprobes; a glob too",
        .unit = "hits",
        .is_probe = true,
        .object = "source_probe",
        .parse = source_kprobe__parse,
        .prepare = source_kprobe__prepare,
        .attach = source_kprobe__attach,
    },
    {0},
};

int source__parse(struct event *event, struct fault *fault)
{
    const char *list = event->hist ? "hearth hist -h" : "hearth list events";
    for (const struct source *source = event->hist ? hist_sources : sources; source->spelling; source++) {
        event->source = source;
        int err = source->parse(event, fault);
        if (err != -ENOENT)
            return err;
    }
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "unknown %s '%s'; `%s` lists the kinds",
                           event->hist ? "probe" : "event", event->spelled, list);
}

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

int source__say_unattached(const char *name, int err, struct fault *fault)
{
    if (err == -EMFILE || err == -ENFILE)
        return fault__set(fault, err, "cannot attach '%s': too many open files", name);
    return fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot attach '%s': %s; see `hearth doctor`", name,
                           strerror(-err));
}

const char *event__behind(const struct event *event, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(event->spelled, prefix, length) == 0 ? event->spelled + length : NULL;
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
