// fentry:FUNCTION, as samples, and as a histogram of the time from its entry to its return.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collector/programs/feature.h"
#include "collector/sources/hist_event.h"
#include "collector/sources/source.h"

static int parse(struct event *event, struct fault *fault)
{
    const char *function = event__behind(event, "fentry:");
    if (!function)
        return -ENOENT;
    if (!*function)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'fentry:' needs a function of the kernel");
    snprintf(event->detail, sizeof(event->detail), "%s of the kernel", function);
    return 0;
}

static int prepare(struct event *event, const struct target *target, struct fault *fault)
{
    const char *function = event->words;
    struct btf *btf = btf__load_vmlinux_btf();
    int id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -errno;
    (void)target;
    btf__free(btf);
    if (id < 0)
        return fault__set(fault, id,
                          "cannot attach '%s': the kernel's BTF has no function '%s' (it may be inlined, or belong to "
                          "a module)",
                          event->spelled, function);
    int err = feature__fentry();
    if (!err)
        return 0;
    return fault__set_code(fault, EXIT_CODE_LACKS, err,
                           "cannot attach '%s': this kernel allows no fentry programs (%s); it needs "
                           "CONFIG_FUNCTION_TRACER, and must not be locked down: see `hearth doctor`",
                           event->spelled, strerror(-err));
}

static int configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    struct bpf_program *program;
    bpf_object__for_each_program(program, loaded__object(loaded))
    {
        enum bpf_attach_type type = bpf_program__expected_attach_type(program);
        if (type != BPF_TRACE_FENTRY && type != BPF_TRACE_FEXIT)
            continue;
        int err = bpf_program__set_attach_target(program, 0, event->words);
        if (err)
            return fault__set(fault, err, "cannot attach '%s': %s", event->spelled, strerror(-err));
    }
    return 0;
}

const struct source source_fentry = {
    .spelling = "fentry:FUNCTION",
    .summary = "a function of the kernel is entered, where the kernel has BTF trampolines",
    .unit = "hits",
    .is_probe = true,
    .object = "source_fentry",
    .parse = parse,
    .prepare = prepare,
    .configure = configure,
    .attach = source__attach_programs,
};

// --- The same as a histogram

static int parse_hist(struct event *event, struct fault *fault)
{
    int err = parse(event, fault);
    return err ? err : hist_event__check_plain(event, fault);
}

static int configure_hist(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = configure(event, loaded, fault);
    return err ? err : hist_event__configure(event, loaded, fault);
}

const struct source source_hist_fentry = {
    .spelling = "fentry:FUNCTION",
    .summary = "from the entry of a function of the kernel to its return",
    .is_histogram = true,
    .unit = "ns",
    .is_probe = true,
    .object = "source_hist_fcall",
    .parse = parse_hist,
    .prepare = prepare,
    .configure = configure_hist,
    .attach = source__attach_programs,
    .leave = source__count_left,
};
