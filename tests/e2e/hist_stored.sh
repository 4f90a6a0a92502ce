#!/bin/bash
# check: 600 s, alone
# Histograms of a stored range: they have a history, keys and threads; SQL, the list and the statistics say the same.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
calls=$LOADS/nofp/calls

# of_json FILE EXPRESSION: over its histograms, `rows`.
of_json() { python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
stored() { "$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/h.hist.json" "${@:2}" 2>"$TMP/said" && of_json "$TMP/h.hist.json" "$1"; }
sql() { "$HEARTH" sql -i "$TMP/x.db" "$1" 2>/dev/null | tail -1; }

for stacks in '' --stacks; do
    with=${stacks:+, with stacks}
    "$HEARTH" hist "uprobe:$calls:timed_call" $stacks --by arg0 -i 0.1 -f json -o "$TMP/x.db" -- "$calls" 2 60 20 1 >"$TMP/out" 2>"$TMP/said"
    is "two keys over many intervals$with" "$? $(($(sql 'SELECT count(*) FROM interval') > 3))" '0 1'
    grep -v '^truth' "$TMP/out" >"$TMP/live.json"
    facts='sorted((r["by"], r["count"], r["sum"], r["min"], r["max"], r["unmatched"], r["p50"], r["p99"], str(r["buckets"])) for r in rows)'
    is "what is stored is what was shown$with" "$(stored "$facts")" "$(of_json "$TMP/live.json" "$facts")"
    is "every call is in it$with" "$(stored 'sorted((r["by"], r["count"]) for r in rows)')" "[('1000000', 240), ('16000000', 80)]"

    # The range in two, at the start of an interval in the middle.
    middle=$(sqlite3 "$TMP/x.db" 'SELECT start_ns FROM interval ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM interval)')
    middle=@${middle::-9}.${middle: -9}
    before=$(stored 'sum(r["count"] for r in rows)' --until "$middle") after=$(stored 'sum(r["count"] for r in rows)' --since "$middle")
    ok "one half of the range has a part of them$with ($before, $after)" test "$before" -gt 0 -a "$before" -lt 320
    is "and the other the rest$with" "$((before + after))" 320
    is "the same of the sums$with" "$(($(stored 'sum(r["sum"] for r in rows)' --until "$middle") + $(stored 'sum(r["sum"] for r in rows)' --since "$middle")))" \
        "$(stored 'sum(r["sum"] for r in rows)')"
    "$HEARTH" report -i "$TMP/x.db" -f hist --since 2030-01-01 >"$TMP/out" 2>"$TMP/said"
    is "nothing is in a range without any$with" "$? $(grep -c 'nothing of .* in that range' "$TMP/said")" '4 1'

    is "SQL: the table histogram has each value once$with" "$(sql 'SELECT sum(count) FROM histogram')" 320
    is "SQL: by key$with" "$(sql "SELECT sum(count) FROM histogram WHERE key = '16000000'")" 80
    is "SQL: by bucket, slow calls$with" "$(sql 'SELECT sum(count) FROM histogram WHERE high > 15000000')" \
        "$(of_json "$TMP/live.json" 'sum(b["count"] for r in rows for b in r["buckets"] if b["high"] > 15000000)')"
    "$HEARTH" report -i "$TMP/x.db" -f heatmap -o "$TMP/over.svg"
    is "the cells of the heat map, by bucket$with" "$(grep -oE '\[[^)]*\): [0-9,]+</title>' "$TMP/over.svg" | tr -d , |
        awk '{ n[$1 $2 $3 $4] += $NF } END { for (i in n) print n[i] }' | sort -n | paste -sd ' ')" \
        "$(sql 'SELECT group_concat(n, " ") FROM (SELECT sum(count) AS n FROM histogram GROUP BY bucket ORDER BY n)')"
    like "the list counts each once$with" "$("$HEARTH" list events -i "$TMP/x.db")" '  320 .* yes .*timed_call'
    like "so do the statistics$with" "$("$HEARTH" stat -i "$TMP/x.db")" 'timed_call: 320 samples'
done

# With stacks, the threads of values are known, and what they add up to bucket by bucket.
is 'by comm' "$(stored '[(r["by"], r["count"]) for r in rows]' --by comm)" "[('calls', 320)]"
is 'only of a comm' "$(stored 'sum(r["count"] for r in rows)' --comm 'cal*')" 320
"$HEARTH" report -i "$TMP/x.db" -f hist --comm nobody >/dev/null 2>"$TMP/said"
is 'and of none' "$? $(grep -c 'with those filters' "$TMP/said")" '4 1'
slow=$(stored 'sum(r["count"] for r in rows)' --bucket 15728640..)
drawn=$("$HEARTH" report -i "$TMP/x.db" -f json --bucket 15728640.. 2>/dev/null | python3 -c 'import json, sys; p = json.load(sys.stdin); print(p["samples"], p["value"])')
is 'the flame graph of the slow calls is of as many, and as long' "$drawn" "$slow $(stored 'sum(r["sum"] for r in rows)' --bucket 15728640..)"
like 'a range that cuts a bucket is said' "$("$HEARTH" report -i "$TMP/x.db" -f folded --bucket 16ms.. 2>&1 >/dev/null)" 'kept by bucket: --bucket 16ms.. gives those of 15.7 ms and above'

"$HEARTH" hist "uprobe:$calls:timed_call" --stacks --by tid -i 0.1 -o "$TMP/x.db" -- "$calls" 3 20 5 >/dev/null 2>&1
is 'by tid, kept with its stacks' "$(stored '[r["count"] for r in rows]' --by tid)" '[25, 25, 25]'
is 'is by the same threads as without' "$(stored 'sorted(r["by"] for r in rows)' --by tid)" "$(stored 'sorted(r["by"] for r in rows)')"

"$HEARTH" hist runq 'syscall:futex' -i 0.1 -o "$TMP/x.db" -- "$calls" 2 10 2 >/dev/null 2>&1
"$HEARTH" report -i "$TMP/x.db" -f hist >/dev/null 2>"$TMP/said"
is 'of two histograms one must be chosen' "$? $(grep -c 'which event? choose with -e; the store holds runq, syscall:futex' "$TMP/said")" '2 1'
ok 'as it is with -e' "$HEARTH" report -i "$TMP/x.db" -f hist -e runq
"$HEARTH" report -i "$TMP/x.db" -f hist -e runq --comm calls >/dev/null 2>"$TMP/said"
is 'without stacks, threads cannot be asked for' "$? $(grep -c 'recorded without stacks' "$TMP/said")" '2 1'
"$HEARTH" report -i "$TMP/x.db" -f folded -e runq >/dev/null 2>"$TMP/said"
is 'nor is there a picture of stacks' "$? $(grep -c . "$TMP/said")" '4 1'
done_testing
