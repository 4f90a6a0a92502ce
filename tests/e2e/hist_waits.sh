#!/bin/bash
# check: 600 s, alone
# Waits, as the kernel itself accounts for them: the run queue against /proc/PID/schedstat, off-CPU time and system calls
# against the program's own clock, block I/O against the requests that were made.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'tracepoints take root'
# field NAME FILE [BY]: of the histogram of that key, else of the first.
field() {
    python3 -c '
import json, sys
rows = json.load(open(sys.argv[2]))
print([r for r in rows if sys.argv[3] in ("", r["by"])][0][sys.argv[1]])' "$1" "$2" "${3:-}"
}

# --- Two spinning threads a CPU, and what the kernel says that they waited.
threads=$((2 * $(nproc)))
"$HEARTH" hist runq --by comm -f json -o "$TMP/x.json" -- "$LOADS/nofp/burn" $threads 3 >"$TMP/truth" 2>"$TMP/said"
is 'hist runq' $? 0
delay=$(truth "$TMP/truth" delay_ns)
if [[ $delay == 0 ]]; then
    skip 'the waits for a CPU are those of schedstat' 'this kernel keeps no schedstat'
else
    within 'the waits for a CPU are those of schedstat' "$(field sum "$TMP/x.json" burn)" "$delay" $((delay / 20))
fi

# --- Sleeps
"$HEARTH" hist syscall:clock_nanosleep -f json -o "$TMP/x.json" -- "$LOADS/nofp/waits" 20 >"$TMP/truth" 2>/dev/null
is 'a system call: every call' "$(field count "$TMP/x.json")" 40
ok 'none takes less than it asked for' test "$(field min "$TMP/x.json")" -ge 10000000
"$HEARTH" hist 'syscall:*' --by comm -f json -o "$TMP/all.json" -- "$LOADS/nofp/waits" 20 >"$TMP/truth" 2>/dev/null
waited=$(awk '$2 == "thread" && $3 == "sleeper" { print $7 }' "$TMP/truth")
within 'all system calls, by thread: the time of the one is what the program measured' \
    "$(field sum "$TMP/all.json" 'clock_nanosleep, sleeper')" "$waited" $((waited / 20))
is 'and its calls' "$(field count "$TMP/all.json" 'clock_nanosleep, sleeper')" 20
"$HEARTH" hist off-cpu --by comm --min-block 5ms -f json -o "$TMP/x.json" -- "$LOADS/nofp/waits" 20 >"$TMP/truth" 2>/dev/null
waited=$(awk '$2 == "thread" && $3 == "sleeper" { print $7 }' "$TMP/truth")
idle=$(awk '$2 == "thread" && $3 == "sleeper" { print $5 - $6 }' "$TMP/truth")
sum=$(field sum "$TMP/x.json" sleeper)
ok "time off the CPU is the time slept, and no more than it was idle ($waited, $sum, $idle)" \
    test "$sum" -ge $((waited * 95 / 100)) -a "$sum" -le $((idle * 102 / 100))
ok 'short waits are not counted' test "$(field min "$TMP/x.json" sleeper)" -ge 5000000
"$HEARTH" hist off-cpu --stacks -i 0.1 -o "$TMP/x.db" -- "$LOADS/nofp/waits" 20 >/dev/null 2>"$TMP/said"
"$HEARTH" report -i "$TMP/x.db" -f folded --bucket 15ms.. >"$TMP/folded" 2>/dev/null
like 'the long waits have their stacks' "$(cat "$TMP/folded")" 'holder;.*;thread_main;.*clock_nanosleep'
is 'and no stack of theirs was lost' "$(grep -c 'stack lost' "$TMP/folded")" 0

# --- Block I/O
disk=$(df --output=source "$TMP" | tail -1)
if [[ $disk != /dev/* ]]; then
    skip 'block I/O is counted' "$TMP is on no block device here"
else
    "$HEARTH" hist blkio --by comm -f json -o "$TMP/x.json" -- dd if=/dev/zero of="$TMP/written" bs=64k count=50 oflag=direct 2>/dev/null
    count=$(field count "$TMP/x.json" dd)
    ok "each of 50 direct writes was issued and completed ($count)" test "$count" -ge 50
    ok 'in no time at all and not for ever' test "$(field min "$TMP/x.json" dd)" -gt 1000 -a "$(field max "$TMP/x.json" dd)" -lt 10000000000
fi
done_testing
