#!/bin/bash
# check: 1200 s, alone
# No sample is invented and none is lost: samples = rate x busy CPU seconds, over threads, short processes and the whole
# machine; flipping the sets in the kernel hundreds of times under load loses no count; every report has the same sum.
. tests/tap.sh

HERTZ=99
sum() { awk '{ n += $NF } END { print n + 0 }' "$@"; }
seconds() { awk '{ n += $1 } END { print n / 1e9 }'; }

# expected WHAT GOT CPU-SECONDS HERTZ STOLEN_NS: within 5 %, and what was stolen meanwhile
expected() {
    within "$1" "$2" "$(awk -v s="$3" -v hz="$4" 'BEGIN { print s * hz }')" \
        "$(awk -v s="$3" -v hz="$4" -v stolen="$(($(stolen_ns) - $5))" 'BEGIN { print (s * 0.05 + stolen / 1e9) * hz }')"
}

# --- 99 Hz, of the whole machine; the loads begin and end within the recording.
stolen=$(stolen_ns)
"$HEARTH" record -F $HERTZ -a -o "$TMP/all.db" 2>"$TMP/said" &
recorder=$!
await recording "$TMP/all.db"
own=t$$ # names of their own: others may be running the same loads
for load in burn storm leaves; do cp "$LOADS/fp/$load" "$TMP/$own$load"; done
"$TMP/${own}burn" 2 4 >"$TMP/burn" &
"$TMP/${own}storm" 6 >"$TMP/storm" &
storm=$!
"$TMP/${own}leaves" 4 >"$TMP/leaves"
wait $storm
kill -INT $recorder
wait $recorder
is 'a recording of the whole machine' $? 0
"$HEARTH" report -i "$TMP/all.db" -f folded -o "$TMP/all.folded"
busy=$({ truth "$TMP/burn" cpu_ns; truth "$TMP/leaves" cpu_ns; truth "$TMP/storm" cpu_ns; } | seconds)
expected 'samples are 99 Hz x busy CPU seconds, over all processes' \
    "$(grep "^$own" "$TMP/all.folded" | sum)" "$busy" $HERTZ "$stolen"
is 'the idle task is not recorded' "$(grep -c '^swapper' "$TMP/all.folded")" 0
is 'hearth itself is not recorded' "$(sqlite3 "$TMP/all.db" "select count(*) from process where pid = $recorder")" 0

# --- Sums
summary=$(grep -oE '[0-9]+ samples' "$TMP/said" | grep -oE '[0-9]+')
is 'folded sums to the samples of the summary' "$(sum "$TMP/all.folded")" "$summary"
is 'the totals of the store sum to it' "$(sqlite3 "$TMP/all.db" 'select sum(samples) from total')" "$summary"
is 'the totals by process sum to it' "$(sqlite3 "$TMP/all.db" 'select sum(samples) from process_total')" "$summary"
is 'the table `sample` sums to it' "$("$HEARTH" sql -i "$TMP/all.db" 'select sum(samples) from sample')" "$summary"
is 'top sums to it' "$("$HEARTH" report -i "$TMP/all.db" -f top | awk '{ gsub(",", "", $1) } $1 ~ /^[0-9]+$/ && $2 ~ /%$/ { n += $1 } END { print n }')" "$summary"
is 'json sums to it' "$("$HEARTH" report -i "$TMP/all.db" -f json |
    python3 -c 'import json, sys; p = json.load(sys.stdin); print(sum(p["nodes"]["self"]), p["samples"])')" "$summary $summary"
is 'folded by thread sums to it' "$("$HEARTH" report -i "$TMP/all.db" -f folded --threads | sum)" "$summary"
is 'folded by line sums to it' "$("$HEARTH" report -i "$TMP/all.db" -f folded --lines | sum)" "$summary"
is 'folded without inlined functions sums to it' "$("$HEARTH" report -i "$TMP/all.db" -f folded --no-inline | sum)" "$summary"
parts=$(cut -d';' -f1 "$TMP/all.folded" | sort -u | sed 's/[][*?\]/\\&/g' | while IFS= read -r comm; do
    "$HEARTH" report -i "$TMP/all.db" -f folded --comm "$comm"
done | sum)
is 'the comms, one by one, sum to it' "$parts" "$summary"

# --- Flips: the kernel's sets are turned over every 20 ms while two CPUs write to them.
stolen=$(stolen_ns)
"$HEARTH" record -F 1999 -i 0.02 -o "$TMP/flips.db" -- sh -c "'$LOADS/fp/many_stacks' 5 >'$TMP/many' & '$LOADS/fp/burn' 1 5 >'$TMP/burn'; wait" 2>"$TMP/said"
is 'a recording with a drain every 20 ms' $? 0
flips=$(sqlite3 "$TMP/flips.db" 'select count(*) from interval')
ok "hundreds of flips ($flips)" test "$flips" -gt 100
busy=$({ truth "$TMP/many" cpu_ns; truth "$TMP/burn" cpu_ns; } | seconds)
summary=$(grep -oE '[0-9]+ samples' "$TMP/said" | grep -oE '[0-9]+')
expected 'the samples are still 1999 Hz x busy CPU seconds' "$summary" "$busy" 1999 "$stolen"
is 'what the programs counted has arrived, to the last sample' \
    "$(sqlite3 "$TMP/flips.db" "select coalesce(sum(count), 0) from loss where name in ('unaccounted', 'counts-full', 'nested', 'stack-gone')")" 0
is 'and is in the store' "$(sqlite3 "$TMP/flips.db" 'select sum(samples) from total')" "$summary"
done_testing
