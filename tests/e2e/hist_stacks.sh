#!/bin/bash
# check: 90 s, alone
# Histograms and flame graphs as two views of the same values: what falls into a bucket is what is drawn of it, for every
# kind of probe, and its stacks are the ones that the program has.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'

# The samples that are drawn of a range of buckets.
drawn() { "$HEARTH" report -i "$1" -f json --bucket "$2..$3" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["samples"])'; }

# same_counts WHAT STORE: power of two by power of two.
same_counts() {
    local low high count wrong=0 buckets=0
    "$HEARTH" report -i "$2" -f hist -o "$TMP/h.hist.json" 2>/dev/null
    python3 - "$TMP/h.hist.json" >"$TMP/powers" <<'P'
import json, sys
powers = {}
for row in json.load(open(sys.argv[1])):
    for bucket in row["buckets"]:
        low = bucket["low"] and 1 << bucket["low"].bit_length() - 1
        powers[low] = powers.get(low, 0) + bucket["count"]
for low in sorted(powers): print(low, 2 * low or 1, powers[low])
P
    while read -r low high count; do
        buckets=$((buckets + 1))
        [[ $(drawn "$2" "$low" "$high") == "$count" ]] || wrong=$((wrong + 1))
    done <"$TMP/powers"
    is "$1: as many stacks as values in each power of two" "$((buckets > 0)) $wrong" '1 0'
}

# keep PROBE... -- COMMAND: a recording with the stacks, nothing lost.
keep() {
    "$HEARTH" hist --stacks -i 0.2 -o "$TMP/x.db" "$@" >"$TMP/truth" 2>"$TMP/said"
    is "$1 with stacks" "$? $(grep -oE '[0-9]+ lost' "$TMP/said")" '0 0 lost'
    same_counts "$1" "$TMP/x.db"
    "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
    is "$1: no stack is lost" "$(grep -c 'stack lost' "$TMP/folded")" 0
}

# --- The run queue: where the thread goes on when it has the CPU.
keep runq -- "$LOADS/nofp/burn" $((2 * $(nproc))) 1.5
like 'a preempted thread waits where it was preempted' "$(cat "$TMP/folded")" 'burn;clone3;start_thread;thread_main;burn;[^;]*;.*schedule[^;]*;\[preempted\] '
like 'one that has been woken, where it waited' "$(cat "$TMP/folded")" 'main;(__)?pthread_[a-z]*join[^;]*;.*futex_wait[^;]*;.*schedule[^;]* [0-9]+'
like 'a new thread has no stack' "$(cat "$TMP/folded")" 'burn;\[new thread\] [0-9]+'
done_testing
