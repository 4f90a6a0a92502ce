// The instance of a service that a thread belongs to: all processes of one unit, container, pod and program are one. A
// picture has a root for each instance and name of a thread; the name of the root has all of these, and is taken apart
// again by instance__read().
//
//   13 0 0 15 nginx.service/usr/sbin/nginxnginx    lengths of service, container, pod and program, and then the texts
#ifndef HEARTH_REPORT_PROFILE_INSTANCE_H
#define HEARTH_REPORT_PROFILE_INSTANCE_H

#include <stdbool.h>

#include "report/profile/group.h"

// Clean; "" where it is not known.
struct instance {
    char service[GROUP_NAME_BYTES]; // name of the container; else the unit, the file name of the program, the comm
    char container[GROUP_NAME_BYTES];
    char pod[GROUP_NAME_BYTES];
    char exe[GROUP_NAME_BYTES];
    char thread[GROUP_NAME_BYTES]; // its comm
};

extern const struct group group_of_instances;

// -EBADMSG: no name of such a root.
int instance__read(const char *root, struct instance *ret_instance);

// Digits that an engine gave, no name.
bool instance__is_id(const char *container);

#endif
