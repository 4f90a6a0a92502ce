#!/bin/bash
# check: 1200 s
# Histograms of known durations: every call counted once, in its bucket, whoever starts the program, by uprobe and by
# USDT, with threads, recursion and longjmp; what is stored and what is drawn says the same.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'

# Of a JSON of histograms: field NAME FILE [INDEX]
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[2]))[int(sys.argv[3])][sys.argv[1]])' "$1" "$2" "${3:-0}"; }
# Counts by powers of two, as the workload tells them: "LOW COUNT" lines.
powers() {
    python3 -c '
import json, sys
powers = {}
for bucket in json.load(open(sys.argv[1]))[0]["buckets"]:
    low = 1 << bucket["low"].bit_length() - 1
    powers[low] = powers.get(low, 0) + bucket["count"]
for low in sorted(powers): print(low, powers[low])' "$1"
}
# Powers of two at which the histogram has more calls that long than the outer of two clocks around them, or fewer than the
# inner one: POWERS TRUTH OUTER INNER, columns of the truth.
outside() {
    awk -v outer="$3" -v inner="$4" 'NR == FNR { count[$1] = $2; next }
        $2 == "at_least" {
            long = 0
            for (low in count) if (low + 0 >= $3 + 0) long += count[low]
            if (long > $outer || long < $inner) print $3 ": " long ", not " $inner " to " $outer
        }' "$1" "$2"
}

# check_calls uprobe|USDT... JSON TRUTH CALLS: the program has measured each call around its probes and inside them.
check_calls() {
    local outer=4 inner=5
    if [[ $1 == USDT* ]]; then outer=5 inner=6; fi
    is "$1: every call is counted" "$(field count "$2") $(field unmatched "$2") $(field lost "$2")" "$4 0 0"
    is "$1: the program made so many" "$(truth "$3" calls)" "$4"
    powers "$2" >"$TMP/powers"
    is "$1: in the power of two that the program measured" "$(outside "$TMP/powers" "$3" $outer $inner)" ''
    # A percentile is the end of its bucket: at most an eighth too high, and never too low.
    for share in p50 p99; do
        ok "$1: $share is that of the program, to the bucket" awk -v got="$(field $share "$2")" -v truth="$(truth "$3" $share)" \
            -v outer=$((outer - 3)) -v inner=$((inner - 3)) \
            'BEGIN { print got, truth; split(truth, t, " "); exit !(got >= t[inner] && got <= t[outer] * 1.125 + 1) }'
    done
}

# running PROBE PROGRAM ARGUMENT...: a histogram of a process that runs already, and calls when hearth is there.
running() {
    local hearth
    rm -rf "$TMP/go" "$TMP/unseen"
    mkdir "$TMP/unseen"
    background "${@:2}" "$TMP/go" >"$TMP/truth"
    TMPDIR=$TMP/unseen "$HEARTH" hist "$1" -p $! -f json -o "$TMP/x.json" 2>/dev/null &
    hearth=$!
    await recording "$TMP/unseen"
    touch "$TMP/go"
    wait $hearth
}

# every_way WHAT PROBE PROGRAM: started by hearth and running already, by one thread and by eight with recursion.
every_way() {
    "$HEARTH" hist "$2" -f json -o "$TMP/x.json" -- "$3" >"$TMP/truth" 2>"$TMP/said"
    is "$1: hist with a command" $? 0
    check_calls "$1" "$TMP/x.json" "$TMP/truth" 500
    "$HEARTH" hist "$2" -f json -o "$TMP/x.json" -- "$3" 8 20 5 3 >"$TMP/truth" 2>/dev/null
    check_calls "$1, 8 threads, 3 deep" "$TMP/x.json" "$TMP/truth" 800
    running "$2" "$3" 1 80 20 0
    check_calls "$1, a process that runs already" "$TMP/x.json" "$TMP/truth" 100
    running "$2" "$3" 8 20 5 3
    check_calls "$1, 8 threads, 3 deep, that run already" "$TMP/x.json" "$TMP/truth" 800
}
calls=$LOADS/nofp/calls
every_way uprobe "uprobe:$calls:timed_call" "$calls"
like 'the cost of a call is said' "$(cat "$TMP/said")" \
    ':timed_call: 500 calls, about [0-9.]+ us each \(trap [0-9.]+, programs [0-9.]+\)'
ok 'and both of its parts are there' awk -F '[(),]' '/:timed_call: / { split($3, trap, " "); split($4, programs, " ") }
    END { print trap[2], programs[2]; exit !(trap[2] > 0 && trap[2] < 1000 && programs[2] > 0 && programs[2] < 1000) }' "$TMP/said"

for kind in calls calls_semaphore; do
    every_way "USDT, $kind" "usdt:$LOADS/nofp/$kind:hearth_test:begin,end" "$LOADS/nofp/$kind"
done
like 'the cost of a pair of USDT probes is said, with their trap' "$(cat "$TMP/said")" \
    ':begin,end: 500 pairs, about [0-9.]+ us each \(trap [0-9.]*[1-9][0-9.]*, programs [0-9.]+\)'
"$HEARTH" hist "uprobe:$calls:*" -f json -o "$TMP/x.json" -- "$calls" 1 2 1 >/dev/null 2>"$TMP/said"
like 'of a glob, what its places cost by their first instructions' "$(cat "$TMP/said")" \
    ':\*: [0-9]+ calls.*, (about [0-9.]+|[0-9.]+ to [0-9.]+) us each \(trap [0-9.]+( at [0-9]+ of [0-9]+ places, [0-9.]+ at [0-9]+)?, programs'

# --- Threads, recursion, longjmp
"$HEARTH" hist "uprobe:$calls:timed_call" --by tid -f json -o "$TMP/x.json" -- "$calls" 8 40 5 3 >"$TMP/truth" 2>/dev/null
is '8 threads, 3 deep: every call, by thread' "$(truth "$TMP/truth" calls) $(python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))
print(sum(r["count"] for r in rows), len(rows), {r["count"] for r in rows}, sum(r["unmatched"] for r in rows))' "$TMP/x.json")" \
    '1440 1440 8 {180} 0'
"$HEARTH" hist "uprobe:$LOADS/nofp/jumps:leaf" -f json -o "$TMP/x.json" -- "$LOADS/nofp/jumps" >"$TMP/truth" 2>/dev/null
is 'calls left by longjmp are unmatched, the others are not' "$(field count "$TMP/x.json") $(field unmatched "$TMP/x.json")" \
    "$(truth "$TMP/truth" returned) $(($(truth "$TMP/truth" made) - $(truth "$TMP/truth" returned)))"

# --- Arguments
"$HEARTH" hist "uprobe:$calls:timed_call" --value arg0 -f json -o "$TMP/x.json" -- "$calls" 1 40 10 >/dev/null 2>&1
powers "$TMP/x.json" >"$TMP/powers"
is 'the values of an argument' "$(tr '\n' ' ' <"$TMP/powers")$(field sum "$TMP/x.json") $(field min "$TMP/x.json") $(field max "$TMP/x.json")" \
    '524288 40 8388608 10 200000000 1000000 16000000'
"$HEARTH" hist "usdt:$calls:hearth_test:begin,end" --by arg0 -f json -o "$TMP/x.json" -- "$calls" 1 40 10 >/dev/null 2>&1
# The largest sum comes first: beside a load that may be either.
is 'a histogram for each value of an argument' "$(python3 -c '
import json, sys
print(sorted((int(r["by"]), r["count"]) for r in json.load(open(sys.argv[1]))))' "$TMP/x.json")" \
    '[(1000000, 40), (16000000, 10)]'
requests=$LOADS/nofp/requests
"$HEARTH" hist "usdt:$requests:hearth_test:request_begin,request_end" --key arg0 -f json -o "$TMP/x.json" -- "$requests" >/dev/null 2>&1
is 'pairs by key, over threads' "$(field count "$TMP/x.json") $(field unmatched "$TMP/x.json")" '200 0'
ok 'none is shorter than the program made it' test "$(field min "$TMP/x.json")" -ge 2000000
"$HEARTH" hist "usdt:$requests:hearth_test:request_begin,request_end" -f json -o "$TMP/x.json" -- "$requests" >/dev/null 2>&1
is 'the same by thread finds no pair, and says so' "$(field count "$TMP/x.json") $(field unmatched "$TMP/x.json")" '0 400'
"$HEARTH" hist "usdt:$requests:hearth_test:request_end" --value arg1:s32 -f json -o "$TMP/x.json" -- "$requests" >/dev/null 2>&1
is 'values below zero' "$(field count "$TMP/x.json") $(field unmatched "$TMP/x.json") $(field min "$TMP/x.json") $(field max "$TMP/x.json")" '200 0 -1 199'
"$HEARTH" hist "uretprobe:$LOADS/nofp/hits:hit" --value retval -f json -o "$TMP/x.json" -- "$LOADS/nofp/hits" 1000 1 >/dev/null 2>&1
is 'what a function returns' "$(field count "$TMP/x.json") $(field min "$TMP/x.json") $(field max "$TMP/x.json") $(field sum "$TMP/x.json")" \
    '1000 1 1000 500500'

# --- Fast
"$HEARTH" hist "uprobe:$LOADS/nofp/hits:hit" -i 0.2 -f json -o "$TMP/x.json" -- "$LOADS/nofp/hits" 700000 2 >"$TMP/truth" 2>"$TMP/said"
is 'none of 1,400,000 calls in a row is lost' "$(field count "$TMP/x.json") $(field unmatched "$TMP/x.json") $(field lost "$TMP/x.json")" '1400000 0 0'
rate=$(($(truth "$TMP/truth" calls) * 1000000000 / $(truth "$TMP/truth" wall_ns)))
like 'their number is said with their cost' "$(cat "$TMP/said")" ':hit: 1400000 calls.* about [0-9.]+ us each'
echo "# $rate calls a second"
"$HEARTH" record -e "uprobe:$LOADS/nofp/hits:hit" -i 0.2 -o "$TMP/x.db" -- "$LOADS/nofp/hits" 300000 2 >/dev/null 2>"$TMP/said"
is 'none of 600,000 samples with their stacks' "$(sqlite3 "$TMP/x.db" 'select sum(samples) from total') $(grep -oE '[0-9]+ lost' "$TMP/said")" '600000 0 lost'

ok 'their cost is stored: 100 ns each at the least' test "$(sqlite3 "$TMP/x.db" 'select sum(own_bpf_ns) / 600000 from interval')" -ge 100

# --- Stored
"$HEARTH" hist "uprobe:$calls:timed_call" -i 0.1 -o "$TMP/x.db" -- "$calls" 2 100 10 >"$TMP/truth" 2>/dev/null
"$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/stored.hist.json" 2>/dev/null
check_calls 'uprobe, stored over many intervals' "$TMP/stored.hist.json" "$TMP/truth" 220
ok 'many intervals' test "$(sqlite3 "$TMP/x.db" 'select count(*) from interval')" -gt 2

# --- With the stacks
"$HEARTH" hist "uprobe:$calls:timed_call" --stacks -i 0.1 -o "$TMP/x.db" -- "$calls" 2 40 10 >"$TMP/truth" 2>"$TMP/said"
is 'hist with stacks' $? 0
"$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/stored.hist.json" 2>/dev/null
check_calls 'uprobe, the buckets of the stacks' "$TMP/stored.hist.json" "$TMP/truth" 100
"$HEARTH" report -i "$TMP/x.db" -f folded --bucket 15ms.. >"$TMP/folded" 2>/dev/null
like 'the slow calls have their stack' "$(cat "$TMP/folded")" '^calls;.*;work[; ]'
ok 'and their time' awk -v n="$(awk '{ n += $NF } END { print n }' "$TMP/folded")" 'BEGIN { exit !(n >= 20 * 15e6) }'
done_testing
