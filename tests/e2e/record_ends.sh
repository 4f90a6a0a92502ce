#!/bin/bash
# check: 600 s, long
# However a recording ends, the store is whole: -d, SIGINT, SIGTERM, SIGKILL; and nothing of it stays in the kernel.
. tests/tap.sh

background "$LOADS/fp/many_stacks" $ENDLESS

recorded() { sqlite3 "$1" 'select coalesce(sum(samples), 0) from total'; }
named() { "$HEARTH" report -i "$1" -f folded 2>/dev/null | grep -E '^many_stacks;.*;step;(left|right);' >/dev/null; } # and whole
unloaded() { [[ $(loaded "$@") == 0 ]]; }

for signal in INT TERM; do
    "$HEARTH" record -F 997 -i 0.5 -o "$TMP/$signal.db" 2>"$TMP/said" &
    recorder=$!
    await sampled "$TMP/$signal.db" many_stacks 100
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
await sampled "$TMP/kill.db" many_stacks 100
await named "$TMP/kill.db"
mapfile -t programs < <(grep -hoP '^prog_id:\s*\K[0-9]+' /proc/$recorder/fdinfo/* | sort -u)
is 'a recording has programs in the kernel' "$((${#programs[@]} > 0)) $(loaded "${programs[@]}")" "1 ${#programs[@]}"
kill -KILL $recorder
wait $recorder 2>/dev/null
is 'after SIGKILL the store is whole' "$(sqlite3 "$TMP/kill.db" 'pragma integrity_check')" ok
ok 'and keeps the intervals that were complete' test "$(recorded "$TMP/kill.db")" -gt 100
ok 'and can be reported' "$HEARTH" report -i "$TMP/kill.db" -f top
ok 'with names' named "$TMP/kill.db"
# They go when their links do, and those with the process.
await unloaded "${programs[@]}"
is 'and none of its programs stays in the kernel' "$(loaded "${programs[@]}")" 0
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
ok 'which begins when all is attached' test "$(sqlite3 "$TMP/timed.db" 'select sum(end_ns - start_ns) from interval')" -ge 1000000000

# A command that does not care for SIGTERM: it stays, and the recording ends without it.
stubborn=(bash -c 'trap "" TERM; echo $$ >"$0"; for ((;;)); do read -rt 1 <> <(:); done' "$TMP/stubborn")
at_exit 'kill -KILL "$(cat "$TMP/stubborn")" 2>/dev/null'
timeout -k 1 30 "$HEARTH" record -d 1 -o "$TMP/stubborn.db" -- "${stubborn[@]}" 2>"$TMP/said"
is '-d ends a recording whose command ignores SIGTERM' $? 0
is 'with one line about it' "$(grep -c "PID $(cat "$TMP/stubborn")) runs on" "$TMP/said")" 1
ok 'and leaves it running' kill -0 "$(cat "$TMP/stubborn")"
is 'its store is whole' "$(sqlite3 "$TMP/stubborn.db" 'pragma integrity_check')" ok
kill -KILL "$(cat "$TMP/stubborn")"
rm "$TMP/stubborn"
"$HEARTH" record -F 997 -i 0.2 -o "$TMP/ctrl-c.db" -- "${stubborn[@]}" 2>"$TMP/said" &
recorder=$!
await test -s "$TMP/stubborn" # written after the trap is set
kill -INT $recorder
(sleep 20; kill -KILL $recorder) 2>/dev/null &
tap_children+=($!)
wait $recorder
is 'so does ^C' "$? $(grep -c 'runs on' "$TMP/said")" '0 1'
kill -KILL "$(cat "$TMP/stubborn")"
rm "$TMP/stubborn"

# Anybody of the keeper's uid may stop it, as soon as it is there and again.
timeout -k 1 60 "$HEARTH" record -F 997 -i 0.5 -d 3 -o "$TMP/stopped.db" 2>/dev/null &
recorder=$!
keeper() { pgrep -x hearth-keeper -P "$(pgrep -P $recorder)"; }
await keeper
for _ in 1 2 3; do
    kill -STOP "$(keeper)"
    sleep 0.5
done
wait $recorder
is 'a keeper that was stopped ends a recording no later' $? 0
is 'its store is whole' "$(sqlite3 "$TMP/stopped.db" 'pragma integrity_check')" ok
ok 'and has names' named "$TMP/stopped.db"
# --- The store says how it was made, in words that a shell takes for the same.
"$HEARTH" record -F 99 --comm 'a b*' -o "$TMP/words.db" -- sh -c 'exit 0' "it's" 2>"$TMP/said"
is 'the store has the whole command line' "$(sqlite3 "$TMP/words.db" "select value from meta where key = 'command'")" \
    "hearth record -F 99 --comm 'a b*' -o $TMP/words.db -- sh -c 'exit 0' 'it'\\''s'"
"$HEARTH" record -F 99 -o "$TMP/words.db" -- true $(seq 3000) 2>"$TMP/said"
like 'a long one is cut and says so' "$(sqlite3 "$TMP/words.db" "select value from meta where key = 'command'")" '^hearth record .{3000,4100} \.\.\.$'
done_testing
