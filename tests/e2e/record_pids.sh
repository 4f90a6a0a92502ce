#!/bin/bash
# check: 900 s
# A process is its PID and the time it started: who takes the PID of a target that is gone is not recorded in its place.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'targets of others take root'
true &
wait $!
"$LOADS/nofp/with_pid" $! true
[[ $? != 3 ]] || skip_all 'this kernel does not let PIDs be chosen'

for name in victim stranger other; do cp "$LOADS/fp/leaves" "$TMP/$name"; done
comms() { cut -d';' -f1 "$1" | sort -u | tr '\n' ' '; }
ran() { awk -v least="$2" '{ exit !($14 + $15 >= least) }' "/proc/$1/stat"; } # PID TICKS of 10 ms of CPU time
background "$TMP/other" $ENDLESS
other=$!

# --- The target is gone while it is recorded.
begin() { # NAME OPTION...: a recording into a report, its store in a folder of that name, until it is told to end
    mkdir "$TMP/$1"
    TMPDIR=$TMP/$1 "$HEARTH" record -F 499 -i 0.2 -d $ENDLESS -o "$TMP/$1.folded" "${@:2}" 2>"$TMP/said" &
    recorder=$!
}
end() { # lets the stranger run, and ends
    await ran "$1" 30
    kill -INT $recorder
    wait $recorder
}

background "$TMP/victim" $ENDLESS
victim=$!
begin gone -p $victim,$other
await sampled "$TMP/gone" victim
background "$LOADS/nofp/with_pid" $victim "$TMP/stranger" $ENDLESS
kill $victim
await runs $victim "$TMP/stranger"
end $victim
is 'a PID that goes to another program during a recording' "$(comms "$TMP/gone.folded")" 'other victim '
kill $victim

# --- It is gone before the programs are attached: hearth is stopped as soon as it has found its targets.
background "$TMP/victim" $ENDLESS
victim=$!
begin early -p $victim,$other
end_at=$((SECONDS + 60))
until compgen -G "/proc/$recorder/fd/*" >/dev/null && [[ $(readlink /proc/$recorder/fd/* 2>/dev/null) == *pidfd* || $SECONDS -ge $end_at ]]; do :; done
kill -STOP $recorder
background "$LOADS/nofp/with_pid" $victim "$TMP/stranger" $ENDLESS
kill $victim
await runs $victim "$TMP/stranger"
kill -CONT $recorder
await sampled "$TMP/early" other
end $victim
ok 'one that went to another program while the recording began' test -z "$(grep -v -e '^other;' -e '^victim;' "$TMP/early.folded")"
kill $victim

# --- A thread
background "$LOADS/nofp/leaving" thread $ENDLESS "$TMP/leave"
process=$!
leaver() { find "/proc/$process/task" -mindepth 1 -maxdepth 1 ! -name "$process" -printf '%f\n' | grep .; }
await leaver
tid=$(leaver)
begin thread -t "$tid,$other"
await sampled "$TMP/thread" leaving
background "$LOADS/nofp/with_pid" "$tid" "$TMP/stranger" $ENDLESS
touch "$TMP/leave"
await runs "$tid" "$TMP/stranger"
end "$tid"
is 'the TID of a thread that goes to another program' "$(comms "$TMP/thread.folded")" 'leaver other '
kill "$tid"
done_testing
