#!/bin/bash
# check: 600 s
# `hearth record --hist`: histograms beside sampled events, in one recording and one store. Counts and sums of all of them
# are held against what the program measured in the same run.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'events take root'
HERTZ=499
# histogram WHAT EVENT ARGUMENT...: WHAT of the rows of `hearth report -f hist`, an expression of python over `rows`
histogram() {
    "$HEARTH" report -i "$TMP/x.db" -f hist -e "$2" -o "$TMP/x.hist.json" "${@:3}" 2>/dev/null
    python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$TMP/x.hist.json" "$1"
}
of() { histogram "[r[\"$1\"] for r in rows if r[\"by\"] == \"$3\"][0]" "$2"; }
sql() { "$HEARTH" sql -i "$TMP/x.db" "$1"; }
# column NAME NUMBER: of the program's truth about its threads of that name
column() { truth "$TMP/truth" "$1" | awk -v n="$2" '{ print $n }'; }

# --- Four streams of values at once, and a fifth that has the name of another
stolen=$(stolen_ns)
"$HEARTH" record -F $HERTZ -e cpu -e off-cpu --hist runq --hist syscall:read --hist off-cpu --by comm -i 0.3 -o "$TMP/x.db" -- \
    "$LOADS/nofp/reads" 4 500 >"$TMP/truth" 2>"$TMP/said"
is 'two events and three histograms in one recording' $? 0
stolen=$(($(stolen_ns) - stolen))
like 'samples and values are counted' "$(cat "$TMP/said")" ' samples, .* lost, .*values in 3 histograms, [0-9]+ unmatched, [0-9]+ lost'
# The kernel refuses to remember a wait where an interrupt comes while it makes room for another one, which is rare.
kept=$(sql 'SELECT sum(samples) FROM sample')
ok "none in a thousand is lost ($kept kept; $(sql 'SELECT name, sum(count) FROM loss GROUP BY name' | tr '\n' ' '))" \
    test "$(grep -oE '[0-9]+ lost' "$TMP/said" | awk '{ n += $1 } END { print n }')" -le $((kept / 1000))

is 'system calls: every one' "$(of count syscall:read reader)" 500
read_ns=$(truth "$TMP/truth" read_ns)
sum=$(of sum syscall:read reader)
ok "and as long as the program measured around them ($sum, $read_ns)" test "$sum" -ge $((read_ns * 95 / 100)) -a "$sum" -le "$read_ns"

delay=$(column spinner 4)
if [[ $delay == 0 ]]; then
    skip 'the run queue' 'this kernel keeps no schedstat'
else
    within 'the run queue: the waits for a CPU are those of schedstat' "$(of sum runq spinner)" "$delay" $((delay / 20))
fi

within 'CPU samples: the rate times the CPU time' "$(sql "SELECT sum(samples) FROM sample WHERE event = 'cpu' AND comm = 'spinner'")" \
    "$(awk -v ns="$(column spinner 1)" -v hz=$HERTZ 'BEGIN { print ns / 1e9 * hz }')" \
    "$(awk -v ns="$(column spinner 1)" -v hz=$HERTZ -v stolen="$stolen" 'BEGIN { print (ns / 1e9 * 0.05 + stolen / 1e9) * hz }')"

# The programs of a context switch run on the account of the thread that comes, whose wait ends after them: so long, it is on
# the CPU and waits.
own_ns=$(sql 'SELECT sum(own_bpf_ns) FROM interval')
for name in spinner reader writer; do
    waits=$(sql "SELECT sum(value) FROM sample WHERE event = 'off-cpu' AND bucket IS NULL AND comm = '$name'")
    least=$(column $name 2) most=$(($(column $name 3) - $(column $name 1) + own_ns))
    ok "off-cpu, $name: all its time off the CPU ($waits: $least to $most)" \
        test "$waits" -ge $((least - least / 100)) -a "$waits" -le $((most + most / 1000))
    # A program of a switch reads the clock after those before it have run, and sched_switch may run one of two alone.
    within "and the histogram of that name has the same waits, of $name" "$(of sum off-cpu $name)" "$waits" $((waits / 100 + own_ns))
done

# --- One name, two events
is 'the store keeps them apart' "$(sql "SELECT is_histogram FROM event WHERE name = 'off-cpu' ORDER BY id" | tr '\n' ' ')" '0 1 '
is 'stacks are drawn of the samples' "$("$HEARTH" report -i "$TMP/x.db" -f folded -e off-cpu 2>/dev/null | awk '{ n += $NF } END { printf "%.0f", n }')" \
    "$(sql "SELECT sum(value) FROM sample WHERE event = 'off-cpu' AND bucket IS NULL")"
"$HEARTH" report -i "$TMP/x.db" -f folded -e runq >/dev/null 2>"$TMP/out"
is 'a histogram without stacks says so' "$? $(grep -c "^hearth: no stacks of 'runq' .*-f hist" "$TMP/out")" '4 1'
"$HEARTH" report -i "$TMP/x.db" -f hist >/dev/null 2>"$TMP/out"
is 'of several histograms one must be chosen' "$? $(grep -c 'choose with -e: .* runq, syscall:read, off-cpu (histogram)$' "$TMP/out")" '2 1'
is 'and all are listed' "$("$HEARTH" list events -i "$TMP/x.db" | grep -cE ' (yes|no) +(cpu|off-cpu|runq|syscall:read) ')" 5

# --- With stacks: each bucket has its own, and the events beside have theirs
"$HEARTH" record -e cpu --hist syscall:read --stacks --comm reader -i 0.3 -o "$TMP/x.db" -- "$LOADS/nofp/reads" 2 300 >"$TMP/truth" 2>/dev/null
is 'with stacks, of one thread: every call' "$(histogram 'rows[0]["count"]' syscall:read) $(sql "SELECT sum(samples) FROM sample WHERE event = 'syscall:read'")" '300 300'
slow=$(histogram 'sum(b["count"] for b in rows[0]["buckets"] if b["low"] >= 1 << 20)' syscall:read)
"$HEARTH" report -i "$TMP/x.db" -f folded -e syscall:read --bucket 1048576.. >"$TMP/folded" 2>/dev/null
like 'the slow ones have their stacks' "$(cat "$TMP/folded")" '^reader;.*read_in_turns;'
is 'as many as the buckets count' "$(histogram 'sum(r["count"] for r in rows)' syscall:read --bucket 1048576..)" "$slow"
is 'the filter is that of both' "$(sql "SELECT DISTINCT comm FROM sample")" reader

# --- Of one process, and of all
background "$LOADS/nofp/reads" 0 1000000 >/dev/null
one=$!
background "$LOADS/nofp/reads" 0 1000000 >/dev/null
other=$!
"$HEARTH" record -p $one --hist syscall:read --by pid -d 0.5 -o "$TMP/x.db" 2>/dev/null
is 'of one process alone' "$(histogram '[r["by"] for r in rows]' syscall:read)" "['$one']"
"$HEARTH" record -a -e off-cpu --hist syscall:read --by pid -d 0.5 -o "$TMP/x.db" 2>/dev/null
is 'of all' "$(histogram "sorted({'$one', '$other'} - {r['by'] for r in rows})" syscall:read)" '[]'
kill $one $other

# --- Values with a unit of their own, and reports instead of a store
"$HEARTH" record --hist "uprobe:$LOADS/nofp/hits:hit" --value arg0 -o "$TMP/x.hist.json" -- "$LOADS/nofp/hits" 1000 1 >/dev/null 2>"$TMP/said"
is 'a histogram straight into a report' "$(python3 -c '
import json, sys
print(*[(r["count"], r["sum"], r["unit"]) for r in json.load(open(sys.argv[1]))])' "$TMP/x.hist.json")" "(1000, 499500, 'count')"
like 'the cost of its probe is said' "$(cat "$TMP/said")" ':hit: 1000 hits, .*about [0-9.]+ us each'

# --- Combinations without a sense
refused() { # WHAT WORDS ARGUMENT...
    "$HEARTH" record "${@:3}" -- true >/dev/null 2>"$TMP/out"
    is "refused: $1" "$? $(wc -l <"$TMP/out") $(grep -cF -- "$2" "$TMP/out")" '2 1 1'
}
refused 'a probe that is none' "unknown probe 'nothing'" --hist nothing -o "$TMP/y.db"
refused 'an option of histograms without one' '--by is for histograms: name one with --hist PROBE' --by comm -o "$TMP/y.db"
refused 'one histogram twice' "'runq' is named twice" --hist runq --hist runq -o "$TMP/y.db"
refused 'a value of what has none' "--value means nothing for 'runq'" --hist runq --value arg0 -o "$TMP/y.db"
refused 'stacks that no store keeps' '--stacks keeps stacks in a store' --hist runq --stacks -o "$TMP/y.html"
refused 'a picture of two histograms' 'shows one histogram' --hist runq --hist blkio -o "$TMP/y.hist"
refused 'a picture of none' 'shows one histogram' -o "$TMP/y.hist"
is 'and nothing was written' "$(ls "$TMP"/y.* 2>/dev/null)" ''
done_testing
