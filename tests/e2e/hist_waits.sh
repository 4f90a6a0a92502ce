#!/bin/bash
# check: 60 s, alone
# Waits, as the kernel itself accounts for them: the run queue against /proc/PID/schedstat, off-CPU time and system calls
# against the program's own clock, block I/O against the requests that were made.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'tracepoints take root'
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[2]))[0][sys.argv[1]])' "$1" "$2"; }

# --- Two spinning processes a CPU. The wait before the first switch-in after the start may be missed, and the last one.
pids=()
for _ in $(seq $((2 * $(nproc)))); do
    background "$LOADS/fp/burn" 1 6 >/dev/null
    pids+=($!)
done
sleep 0.3
delay() { for pid in "${pids[@]}"; do cut -d' ' -f2 "/proc/$pid/task/$pid/schedstat"; cat /proc/"$pid"/task/*/schedstat | cut -d' ' -f2; done | awk '{ n += $1 } END { printf "%d\n", n }'; }
delay() { cat $(printf '/proc/%s/task/*/schedstat ' "${pids[@]}") | awk '{ n += $2 } END { printf "%d\n", n }'; }
if [[ $(delay) == 0 ]]; then
    skip 'the run queue as schedstat has it' 'this kernel keeps no schedstat'
else
    "$HEARTH" hist runq -p "$(IFS=,; echo "${pids[*]}")" -f json -o "$TMP/x.json" 2>"$TMP/said" &
    hearth=$!
    for _ in {1..100}; do
        if grep -qs prog_id /proc/$hearth/fdinfo/*; then break; fi
        sleep 0.05
    done
    sleep 0.3
    before=$(delay)
    started=$(date +%s%N)
    sleep 2.5
    after=$(delay)
    ended=$(date +%s%N)
    kill -INT $hearth
    wait $hearth
    # The histogram covers a little more than the two readings: in proportion.
    echo "# schedstat $((after - before)) ns in $((ended - started)) ns; hist $(field sum "$TMP/x.json") ns"
    within 'the run queue as schedstat has it' "$(field sum "$TMP/x.json")" $((after - before)) $(((after - before) / 5))
fi
for pid in "${pids[@]}"; do kill "$pid"; done 2>/dev/null
done_testing
