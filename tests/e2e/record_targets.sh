#!/bin/bash
# check: 600 s, long
# Targets select the samples: a command with its children, processes, threads, CPUs, users, names, cgroups.
. tests/tap.sh

# The comms of a folded file, and the samples of one of them.
comms() { cut -d';' -f1 "$1" | sort -u | tr '\n' ' '; }
samples_of() { awk -F';' -v comm="$2" '$1 == comm { split($0, parts, " "); n += $NF ~ / / ? substr($NF, match($NF, / [0-9]+$/) + 1) : 0 } END { print n + 0 }' "$1"; }

# --- A command and its children
mkdir "$TMP/project"
for unit in a b c; do
    printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint %s(int x) { printf("%%d", x); return x; }\n' $unit >"$TMP/project/$unit.c"
done
printf 'all: a.o b.o c.o\n%%.o: %%.c\n\tgcc -O2 -g -c -o $@ $<\nfail:\n\texit 3\n' >"$TMP/project/Makefile"
"$HEARTH" record -F 997 -o "$TMP/make.folded" -- make -s -C "$TMP/project" >"$TMP/out" 2>"$TMP/said"
is 'a make ends well' $? 0
like 'children of children are recorded: cc1' "$(comms "$TMP/make.folded")" 'cc1 '
like 'and make itself or its shells' "$(comms "$TMP/make.folded")" '(make|gcc|sh|as) '
"$HEARTH" record -o "$TMP/fail.db" -- make -s -C "$TMP/project" fail >"$TMP/out" 2>&1
is 'the exit code of a failing make is passed on' $? 2
"$HEARTH" record -o "$TMP/seven.db" -- sh -c 'exit 7' 2>/dev/null
is 'exit code 7 is passed on' $? 7
"$HEARTH" record -o "$TMP/killed.db" -- sh -c 'kill -KILL $$' 2>/dev/null
is 'a command killed by a signal is told as shells tell it' $? 137
"$HEARTH" record -o "$TMP/none.db" -- "$TMP/no-such-program" 2>"$TMP/said"
status=$?
like 'a command that does not exist fails' "$status" '^(1|127)$'
is 'in one line' "$(wc -l <"$TMP/said")" 1
echo 'passed through' | "$HEARTH" record -o "$TMP/pipe.db" -- cat >"$TMP/out" 2>/dev/null
is 'standard input and output are the command'"'"'s' "$(cat "$TMP/out")" 'passed through'

"$HEARTH" record -F 997 -o - -- sh -c "'$LOADS/fp/burn' 1 0.5 >/dev/null" >"$TMP/out" 2>/dev/null
like 'a report to standard output' "$(cat "$TMP/out")" 'FUNCTION.*burn '

# --- Processes
# By names of their own: others may be running the same loads.
cp "$LOADS/fp/leaves" "$TMP/leaves$$"
cp "$LOADS/fp/burn" "$TMP/burn$$"
background "$TMP/leaves$$" $ENDLESS
other=$!
background "$TMP/burn$$" 1 $ENDLESS
pid=$!
"$HEARTH" record -F 499 -p $pid -d 1 -o "$TMP/pid.folded" 2>/dev/null
is '-p records that process alone' "$(comms "$TMP/pid.folded")" "burn$$ "
"$HEARTH" record -F 499 -p $pid,$other -d 1 -o "$TMP/pids.folded" 2>/dev/null
is '-p takes several' "$(comms "$TMP/pids.folded")" "burn$$ leaves$$ "
"$HEARTH" record -F 499 --comm leaves$$ -d 1 -o "$TMP/comm.folded" 2>/dev/null
is '--comm records that name alone' "$(comms "$TMP/comm.folded")" "leaves$$ "
for pattern in "leav*$$" "?eave[r-t]$$"; do
    "$HEARTH" record -F 499 --comm "$pattern" -d 1 -o "$TMP/comm.folded" 2>/dev/null
    is "--comm $pattern is a glob" "$(comms "$TMP/comm.folded")" "leaves$$ "
done
"$HEARTH" record -F 499 -a -d 1 -o "$TMP/all.folded" 2>/dev/null
like 'the whole machine is the default target' "$(comms "$TMP/all.folded")" "burn$$ .*leaves$$ "
sibling() { find "/proc/$pid/task" -mindepth 1 -maxdepth 1 ! -name "$pid" -printf '%f\n' | grep .; } # ids wrap: not the largest
await sibling
tid=$(sibling)
"$HEARTH" record -F 499 -t "$tid" -d 1 -o "$TMP/tid.folded" 2>/dev/null
is '-t records a thread' "$(comms "$TMP/tid.folded")" "burn$$ "
"$HEARTH" record -F 499 -t "$tid,$other" -d 1 -o "$TMP/tids.folded" 2>/dev/null
is 'and threads of two processes' "$(comms "$TMP/tids.folded")" "burn$$ leaves$$ "
"$HEARTH" record -F 499 -t "$pid" -d 1 -o "$TMP/leader.folded" 2>/dev/null # the leader waits in pthread_join
is '-t does not record its siblings: nothing is in that range' $? 4
taskset -p -c 0 $other >/dev/null
taskset -a -p -c 1 $pid >/dev/null
"$HEARTH" record -F 499 -C 0 -d 1 -o "$TMP/cpu.folded" 2>/dev/null
like '-C records what runs on that CPU' "$(comms "$TMP/cpu.folded")" "leaves$$ "
is '-C records nothing of another CPU' "$(samples_of "$TMP/cpu.folded" burn$$)" 0
kill "$pid" "$other"

# --- Names: record and reports compare the 15 bytes that the kernel keeps of a name; record, those at the time of the sample
long=$$-very-long-name-of-a-program
cp "$LOADS/fp/leaves" "$TMP/$long"
background "$TMP/$long" $ENDLESS
background bash -c "while :; do for name in $$-before $$-after; do echo -n \$name >/proc/self/comm; for ((i = 0; i < 20000; i++)); do :; done; done; done"
taken() { "$HEARTH" sql -i "$TMP/long.db" "select coalesce(sum(samples), 0) from sample"; }
for pattern in "$long" "$$-very-*" "$$-very-long-name*" "${long::15}"; do
    "$HEARTH" record -F 499 --comm "$pattern" -d 1 -o "$TMP/long.db" 2>/dev/null
    "$HEARTH" report -i "$TMP/long.db" --comm "$pattern" -o "$TMP/long.folded" 2>"$TMP/said"
    like "record --comm $pattern finds a longer name" "$(taken)" '^[1-9]'
    is 'and a report by the same --comm has all of it' "$(samples_of "$TMP/long.folded" "${long::15}")" "$(taken)"
    like 'and so has the list' "$("$HEARTH" list -i "$TMP/long.db" processes "$pattern")" " ${long::15} "
done
"$HEARTH" record -F 499 --comm "$$-af*" -d 1 -o "$TMP/long.db" 2>/dev/null
is 'a thread that changes its name is recorded while it has the one asked for' \
    "$("$HEARTH" sql -i "$TMP/long.db" "select distinct comm from sample")" "$$-after"
for command in "record -d 1 -o $TMP/none.db" "hist runq -d 1" "report -i $TMP/long.db" "diff -i $TMP/long.db since=-1h since=-1h"; do
    # shellcheck disable=SC2086
    "$HEARTH" $command --comm '*-too-long-a-name' >/dev/null 2>"$TMP/said"
    is "hearth ${command%% *}: a pattern that can match no name is wrong usage" "$? $(grep -c "^hearth: --comm .*15 bytes" "$TMP/said")" '2 1'
done
kill "${tap_children[@]: -2}"

# --- Users
# Not nobody: the workers of another hearth run as that user.
cp "$LOADS/fp/leaves" "$TMP/daemons"
background setpriv --reuid 1 --regid 1 --clear-groups "$TMP/daemons" $ENDLESS
await runs $! "$TMP/daemons"
background "$LOADS/fp/leaves" $ENDLESS
"$HEARTH" record -F 499 -u daemon -d 1 -o "$TMP/user.folded" 2>/dev/null
is '-u records that user alone' "$(comms "$TMP/user.folded")" 'daemons '
"$HEARTH" record -F 499 -u 1 -d 1 -o "$TMP/uid.folded" 2>/dev/null
is '-u takes a number' "$(comms "$TMP/uid.folded")" 'daemons '
kill "${tap_children[@]: -2}"

# --- A process that ends before the recording does
background "$LOADS/fp/leaves" $ENDLESS
pid=$!
mkdir "$TMP/midway"
TMPDIR=$TMP/midway timeout 100 "$HEARTH" record -F 499 -i 0.2 -p $pid -d $ENDLESS -o "$TMP/midway.folded" 2>"$TMP/said" &
recorder=$!
await sampled "$TMP/midway" leaves
kill $pid
wait $recorder
is 'a -p that exits midway is no failure, and ends the recording' $? 0
like 'what was collected is kept' "$(comms "$TMP/midway.folded")" '^leaves $'
like 'its end is said' "$(cat "$TMP/said")" "$pid"
"$HEARTH" record -p $pid -d 1 -o "$TMP/gone.db" 2>"$TMP/said"
is 'a PID that does not exist fails' $? 1
is 'in one line' "$(wc -l <"$TMP/said")" 1
like 'that names it' "$(cat "$TMP/said")" "^hearth: .*$pid"

# --- Control groups, where version 2 is mounted and writable
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [[ -n $cgroups ]] && mkdir "$cgroups/hearth-test-$$" 2>/dev/null; then
    at_exit "await rmdir $cgroups/hearth-test-$$"
    background "$LOADS/fp/leaves" $ENDLESS
    background "$LOADS/fp/burn" 1 $ENDLESS
    if echo "${tap_children[-1]}" >"$cgroups/hearth-test-$$/cgroup.procs"; then
        "$HEARTH" record -F 499 -G "/hearth-test-$$" -d 1 -o "$TMP/group.folded" 2>/dev/null
        is '-G records that control group alone' "$(comms "$TMP/group.folded")" 'burn '
    fi
    kill "${tap_children[@]: -2}"
else
    skip '-G records that control group alone' 'this kernel has no writable cgroup v2 mounted'
fi

# --- Containers: with PIDs of their own nothing can be recorded, and that is said; with the host's, everything can.
if "${apart[@]}" -pf --mount-proc true 2>/dev/null; then
    for command in "record -p 1 -d 1 -o $TMP/inner.db" "record -d 1 -o $TMP/inner.db -- true" "hist runq -d 1"; do
        # shellcheck disable=SC2086
        "${apart[@]}" -pf --mount-proc "$HEARTH" $command 2>"$TMP/said" >/dev/null
        is "in a PID namespace: hearth ${command%% *} exits with" $? 3
        like 'and says why, and what to do, in one line' "$(cat "$TMP/said")" '^hearth: no initial pid namespace: [^'$'\n'']*--pid=host$'
    done
    ok 'and no store is made' test ! -e "$TMP/inner.db"
else
    skip 'a PID namespace of its own' 'this kernel has no PID namespaces'
fi
mkdir "$TMP/root"
background "$LOADS/nofp/leaves" $ENDLESS
if "${apart[@]}" bash -c "mount --rbind / '$TMP/root' && exec chroot '$TMP/root' '$HEARTH' record -F 499 -p $! -d 1 -o '$TMP/host.folded'" 2>"$TMP/said"; then
    like 'in a mount namespace and root of its own, with the PIDs of the host: names are found' \
        "$(cat "$TMP/host.folded")" 'leaves;_start;.*;main;run;outer;middle;'
else
    fail 'in a mount namespace and root of its own, with the PIDs of the host' "$(cat "$TMP/said")"
fi
kill $!
done_testing
