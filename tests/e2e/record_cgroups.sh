#!/bin/bash
# check: 900 s
# Control groups that live shorter than a drain: each process keeps the path of its own, with odd names too.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'control groups take root'
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=$cgroups/hearth-test-$$
[[ -n $cgroups ]] && mkdir "$group" 2>/dev/null || skip_all 'this kernel has no writable cgroup v2 mounted'
at_exit "rmdir '$group'"

cp "$LOADS/fp/leaves" "$TMP/short"
"$HEARTH" record -F 999 -i 1000 -d $ENDLESS -o "$TMP/x.db" 2>"$TMP/said" &
recorder=$!
await recording "$TMP/x.db"
# in_group NAME: a process that burns 0.2 s in a control group of its own, which is gone at its end.
in_group() {
    mkdir "$1" || return
    (echo "$BASHPID" >"$1/cgroup.procs" && "$TMP/short" 0.2 >/dev/null) # born in it: a process has one path in the store
    await rmdir "$1"
}
wanted=()
for i in 1 2 3 4; do
    name=docker-$(printf '%064x' $((i * 7919))).scope
    in_group "$group/$name"
    wanted+=("/hearth-test-$$/$name")
done
in_group "$group/"$'red\e[31m'
kill -INT $recorder
wait $recorder
is 'each has its own path' "$(sqlite3 "$TMP/x.db" "select cgroup from process where comm = 'short' and cgroup like '%docker-%' order by start_ns")" \
    "$(printf '%s\n' "${wanted[@]}")"
is 'and its container' "$(sqlite3 "$TMP/x.db" "select container from process where comm = 'short' and cgroup like '%docker-%' order by start_ns limit 1")" \
    "$(printf '%064x' 7919 | cut -c1-12)"
"$HEARTH" list -i "$TMP/x.db" processes >"$TMP/listed" 2>&1
is 'an escape in a name is shown' "$(grep short "$TMP/listed" | grep -c 'red\\x1b\[31m')" 1
is 'and never written as it is' "$(grep -c $'\e' "$TMP/listed")" 0
done_testing
