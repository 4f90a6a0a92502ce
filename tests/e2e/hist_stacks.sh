#!/bin/bash
# check: 600 s, alone
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
    local what=${1##*/}
    "$HEARTH" hist --stacks -i 0.2 -o "$TMP/x.db" "$@" >"$TMP/truth" 2>"$TMP/said"
    is "$what with stacks" "$? $(grep -oE '[0-9]+ lost' "$TMP/said")" '0 0 lost'
    same_counts "$what" "$TMP/x.db"
    "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
    is "$what: no stack is lost, and none begins in the probe" "$(grep -c 'stack lost\|__traceiter\|__bpf_trace\|bpf_trace_run\|bpf_prog' "$TMP/folded")" 0
}

# --- The run queue: where the thread goes on when it has the CPU.
keep runq -- "$LOADS/nofp/burn" $((2 * $(nproc))) 1.5
like 'a preempted thread waits where it was preempted' "$(cat "$TMP/folded")" 'burn;(__)?clone3;start_thread;thread_main;burn;[^ ]*schedule[^;]*;[^ ]*\[preempted\] '
like 'a new thread has no stack' "$(cat "$TMP/folded")" 'burn;\[new thread\] [0-9]+'
keep runq -- "$LOADS/nofp/waits" 30
like 'one that has been woken, where it waited' "$(cat "$TMP/folded")" 'sleeper;(__)?clone3;start_thread;thread_main;sleep_in_turns;.*clock_nanosleep[^;]*;[^ ]*schedule[^ ]* [0-9]+'
woken=$("$HEARTH" sql -i "$TMP/x.db" "select sum(s.samples) from sample s where s.comm in ('sleeper', 'holder')
    and exists (select 1 from stack_frame f where f.node = s.node and f.function like '%nanosleep%')")
# A thread may be preempted there besides; and a sleep may be over before its thread has left the CPU.
ok "as often as it was woken, but for a few ($woken of 60)" test "$woken" -ge 54 -a "$woken" -le 120
# Beside other tracers, tracepoints call programs another way, with one frame more.
background "$HEARTH" record -e off-cpu -o "$TMP/other.db" 2>/dev/null
other=$!
await recording "$TMP/other.db"
keep runq -- "$LOADS/nofp/burn" $((2 * $(nproc))) 0.5
keep off-cpu -- "$LOADS/nofp/waits" 5
kill -INT $other

# --- Functions: the one that has returned is the leaf, on top of its callers, at each depth of a recursion.
calls=$LOADS/nofp/calls
"$HEARTH" record -e "uprobe:$calls:timed_call" -o "$TMP/x.db" -- "$calls" 1 60 1 >/dev/null 2>&1 # its rows are made now
stacks() { sed 's/ [0-9]*$//; s/;__clone3;/;clone3;/' "$TMP/folded" | sort; } # glibc 2.41 says __clone3
nested=$(for deep in timed_call 'timed_call;timed_call' 'timed_call;timed_call;timed_call'; do echo "calls;clone3;start_thread;work;$deep"; done)
keep "uprobe:$calls:timed_call" -- "$calls" 2 40 10 2
is 'a function is on top of its callers' "$(stacks)" "$nested"
lines=$(grep -n 'start_ns = wall_ns()\|timed_call(ns, recursion - 1);\|? 16 \* NS_PER_MS' tests/workloads/calls.c | cut -d: -f1 | tr '\n' ' ')
read -r _ inner outer <<<"$lines"
"$HEARTH" report -i "$TMP/x.db" -f folded --lines -o "$TMP/folded" 2>/dev/null
like 'and each caller at the line of its call' "$(cat "$TMP/folded")" \
    "work \\(calls.c:$outer\\);timed_call \\(calls.c:$inner\\);timed_call \\(calls.c:$inner\\);timed_call \\(calls.c:[0-9]+\\) "
keep "usdt:$calls:hearth_test:begin,end" -- "$calls" 2 40 10 2
is 'a pair of USDT probes has the stack of its end' "$(stacks)" "$nested"
for unwind in auto copy; do
    "$HEARTH" record -e "uretprobe:$calls:timed_call" --unwind=$unwind -o "$TMP/x.db" -- "$calls" 1 5 1 2 >/dev/null 2>&1
    "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
    is "the same of a uretprobe that is recorded, --unwind=$unwind" "$(stacks)" "$nested"
done
"$HEARTH" record -e "uretprobe:$LOADS/fp/calls:timed_call" --unwind=fp -o "$TMP/x.db" -- "$LOADS/fp/calls" 1 5 1 >/dev/null 2>&1
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
like 'and by frame pointers' "$(cat "$TMP/folded")" 'work;timed_call 6'
keep "uretprobe:$LOADS/nofp/hits:hit" --value retval -- "$LOADS/nofp/hits" 100 2
like 'of what a function returns' "$(cat "$TMP/folded")" '^hits;(__)?clone3;start_thread;[^ ]*;hit 10100$'
keep "uprobe:$LOADS/nofp/hits:hit" --value arg0 -- "$LOADS/nofp/hits" 100 2

# --- The kernel's
keep syscall:clock_nanosleep -- "$LOADS/nofp/waits" 10
like 'a system call is on top of the function that made it' "$(cat "$TMP/folded")" 'sleeper;.*;sleep_in_turns;.*;(__)?clock_nanosleep;([^;]*syscall_cancel[^;]*;)*entry_SYSCALL_64[^;]*;[^ ]* [0-9]+'
keep off-cpu -- "$LOADS/nofp/waits" 10
disk=$(df --output=source "$TMP" | tail -1)
if [[ $disk == /dev/* ]]; then
    keep blkio -- dd if=/dev/zero of="$TMP/written" bs=64k count=30 oflag=direct
    like 'block I/O is on top of the write that made it' "$(cat "$TMP/folded")" '^dd;.*;[^;]*write;entry_SYSCALL_64[^;]*;.*ksys_write[^;]*;.* [0-9]+'
else
    skip 'block I/O with stacks' "$TMP is on no block device here"
fi
keep 'syscall:*' --by comm -- "$LOADS/nofp/waits" 3
done_testing
