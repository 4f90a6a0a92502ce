# Sourced by tests/tap.sh and tests/bench/probes.sh: "${apart[@]}" COMMAND... runs it in a mount namespace of its own. In a
# chroot, whose root is no mount point, unshare(1) cannot make the mounts private, and leaves their propagation as it is.
# shellcheck shell=bash
export apart=(unshare -m)
unshare -m true 2>/dev/null || apart+=(--propagation unchanged)
