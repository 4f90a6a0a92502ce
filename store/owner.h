// Whose a process was, as the path of its control group (v2) tells: the systemd unit, the container, the pod.
//
//   /system.slice/nginx.service/workers                       unit nginx.service
//   /system.slice/docker-4f0c....scope                        unit docker-4f0c....scope, container 4f0c...
//   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0e3a_..._17.slice/cri-containerd-4f0c....scope
//                                                             the same, pod 0e3a-...-17
//   /kubepods/besteffort/pod0e3a-...-17/4f0c...               container and pod, no unit
//   /machine.slice/machine-web.scope, /lxc.payload.web        container web
//
// Sources: systemd's cgroup layout (docs/CGROUP_DELEGATION.md, systemd.unit(5), systemd-nspawn(1)); the kubelet's
// cgroupDriver, systemd and cgroupfs; lxc.container.conf(5), lxc.cgroup.dir.
#ifndef HEARTH_STORE_OWNER_H
#define HEARTH_STORE_OWNER_H

#include <stdbool.h>

#define OWNER_UNIT_BYTES      256 // systemd's UNIT_NAME_MAX, with the NUL
#define OWNER_CONTAINER_BYTES 65  // a machine's name has at most 64 (HOST_NAME_MAX)
#define OWNER_POD_BYTES       64

struct owner {
    char unit[OWNER_UNIT_BYTES];           // of the system's manager, not of a user's; "" where there is none
    char container[OWNER_CONTAINER_BYTES]; // the first 12 digits of its id, as engines print it; or its name; ""
    char pod[OWNER_POD_BYTES];             // uid; ""
};

// A name that is longer than its place is left out: systemd, the engines and the kubelet make none.
void owner__of(const char *cgroup, struct owner *ret_owner);

// Each takes a shell's pattern. A unit "nginx" is nginx.service.
bool owner__is_unit(const struct owner *owner, const char *pattern);
// A container's id may be given whole, or by its first digits.
bool owner__is_container(const struct owner *owner, const char *pattern);
bool owner__is_pod(const struct owner *owner, const char *pattern);

#endif
