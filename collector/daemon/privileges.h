// The privileges that the daemon gives up when it starts, for good, before it has threads. Events come with each
// reload, so that what attaches them is kept; the rest goes:
//
//   capabilities    those of privileges.def alone, in the bounding set too; packaging/hearth.service names the same
//   execve()        of the daemon and of all that it forks from then on; the starter (starter.h) was forked before
//   system calls    that capabilities it keeps would allow, and that it never makes: mounts, namespaces, modules,
//   clocks
#ifndef HEARTH_COLLECTOR_DAEMON_PRIVILEGES_H
#define HEARTH_COLLECTOR_DAEMON_PRIVILEGES_H

#include "store/base/fault.h"

// Of this process and those that it forks; sets no_new_privs too.
int privileges__keep_needed(struct fault *fault);
// The filter of system calls, after all that calls execve() was forked.
int privileges__filter_calls(struct fault *fault);

#endif
