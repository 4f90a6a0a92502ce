#!/bin/bash
# check: 600 s
# A recording that goes on in a new store file: what is in the files sums up to the program's own truth, and a process,
# a binary and names that live across the change are in each of them.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'events take root'
sql() { "$HEARTH" sql -i "$TMP/$1.db" "$2"; }
check() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])' "$TMP/$1.db"; }
sum() { # QUERY: of a number from each file
    local file total=0
    for file in a b c; do total=$((total + $(sql $file "$1"))); done
    echo $total
}

# A recording that takes its changes from descriptor 9: ARGUMENT...
session() {
    rm -f "$TMP/control"
    mkfifo "$TMP/control"
    exec 9<>"$TMP/control"
    build/tests/tools/session "$@" <&9 >"$TMP/truth" 2>"$TMP/log" &
    session=$!
    tap_children+=("$session")
}

# Of hearth; another test's mount that answers nothing is no matter of this one.
complaints() { grep -vE '^store |does not answer' "$TMP/log"; }

# --- Each call is counted once, in one file
hit="uprobe:$LOADS/nofp/hits:hit"
session -e "$hit" --hist "$hit" -i 0.1 -o "$TMP/a.db" -- "$LOADS/nofp/hits" 0 2
await sampled "$TMP/a.db" hits 1000
echo "store $TMP/b.db" >&9
await sampled "$TMP/b.db" hits 1000
echo "store $TMP/c.db" >&9
await sampled "$TMP/c.db" hits 1000
kill "$(pgrep -P $session -x hits)"
wait $session
is 'the recording ends well' "$? $(complaints)" '0 '
calls=$(truth "$TMP/truth" calls)
for file in a b c; do
    is "file $file is whole, and has nothing beside it" "$(check $file) $(echo "$TMP/$file.db"*)" "ok $TMP/$file.db"
    is "file $file: the process, once" "$(sql $file "SELECT count(*) FROM process WHERE comm = 'hits'")" 1
    is "file $file: the binary, once" "$(sql $file "SELECT count(*) FROM binary WHERE path LIKE '%/nofp/hits'")" 1
    is "file $file: every sample has its names" \
        "$("$HEARTH" report -i "$TMP/$file.db" -e "$hit" -f folded 2>/dev/null | grep -v 'hits;.*;work;hit [0-9]*$')" ''
done
is 'no sample is missing or there twice' "$(sum "SELECT coalesce(sum(samples), 0) FROM sample WHERE event = '$hit'")" "$calls"
lost=$(sum "SELECT coalesce(sum(count), 0) FROM loss")
values=0
for file in a b c; do
    "$HEARTH" report -i "$TMP/$file.db" -e "$hit" -f hist -o "$TMP/$file.json" 2>/dev/null
    values=$((values + $(python3 -c 'import json, sys; print(sum(r["count"] for r in json.load(open(sys.argv[1]))))' "$TMP/$file.json")))
done
is "nor a value of the histogram ($lost losses)" "$values" "$calls"
ok 'intervals follow each other without a gap' test "$(sql a 'SELECT max(end_ns) FROM interval')" == "$(sql b 'SELECT min(start_ns) FROM interval')"
is 'each file says where it is from' "$(for file in a b c; do sql $file "SELECT value FROM meta WHERE key = 'command'"; done | sort -u)" session

# --- Names that come long after their frames: the map is written when the program ends, in the second file's time
"$LOADS/fp/jit" 0.01 >"$TMP/probe"
if [[ $? == 77 ]]; then
    skip 'JIT code' 'the workload has code for another machine'
else
    rm -f "/tmp/perf-$(truth "$TMP/probe" pid).map"
    session -F 499 -i 0.1 -o "$TMP/a.db" -- "$LOADS/fp/jit" 2 late
    await sampled "$TMP/a.db" jit 50
    echo "store $TMP/b.db" >&9
    wait $session
    rm -f "/tmp/perf-$(truth "$TMP/truth" pid).map"
    for file in a b; do
        read -r named all < <("$HEARTH" report -i "$TMP/$file.db" -f folded --comm jit 2>/dev/null |
            awk '{ n = $NF; all += n; if (/jit_inner/) named += n } END { print named + 0, all + 0 }')
        ok "file $file: JIT code has its names ($named of $all)" test "$all" -ge 10 -a $((100 * named)) -ge $((70 * all))
    done
fi

done_testing
