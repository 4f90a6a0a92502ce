#!/bin/bash
# check: 600 s
# Perf's events by name: exact counts where each one is counted, a rate where one is asked for, and every event with its
# own unit, in the store and in reports.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'perf events of every CPU take root'
record() { "$HEARTH" record "$@" >"$TMP/out" 2>"$TMP/said"; }
stored() { sqlite3 "$TMP/x.db" "$1"; }
top() { "$HEARTH" report -i "$TMP/x.db" -f top "$@" 2>/dev/null; }
touched() { "$HEARTH" report -i "$TMP/x.db" -f folded "$@" 2>/dev/null | awk '/;touch_pages(;|\[| )/ { n += $NF } END { print n + 0 }'; }

# --- Every fault, of a program that makes 20,000 of them in one function.
record -e page-faults -o "$TMP/x.db" -- "$LOADS/nofp/faults" 20000
is 'without -c and -F each fault is counted' "$(touched)" 20000
like 'its unit in a report' "$(top | head -1)" ': [0-9,]+ faults$'
is 'its unit in the store' "$(stored 'select unit, detail from event')" 'faults|each of page-faults'
record -e page-faults -c 100 -o "$TMP/x.db" -- "$LOADS/nofp/faults" 20000
within 'one of 100: a sample stands for 100' "$(touched)" 20000 1500
within 'and there are so many samples' "$(stored 'select sum(samples) from total')" 200 20
record -e cpu -e faults -F 999 -o "$TMP/x.db" -- "$LOADS/nofp/faults" 20000
is 'a rate is for clocks: each fault is counted beside one' "$(touched -e faults)" 20000

# --- Several events with one -F: each has its own unit and weight.
record -e cpu -e cpu-clock -e task-clock -e context-switches -e tracepoint:sched:sched_switch -F 999 -o "$TMP/x.db" -- "$LOADS/nofp/burn" 1 0.4
is 'five events, their units' "$(stored 'select group_concat(name || "=" || unit, " ") from event')" \
    'cpu=samples cpu-clock=ns task-clock=ns context-switches=switches tracepoint:sched:sched_switch=hits'
is 'samples of cpu weigh one each' "$(stored 'select sum(samples) = sum(value) from total where event = 1')" 1
is 'a clock'"'"'s weigh their time' "$(stored 'select sum(samples) * 1001001 = sum(value) from total where event = 2')" 1
like 'cpu in samples' "$(top -e cpu | head -1)" ': [0-9,]+ samples'
like 'cpu-clock in time' "$(top -e cpu-clock | head -1)" ': [0-9.]+ ms$'
like 'a tracepoint in hits' "$(top -e tracepoint:sched:sched_switch | head -1)" ': [0-9,]+ hits'

# --- The kernel's clocks have a least period; below it their values would be wrong.
record -e cpu-clock -c 1000 -o "$TMP/x.db" -- true
is 'a clock asked for too often: exit code' $? 2
like 'and why' "$(cat "$TMP/said")" "'cpu-clock' is a clock here, of nanoseconds: its -c must be 10000 or more"
record -e cpu-clock -c 100000 -o "$TMP/x.db" -- "$LOADS/nofp/burn" 1 0.3
is 'a period of the clock: each sample is worth it' "$(stored 'select sum(samples) * 100000 = sum(value) and sum(samples) > 100 from total')" 1
done_testing
