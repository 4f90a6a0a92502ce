#!/bin/bash
# check: 900 s
# The daemon as packaging/kubernetes/hearth.yaml runs it: in a container with the node's PIDs, those capabilities and no
# others, a root that cannot be written, its own control groups, and the node's beside them. It names what the node runs.
. tests/tap.sh
. tests/apart.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=hearthpod$$
[[ -n $cgroups ]] && mkdir -p "$cgroups/$group/own" 2>/dev/null || skip_all 'this kernel has no writable cgroup v2 mounted'
at_exit "await find '$cgroups/$group' -depth -type d -exec rmdir {} +"

# --- What the file says
yaml=packaging/kubernetes/hearth.yaml
python3 - "$yaml" >"$TMP/pod" <<'P'
import sys, yaml
kinds = {one["kind"]: one for one in yaml.safe_load_all(open(sys.argv[1]))}
daemonset = kinds["DaemonSet"]["spec"]
pod, labels = daemonset["template"]["spec"], daemonset["template"]["metadata"]["labels"]
container = pod["containers"][0]
context = container["securityContext"]
volumes = {one["name"] for one in pod["volumes"]}
print("caps", *sorted(context["capabilities"]["add"]))
print("privileged", context["privileged"], context["capabilities"]["drop"], context["readOnlyRootFilesystem"], pod["hostPID"])
print("labels", labels.items() >= daemonset["selector"]["matchLabels"].items())
print("volumes", sorted(volumes) == sorted(one["name"] for one in container["volumeMounts"]))
P
say() { sed -n "s/^$1 //p" "$TMP/pod"; }
is 'the container has the capabilities that the daemon keeps' "$(say caps)" \
    "$(sed -nE 's/^CAPABILITY\(CAP_([A-Z_]+),.*/\1/p' collector/daemon/privileges.def | LC_ALL=C sort | xargs)"
is 'and no others' "$(say privileged)" "False ['ALL'] True True"
is 'the pods are those that the set looks for' "$(say labels)" True
is 'each volume is mounted' "$(say volumes)" True

# --- It runs so
root=$TMP/root
mkdir "$root" "$TMP/node"
printf 'event = cpu\nfreq = 199\ninterval = 1s\nmax-cpu = 100%%\n' >"$TMP/hearth.conf"
cat >"$TMP/enter" <<'S'
set -e
mount --bind / "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 -o ro cgroup2 "$root/sys/fs/cgroup"
mount --bind /dev "$root/dev"
for folder in tmp run var/cache; do mount -t tmpfs none "$root/$folder"; done
for folder in "$TMP" "$here"; do
    mkdir -p "$root$folder" 2>/dev/null || true
    mount --bind "$folder" "$root$folder"
done
mount --bind -o ro "$cgroups" "$root$TMP/node"
cd "$here"
exec chroot "$root" setpriv --bounding-set "$bounding" -- "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$TMP/home"
S
bounding=-all,$(say caps | tr '[:upper:] ' '[:lower:],' | sed 's/[^,]*/+&/g')
here=$PWD
export root here cgroups bounding TMP
background bash -c 'echo $$ >"$1/own/cgroup.procs" && exec "${@:2}" --cgroup --ipc --uts --net bash "$TMP/enter"' - "$cgroups/$group" "${apart[@]}" 2>"$TMP/said"
daemon=$!
uid=0f1e2d3c_4b5a_6978_8796_$(printf '%012x' $$)
scope=$group/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod$uid.slice/cri-containerd-beaded$(printf '%058x' $$).scope
mkdir -p "$cgroups/$scope"
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
echo $! >"$cgroups/$scope/cgroup.procs"

folded() { "$HEARTH" report -i "$TMP/home" -e cpu --comm burn "$@" -f folded 2>/dev/null; }
named() { folded | grep -q ';thread_main;burn'; }
# Naming has the lowest priority: beside a load it waits for its turn.
AWAIT_S=600 ok 'a program of the node is recorded, and named' await named
is 'the daemon has what it was given' "$(awk '/^CapEff/ { print $2 }' "/proc/$daemon/status")" \
    "$(printf '%016x' $((0x$(awk '/^CapBnd/ { print $2 }' "/proc/$daemon/status"))))"
in_group() { "$HEARTH" sql -i "$TMP/home" "SELECT cgroup FROM process WHERE comm = 'burn'" 2>/dev/null | grep -qx "/$scope"; }
ok 'its control group is that of the node' await in_group
like 'and so is its pod' "$(folded --group-by pod | cut -d';' -f1 | sort -u)" "${uid//_/-}"
is 'nothing is refused' "$(grep -c 'cannot' "$TMP/said")" 0
kill -TERM $daemon
wait $daemon
is 'it ends well' $? 0
done_testing
