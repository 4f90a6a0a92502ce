// The places in a file that USDT probes stand at, by a glob over PROVIDER:NAME. The arguments of
// a probe do not matter to where it is: one whose argument nobody can read is counted like any other. Each place keeps
// their words.
#ifndef HEARTH_COLLECTOR_PROBES_USDT_SITES_H
#define HEARTH_COLLECTOR_PROBES_USDT_SITES_H

#include "collector/probes/probe_sites.h"

// As probe_sites__find(). *ret_probes: how many different probes those places belong to.
int usdt_sites__find(const char *file, const char *pattern, uint32_t pid, struct fault *fault,
                     struct probe_sites **ret_sites, size_t *ret_probes);

#endif
