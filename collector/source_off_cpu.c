#include "collector/source_off_cpu.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/source_hist.h"

static const char *const marks[] = {
#define WAIT_STATE(name, mark) mark,
#include "bpf/wait_states.def"
#undef WAIT_STATE
};

int source_off_cpu__parse(struct event *event, struct fault *fault)
{
    (void)fault;
    if (strcmp(event->spelled, "off-cpu") != 0)
        return -ENOENT;
    snprintf(event->detail, sizeof(event->detail), "from switch-out to switch-in");
    return 0;
}

int source_off_cpu__configure(struct event *event, struct loaded *loaded, struct fault *fault)
{
    int err = loaded__set(loaded, "own_min_ns", &event->min_ns, sizeof(event->min_ns), fault);
    return err ? err : loaded__set(loaded, "own_max_ns", &event->max_ns, sizeof(event->max_ns), fault);
}

int source_off_cpu__iterate(const struct bpf_link *iterator, struct drain *drain)
{
    _cleanup_fd_ int fd = bpf_iter_create(bpf_link__fd(iterator));
    if (fd < 0)
        return -errno;
    int err = drain ? drain__hold(drain, WIRE_NO_STACK) : 0; // from the first drain on
    if (err)
        return err;
    while (true) {
        uint64_t ids[512];
        ssize_t bytes = read(fd, ids, sizeof(ids));
        if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (bytes <= 0)
            return bytes < 0 ? -errno : 0;
        for (size_t i = 0; drain && i < (size_t)bytes / sizeof(ids[0]); i++) {
            err = drain__hold(drain, ids[i]);
            if (err)
                return err;
        }
    }
}

int source_off_cpu__begin(const struct bpf_link *iterator, struct fault *fault)
{
    if (source_off_cpu__iterate(iterator, NULL) == 0)
        return 0;
    return fault__set_code(fault, EXIT_CODE_LACKS, -EIO,
                           "cannot look at the threads that wait already: the kernel's iterator over tasks fails; "
                           "see `hearth doctor`");
}

// A wait that began before the recording is as long as nobody knows: no value of a histogram, and in no bounds above.
static bool counts_early_waits(const struct event *event)
{
    return !event->hist && !event->max_ns;
}

int source_off_cpu__attach(struct event *event, const struct target *target, struct fault *fault)
{
    enum { STILL, SWITCH, BEGIN, COUNT };
    static const char *const programs[COUNT] = {
        [STILL] = "waits_still", [SWITCH] = "off_cpu_switch", [BEGIN] = "off_cpu_begin"};
    struct bpf_link *links[COUNT];
    (void)target;
    int err = source__attach_named(event, programs, COUNT, links, fault);
    if (err)
        return err;
    event->prepared = links[STILL];
    return counts_early_waits(event) ? source_off_cpu__begin(links[BEGIN], fault) : 0;
}

int source_off_cpu__settle(struct event *event, struct drain *drain, bool is_last)
{
    (void)is_last;
    if (event->hist && !event->hist->stacks) // a wait is counted at its end, without a stack
        return 0;
    return source_off_cpu__iterate(event->prepared, drain);
}

const char *source_off_cpu__mark(uint32_t detail)
{
    return detail < WIRE_WAIT_STATE_COUNT ? marks[detail] : NULL;
}
