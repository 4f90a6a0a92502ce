// kprobe:FUNCTION, with the BPF program sample_probe behind it.
#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/sources/source.h"
#include "store/base/limits.h"

static int parse(struct event *event, struct fault *fault)
{
    const char *function = event__behind(event, "kprobe:");
    if (!function)
        return -ENOENT;
    if (!*function)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "'kprobe:' needs a function of the kernel");
    snprintf(event->detail, sizeof(event->detail), "%s of the kernel", function);
    return 0;
}

static int prepare(struct event *event, const struct target *target, struct fault *fault)
{
    (void)target;
    if (access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0)
        return 0;
    return fault__set_code(fault, EXIT_CODE_LACKS, -ENOTSUP,
                           "cannot attach '%s': this kernel has no kprobes (CONFIG_KPROBE_EVENTS); fentry:FUNCTION may "
                           "do instead, see `hearth doctor`",
                           event->spelled);
}

static int attach_function(struct event *event, const char *function)
{
    struct bpf_link *link = bpf_program__attach_kprobe(loaded__program(event->loaded, "sample_probe"), false, function);
    return link ? loaded__keep(event->loaded, link) : -errno;
}

// Attaches to the functions in /proc/kallsyms that fit the glob.
static int attach_fitting(struct event *event, const char *pattern, struct fault *fault)
{
    char line[512], kind, name[256];
    size_t attached = 0, refused = 0;
    _cleanup_file_ FILE *file = fopen("/proc/kallsyms", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%*s %c %255s", &kind, name) != 2 || (kind | 0x20) != 't' || fnmatch(pattern, name, 0) != 0)
            continue;
        if (attached + refused == LIMIT_PROBE_SITES)
            return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "'%s' fits more than %u functions", event->spelled,
                                   LIMIT_PROBE_SITES);
        int err = attach_function(event, name);
        attached += err == 0;
        refused += err != 0;
    }
    if (!attached)
        return fault__set(fault, -ENOENT, "cannot attach '%s': no function of the kernel that can be probed fits",
                          event->spelled);
    snprintf(event->note, sizeof(event->note), "%zu functions probed, %zu refused by the kernel", attached, refused);
    return 0;
}

static int attach(struct event *event, const struct target *target, struct fault *fault)
{
    (void)target;
    const char *function = event->words;
    if (strpbrk(function, "*?["))
        return attach_fitting(event, function, fault);
    int err = attach_function(event, function);
    if (err == -ENOENT || err == -EINVAL || err == -EADDRNOTAVAIL)
        return fault__set(fault, err,
                          "cannot attach '%s': the kernel has no such function, or it was inlined, or must not be "
                          "probed",
                          event->spelled);
    return err ? source__say_unattached(event->spelled, err, fault) : 0;
}

const struct source source_kprobe = {
    .spelling = "kprobe:FUNCTION",
    .summary = "a function of the kernel is entered, where the kernel has kprobes; a glob too",
    .unit = "hits",
    .is_probe = true,
    .object = "source_probe",
    .parse = parse,
    .prepare = prepare,
    .attach = attach,
};
