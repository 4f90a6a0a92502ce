// A profile whose roots are threads, each of which knows the other roots that it may stand below:
//
//   label of a root   name "nginx-12/13"   module "nginx-12", its process's root   file "nginx", the root of the group
//   asked for
//
// From it the profile of that group is made, and which node of it each node of a thread went into: the flame graph's
// page groups anew without another reading.
#ifndef HEARTH_REPORT_PROFILE_THREAD_SPLIT_H
#define HEARTH_REPORT_PROFILE_THREAD_SPLIT_H

#include "report/profile/profile.h"

// The label of a thread's root. process NULL: it is not known.
int thread_split__keep_root(struct profile *profile, const struct store_process *process,
                            const struct store_thread *thread, uint32_t *ret_label);
// The profile of the group, and by node of `by_thread` its place there (free() it). In time linear in the nodes.
int thread_split__make(const struct profile *by_thread, struct profile **ret_profile, uint32_t **ret_places);

#endif
