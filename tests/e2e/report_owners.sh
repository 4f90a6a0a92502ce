#!/bin/bash
# Whose the samples are: systemd units, containers and pods, as the paths of control groups name them; by user, exe and
# process. Every way to part them counts each sample once.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'control groups take root'
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
slice=hearth-test-$$.slice
group=$cgroups/$slice
[[ -n $cgroups ]] && mkdir "$group" 2>/dev/null || skip_all 'this kernel has no writable cgroup v2 mounted'
at_exit "find '$group' -depth -type d -exec rmdir {} +"

id=4f0c11e09a0f$(printf '%052x' 81985529216486895) uid=0e3a7c11-52fd-4a8e-9a51-1f2d3c4b5a17
pod=kubepods.slice/kubepods-burstable-pod${uid//-/_}.slice
cp "$LOADS/fp/leaves" "$TMP/short"
cat >"$TMP/all" <<'END'
# GROUP...: a process that burns 0.2 s in each, and a while before it is put there: it is sampled in two groups
for group; do
    (for ((i = 0; i < 20000; i++)); do :; done; echo "$BASHPID" >"$group/cgroup.procs" && exec "${0%/*}/short" 0.2 >/dev/null)
done
END
groups=("$group/web.service" "$group/docker-$id.scope" "$group/kubepods.slice" "$group/$pod" "$group/$pod/cri-containerd-$id.scope")
for made in "${groups[@]}"; do
    mkdir "$made"
done
"$HEARTH" record -F 999 -o "$TMP/x.db" -- bash "$TMP/all" "${groups[0]}" "${groups[1]}" "${groups[4]}" 2>"$TMP/said"
is 'recorded' $? 0

report() { "$HEARTH" report -i "$TMP/x.db" -f folded "$@" 2>/dev/null; }
sum() { awk '{ n += $NF } END { print n + 0 }'; }
of() { "$HEARTH" sql -i "$TMP/x.db" "SELECT sum(s.samples) FROM sample s JOIN process p ON p.pid = s.pid WHERE s.comm = 'short' AND p.$1"; }
all=$(report | sum)
for key in comm pid tid cgroup unit container pod user exe none; do
    is "by $key: every sample once" "$(report --group-by $key | sum)" "$all"
done
short=("$(report --unit web --comm short | sum)" "$(report --container "$id" --pod "$uid" --comm short | sum)")
ok "a unit has samples, and so has a container (${short[*]})" test "${short[0]}" -gt 20 -a "${short[1]}" -gt 20
is 'a root for each unit' "$(report --comm short --group-by unit | cut -d';' -f1 | sort -u)" \
    "$(printf '%s\n' "cri-containerd-$id.scope" "docker-$id.scope" web.service | sort)"
is 'with its samples' "$(report --comm short --group-by unit | grep '^web.service' | sum)" "${short[0]}"
all=$("$HEARTH" sql -i "$TMP/x.db" 'SELECT sum(samples) FROM sample')
for subject in units containers pods users; do
    is "list $subject: each sample is in one row" "$("$HEARTH" list -i "$TMP/x.db" $subject | awk 'NR > 1 { n += $1 } END { print n }')" "$all"
done
is 'a listed unit has the samples of its filter' "$("$HEARTH" list -i "$TMP/x.db" units 'web*' | awk 'NR > 1 { print $NF, $1 }')" \
    "web.service $("$HEARTH" report -i "$TMP/x.db" --unit web -f folded 2>/dev/null | sum)"
is 'a root for each container' "$(report --comm short --group-by container | cut -d';' -f1 | sort -u)" "$(printf '%s\n' "${id:0:12}" '[no container]' | sort)"
is 'a root for each pod' "$(report --comm short --group-by pod | grep -v '^\[no pod\]' | cut -d';' -f1 | sort -u)" "$uid"
is 'a root for each exe' "$(report --comm short --group-by exe | cut -d';' -f1 | sort -u)" "$TMP/short"
is 'a root for each user' "$(report --comm short --group-by user | cut -d';' -f1 | sort -u)" "$(id -un)"
is 'a root for each process' "$(report --comm short --group-by pid | cut -d';' -f1 | sort -u | grep -cE '^short-[0-9]+$')" 3
is 'one root for all' "$(report --group-by none | cut -d';' -f1 | sort -u)" '[all]'
is 'SQL knows them' "$("$HEARTH" sql -i "$TMP/x.db" "SELECT DISTINCT unit, container, pod FROM process WHERE comm = 'short' ORDER BY cgroup" | tr '\n' ' ')" \
    "$(printf '%s|%s|%s ' "docker-$id.scope" "${id:0:12}" '' "cri-containerd-$id.scope" "${id:0:12}" "$uid" web.service '' '')"
"$HEARTH" report -i "$TMP/x.db" -f json --unit web --group-by exe -o "$TMP/x.json"
like 'a picture says which' "$(head -c 400 "$TMP/x.json")" 'only unit web, by exe'
"$HEARTH" diff -i "$TMP/x.db" "unit=web,comm=short" "container=${id:0:6},comm=short" -f folded >"$TMP/diff" 2>/dev/null
is 'two units are compared as one' "$(cut -d';' -f1 "$TMP/diff" | sort -u)" compared

refused() { # WHAT WORDS ARGUMENT...
    "$HEARTH" report -i "$TMP/x.db" "${@:3}" >/dev/null 2>"$TMP/out"
    is "refused: $1" "$? $(grep -c '' "$TMP/out") $(grep -cF -- "$2" "$TMP/out")" '2 1 1'
}
refused 'a key that is none' "'colour' is none of comm, pid" --group-by colour
refused 'two keys' '--threads and --group-by unit: choose one' --threads --group-by unit
"$HEARTH" report -i "$TMP/x.db" --unit none-such >/dev/null 2>"$TMP/out"
is 'a unit that is not there' "$? $(grep -c '' "$TMP/out")" '4 1'
done_testing
