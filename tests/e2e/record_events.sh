#!/bin/bash
# check: 600 s
# An event that is detached and attached again in mid-recording: the others lose nothing, by the program's own truth, and
# the event itself has what was counted while it was attached.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'events take root'
steady="uprobe:$LOADS/nofp/hits:hit"
changing="uretprobe:$LOADS/nofp/hits:hit"
sql() { "$HEARTH" sql -i "$TMP/a.db" "$1"; }
count() { sql "SELECT coalesce(sum(samples), 0) FROM sample WHERE event = '$1'"; }
more() { test "$(count "$1")" -gt $(($2 + 1000)); } # EVENT COUNT

mkfifo "$TMP/control"
exec 9<>"$TMP/control"
build/tests/tools/session -e "$steady" -e "$changing" -e off-cpu --hist "$steady" -i 0.1 -o "$TMP/a.db" -- \
    "$LOADS/nofp/hits" 0 2 <&9 >"$TMP/truth" 2>"$TMP/log" &
session=$!
tap_children+=("$session")
ask() { # CHANGE: and waits until it is made
    echo "$1" >&9
    await grep -qxF "$1" "$TMP/log"
    : >"$TMP/log"
}
await sampled "$TMP/a.db" hits 1000

for turn in 1 2; do
    await more "$changing" "$(count "$changing")"
    ask "detach $changing"
    ask 'detach off-cpu'
    before=$(count "$steady")
    await more "$steady" "$before" # an interval that began before the change has ended
    before=$(count "$changing") others=$(count "$steady")
    await more "$steady" "$others"
    is "turn $turn: a detached event counts nothing" "$(count "$changing")" "$before"
    ask 'attach off-cpu'
    ask "attach $changing"
    ok "turn $turn: attached again, it counts" await more "$changing" "$before"
done

kill "$(pgrep -P $session -x hits)"
wait $session
is 'the recording ends well' "$? $(grep -vE 'does not answer|is recorded (from now on|no more)' "$TMP/log")" '0 '
calls=$(truth "$TMP/truth" calls)
is 'the event that stayed has each call' "$(count "$steady")" "$calls"
"$HEARTH" report -i "$TMP/a.db" -e "$steady" -f hist -o "$TMP/a.json" 2>/dev/null
is 'and so has the histogram' "$(python3 -c 'import json, sys; print(sum(r["count"] for r in json.load(open(sys.argv[1]))))' "$TMP/a.json")" "$calls"
ok 'the one that went away has some' test "$(count "$changing")" -lt "$calls"
is 'nothing else is lost' "$(sql "SELECT name, count FROM loss WHERE name IN ('unaccounted', 'counts-full', 'stack-gone')")" ''
done_testing
