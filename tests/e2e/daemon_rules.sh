#!/bin/bash
# check: 300 s
# Each kind of rule finds the one that it means, by control group, unit, container, process and user, and nobody else; with
# `for` not before its time; and the pressure of the machine.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=hearthrules$$.slice
[[ -n $cgroups ]] && mkdir "$cgroups/$group" 2>/dev/null || skip_all 'this kernel has no writable cgroup v2 mounted'
# Until those that were killed have left.
at_exit "await find '$cgroups/$group' -depth -type d -exec rmdir {} +"
home=$TMP/home
id=c0ffee$(printf '%058x' $$)
incidents() { "$HEARTH" list incidents -i "$home" 2>/dev/null | grep -F "$1"; } # RULE
file() { ls "$home"/*.full.*.db | tail -1; }
value() { sqlite3 "file:$(file)?mode=ro" "SELECT $2 FROM incident WHERE rule = '$1' ORDER BY id LIMIT 1"; } # RULE COLUMN
stored_are() { [[ $("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval' 2>/dev/null) -ge $1 ]]; }

# burn_in GROUP: a process that computes there, in $!.
burn_in() {
    mkdir "$cgroups/$group/$1"
    background "${@:2}" "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
    echo $! >"$cgroups/$group/$1/cgroup.procs"
}
burn_in "web$$.service"
web=$!
burn_in "docker-$id.scope"
burn_in "plain" setpriv --reuid 65533 --clear-groups --
plain=$!

rules=("cpu of unit web$$ > 3%" "cpu of cgroup /$group/plain > 3%" "cpu of container ${id:0:12} > 3%" "cpu of pid $plain > 3%"
    "cpu of comm burn > 3% for 4s" "cpu of unit nosuch$$ > 3%" "cpu of cgroup /$group/no* > 3%" "cpu of container deadbeef0000 > 3%"
    "cpu of pid $web > 100000%")
[[ -r /proc/pressure/cpu ]] && rules+=('cpu pressure > 0.1%')
{
    printf 'event = cpu\nfreq = 199\ninterval = 1s\nmax-cpu = 100%%\n'
    printf 'when = %s\n' "${rules[@]}"
} >"$TMP/hearth.conf"
background "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said"
for i in 0 1 2 3 4; do ok "found: ${rules[i]}" await incidents "${rules[i]}"; done
is 'of a unit, its group' "$(value "${rules[0]}" culprit)" "/$group/web$$.service"
is 'of a group, that' "$(value "${rules[1]}" culprit)" "/$group/plain"
is 'of a container, its group' "$(value "${rules[2]}" culprit)" "/$group/docker-$id.scope"
is 'of a process, that' "$(value "${rules[3]}" culprit)" "$plain burn"
# The interval in which it begins to hold is among its time.
ok '`for`: it has held as long as that' test "$(value "${rules[4]}" '(end_ns - start_ns) / 1000000')" -ge 3900
ok '`for`: which the others have not waited for' test "$(value "${rules[0]}" end_ns)" -lt "$(value "${rules[4]}" end_ns)"
if [[ -r /proc/pressure/cpu ]]; then
    for _ in 1 2 3 4 5 6 7 8; do background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null; done # more than run at once
    ok 'the pressure of the CPUs' await incidents 'cpu pressure'
    is 'which is everybody'"'"'s' "$(value 'cpu pressure > 0.1%' culprit)" all
else
    skip 'the pressure of the CPUs' 'this kernel has no /proc/pressure'
fi
await stored_are $(($("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval' 2>/dev/null) + 3))
for i in 5 6 7 8; do is "nobody: ${rules[i]}" "$(incidents "${rules[i]}" | wc -l)" 0; done
done_testing
