// usdt:FILE:PROVIDER:NAME. As an event it is a uprobe at each place of the probe, with the BPF program sample_probe
// behind it; for histograms, which read arguments, libbpf does that. The kernel itself raises and lowers the probes'
// semaphores, so that none stays raised when hearth is killed.
#ifndef HEARTH_COLLECTOR_SOURCE_USDT_H
#define HEARTH_COLLECTOR_SOURCE_USDT_H

#include "collector/source.h"

int source_usdt__parse(struct event *event, struct fault *fault);
int source_usdt__prepare(struct event *event, const struct target *target, struct fault *fault);

struct usdt_probes;

// The probes of a file that fit PROVIDER:NAME, each of them a glob. -ENOENT with a fault.
int usdt_probes__find(const char *file, const char *pattern, uint32_t pid, struct fault *fault,
                      struct usdt_probes **ret_probes);
void usdt_probes__free(struct usdt_probes *probes);
size_t usdt_probes__count(const struct usdt_probes *probes);
// Attaches a program of section "usdt" to all of them, in the target's processes, or in all processes.
int usdt_probes__attach(const struct usdt_probes *probes, const struct bpf_program *program,
                        const struct target *target, struct loaded *loaded, struct fault *fault);

DEFINE_CLEANUP(struct usdt_probes *, usdt_probes__free);

#endif
