#!/bin/bash
# check: 900 s, alone
# A CPU goes offline in the middle of a recording and comes back: it is recorded again, with its processes, and that is said.
# One that is offline when a recording begins is no hindrance, and is recorded from when it comes online.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'a CPU is taken away by root'
cpu=$(($(nproc --all) - 1)) switch=
switch=/sys/devices/system/cpu/cpu$cpu/online
[[ $cpu -gt 0 && -w $switch && $(cat $switch) == 1 ]] || skip_all 'this kernel lets no CPU go offline'
for ((i = 0; i <= cpu; i++)); do background "$LOADS/nofp/burn" 1 "$ENDLESS" >/dev/null; done

for event in cpu wall page-faults; do
    background "$HEARTH" record -e $event -C $cpu -i 0.3 -o "$TMP/$event.db" 2>"$TMP/$event.said"
done
# count EVENT: its samples so far, of that CPU alone.
count() { sqlite3 "file:$TMP/$1.db?mode=ro" 'SELECT coalesce(sum(samples), 0) FROM total' 2>/dev/null; }
above() { [[ $(count "$1") -gt $2 ]]; }
# More page faults wherever the scheduler puts this.
faults() { taskset -c $cpu true; above page-faults "$1"; }
ok 'the CPU is sampled' await above cpu 10
ok 'and its threads by the clock' await above wall 10
ok 'and their page faults' await faults 10
at_exit "echo 1 >$switch"
echo 0 >"$switch" || skip_all 'this kernel does not let this CPU go offline'
sleep 1 # some drains without it
echo 1 >"$switch"
for event in cpu wall page-faults; do
    ok "$event: that it is back is said" await grep -q "CPU $cpu was offline; from now on it is recorded" "$TMP/$event.said"
done
ok 'it is sampled again' await above cpu $(($(count cpu) + 10))
ok 'its threads too' await above wall $(($(count wall) + 10))
ok 'and their page faults' await faults $(($(count page-faults) + 10))
is 'once' "$(cat "$TMP"/*.said | grep -c 'was offline')" 3

cp "$LOADS/nofp/burn" "$TMP/late"
echo 0 >"$switch"
background "$HEARTH" record -e cpu -e tracepoint:sched:sched_process_exec -a -i 0.3 -o "$TMP/all.db" 2>"$TMP/all.said"
recorder=$!
ok 'a recording begins without it' await above all 10
echo 1 >"$switch"
# late runs on that CPU alone, and is found by its process as well.
background taskset -c $cpu "$TMP/late" 1 "$ENDLESS" >/dev/null
late() { # N: whether late has more samples
    [[ $(sqlite3 "file:$TMP/all.db?mode=ro" "SELECT coalesce(sum(t.samples), 0) FROM process_total t JOIN process p ON p.id = t.process
        WHERE p.comm = 'late'" 2>/dev/null) -gt $1 ]]
}
ok 'when it comes online, that is said' await grep -q "CPU $cpu was offline; from now on it is recorded" "$TMP/all.said"
ok 'and it is sampled' await late 20
kill -INT $recorder
wait $recorder
is 'the recording ends well' $? 0
done_testing
