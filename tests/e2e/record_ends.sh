#!/bin/bash
# check: 120 s
# However a recording ends, the store is whole: -d, SIGINT, SIGTERM, SIGKILL; and nothing of it stays in the kernel.
. tests/tap.sh

background "$LOADS/fp/many_stacks" 40

recorded() { sqlite3 "$1" 'select coalesce(sum(samples), 0) from total'; }
wait_for_samples() { # STORE
    local turn
    for turn in {1..100}; do
        if [[ $(sqlite3 "file:$1?mode=ro" 'select sum(samples) > 100 from total' 2>/dev/null) == 1 ]]; then return; fi
        sleep 0.1
    done
    return "$turn"
}

for signal in INT TERM; do
    "$HEARTH" record -F 997 -i 0.5 -o "$TMP/$signal.db" 2>"$TMP/said" &
    recorder=$!
    wait_for_samples "$TMP/$signal.db"
    kill -$signal $recorder
    wait $recorder
    is "SIG$signal ends a recording well" $? 0
    like 'with its summary' "$(cat "$TMP/said")" '^hearth: [0-9]+ samples'
    is 'its store is whole' "$(sqlite3 "$TMP/$signal.db" 'pragma integrity_check')" ok
    is 'and holds what the summary says' "$(recorded "$TMP/$signal.db") samples" "$(grep -oE '[0-9]+ samples' "$TMP/said")"
    is 'in one file' "$(echo "$TMP/$signal.db"*)" "$TMP/$signal.db"
done

"$HEARTH" record -F 997 -i 0.2 -o "$TMP/kill.db" 2>/dev/null &
recorder=$!
wait_for_samples "$TMP/kill.db"
kill -KILL $recorder
wait $recorder 2>/dev/null
is 'after SIGKILL the store is whole' "$(sqlite3 "$TMP/kill.db" 'pragma integrity_check')" ok
ok 'and keeps the intervals that were complete' test "$(recorded "$TMP/kill.db")" -gt 100
ok 'and can be reported' "$HEARTH" report -i "$TMP/kill.db" -f top
ok 'with names' grep -q many_stacks <("$HEARTH" report -i "$TMP/kill.db" -f folded)
before=$(recorded "$TMP/kill.db")
"$HEARTH" record -F 997 -d 1 -o "$TMP/kill.db" 2>"$TMP/said"
status=$?
if [[ $status == 0 ]]; then
    ok 'recording into it again adds to it, or begins anew' test "$(recorded "$TMP/kill.db")" -gt 0
else
    is 'recording into it again is refused, and it is left alone' "$(recorded "$TMP/kill.db")" "$before"
fi

started=$(date +%s%N)
"$HEARTH" record -d 1 -o "$TMP/timed.db" 2>/dev/null
is '-d ends a recording well' $? 0
ok 'not before its time' test $((($(date +%s%N) - started) / 1000000)) -ge 1000

# The programs go when their links do, and those with the process. Others may have programs of that name, so it is hearth's
# own that are looked for.
sleep 0.2
is 'no BPF program of a recording stays behind' "$(grep -l 'bpf-prog\|bpf_link' /proc/"$recorder"/fdinfo/* 2>/dev/null)" ''
done_testing
