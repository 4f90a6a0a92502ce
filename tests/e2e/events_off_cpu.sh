#!/bin/bash
# check: 600 s
# Off-CPU time is the truth's, thread by thread, with the stack that the thread waits with; a wait longer than an interval
# shows in each; waits outside the bounds do not show.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'off-cpu takes root'
waits=$LOADS/nofp/waits
"$HEARTH" record -e off-cpu -t 1 -o "$TMP/x.db" -d 0.1 2>"$TMP/said" >&2
if grep -q 'cannot load' "$TMP/said"; then skip_all "this kernel has no BTF tracepoints: $(cat "$TMP/said")"; fi

sum() { awk '{ n += $NF } END { printf "%.0f\n", n }'; }
of() { grep -E "^$1[-;]" "$TMP/folded"; }
waited_by() { awk -v name="$1" '$2 == "thread" && $3 == name { print $7 }' "$TMP/truth"; }

stolen=$(stolen_ns)
"$HEARTH" record -e off-cpu --threads -i 0.1 -o "$TMP/x.db" -- "$waits" 40 >"$TMP/truth" 2>"$TMP/said"
is 'a recording of waits' $? 0
"$HEARTH" report -i "$TMP/x.db" --threads -f folded -o "$TMP/folded" 2>/dev/null
like 'nothing was lost' "$(cat "$TMP/said")" ' 0 lost, '
stolen=$(($(stolen_ns) - stolen))
while read -r _ _ name _ _ cpu _ life off; do
    # Between what it was off the CPU in its work, and in its whole life. Time of interrupts and of the hypervisor (in ticks)
    # is CPU time to nobody, but a thread is on its CPU then.
    sum=$(of "$name" | sum)
    ok "$name: the sum is its wall time less its CPU time ($sum: $off to $((life - cpu)))" \
        test "$sum" -ge $((off - off / 50 - 12000000 - stolen)) -a "$sum" -le $((life - cpu + life / 1000 + 1000000))
done < <(grep '^truth thread' "$TMP/truth")
like 'the waiter waits in its lock' "$(of waiter | sort -t' ' -k2 | grep -E 'wait_for_lock|lll_lock_wait')" 'start_thread;.*lll_lock_wait.*futex_wait'
waited=$(waited_by waiter)
within 'all that it waited there' "$(of waiter | grep -E 'lll_lock_wait|pthread_mutex_lock' | sum)" "$waited" $((waited / 10))
slept=$(of sleeper | grep -F 'clock_nanosleep' | grep -F '[sleeping]' | sum)
ok "the sleeper sleeps, no less than it asked for ($slept)" test "$slept" -ge $((400000000 * 98 / 100)) -a "$slept" -le "$(waited_by sleeper)"
within 'the spinner is preempted' "$(of spinner | grep -F '[preempted]' | sum)" "$(of spinner | sum)" $(($(of spinner | sum) / 20 + 1000000))
is 'the leaf of the kernel is the scheduler, not the probe' "$(grep -c 'bpf_\|off_cpu_switch' "$TMP/folded")" 0
like 'stacks without frame pointers are whole' "$(of sleeper | grep -F nanosleep)" 'clone3;start_thread;.*;(__clock_nanosleep|clock_nanosleep)'

# --- One wait of three seconds, in intervals of half a second.
"$HEARTH" record -e off-cpu -i 0.5 -o "$TMP/x.db" -- sleep 3 2>/dev/null
rows=$(sqlite3 "$TMP/x.db" 'select count(*) from interval')
ok "several intervals ($rows)" test "$rows" -ge 5
"$HEARTH" report -i "$TMP/x.db" -f folded >"$TMP/whole" 2>/dev/null
waited=$(grep '^sleep;.*nanosleep' "$TMP/whole" | sum)
passed=$(sqlite3 "$TMP/x.db" 'select sum(end_ns - start_ns) from interval')
# nanosleep() sets its timer before the thread leaves the CPU, where programs may run for a while.
ok "the wait is there once ($waited of $passed ns)" test "$waited" -ge 2990000000 -a "$waited" -le "$passed"
is 'as one sample' "$("$HEARTH" sql -i "$TMP/x.db" "select sum(samples) from sample
    where node in (select node from stack_frame where function like '%nanosleep%')
    and node in (select node from stack_frame where function = '[sleeping]')" 2>/dev/null | tail -1)" 1
ok 'with its stack in every interval' awk -v n="$("$HEARTH" report -i "$TMP/x.db" -f folded 2>/dev/null | grep -c 'stack lost')" 'BEGIN { exit n != 0 }'

# The same with stacks that are copied: its copy came long before it is counted.
"$HEARTH" record -e off-cpu --unwind=copy -i 0.3 -o "$TMP/x.db" -- sleep 1.5 2>/dev/null
"$HEARTH" report -i "$TMP/x.db" -f folded >"$TMP/whole" 2>/dev/null
copied=$(sqlite3 "$TMP/x.db" 'select count(*) > 3 from interval')
copied+=" $(grep -c 'stack lost' "$TMP/whole") $(grep -c '^sleep;.*;__libc_start_call_main;.*nanosleep.*\[sleeping\] [0-9]\{10,\}$' "$TMP/whole")"
if [[ $copied == '1 0 1' ]]; then
    pass 'a copied stack is there until its wait is over'
else
    fail 'a copied stack is there until its wait is over' "$copied" "$(cut -c 1-400 "$TMP/whole")"
fi

# --- A program that hangs: its threads wait since before the recording, and beyond its end.
hangs() { # PID: its threads are named, and sleep
    [[ $(grep -hE '^(Name|State):' /proc/"$1"/task/*/status | tr -s '\t\n' ' ') =~ ^Name:\ deadlock\ State:\ S.*Name:\ (first|second)\ State:\ S.*Name:\ (first|second)\ State:\ S ]]
}
background "$LOADS/nofp/deadlock"
hung=$!
await hangs "$hung"
for event in off-cpu wall; do
    "$HEARTH" record -e "$event" -p "$hung" -d 1.2 -i 0.1 -o "$TMP/x.db" 2>"$TMP/said"
    "$HEARTH" report -i "$TMP/x.db" --threads -f folded -o "$TMP/folded" 2>/dev/null
    passed=$(sqlite3 "$TMP/x.db" 'select sum(end_ns - start_ns) from interval')
    # Within the first interval the waits are found; from then on all of their time counts.
    after=$(sqlite3 "$TMP/x.db" 'select sum(end_ns - start_ns) from interval where id > (select min(id) from interval)')
    for thread in 'deadlock main;join_both' 'first start_thread;thread_main;take_first_then_second' 'second start_thread;thread_main;take_second_then_first'; do
        waited=$(of "${thread% *}" | grep -E "^[^;]*;(_start|(__)?clone3|__clone);.*${thread#* };.*futex.*_\[k\];\[sleeping\] " | sum)
        ok "$event: ${thread% *} hangs, with all its stack, all the time ($waited of $passed ns)" \
            test "$waited" -ge $((after - after / 50)) -a "$waited" -le "$passed"
    done
    is "$event: a wait is one sample, in several intervals" \
        "$(sqlite3 "$TMP/x.db" 'select count(*) > 2 from interval') $("$HEARTH" sql -i "$TMP/x.db" 'select sum(samples) from sample' 2>/dev/null | tail -1)" '1 3'
done
is 'what is no wait of known length is in no histogram' \
    "$("$HEARTH" hist off-cpu -p "$hung" -d 0.3 -f json 2>/dev/null | grep -oE '"count": ?[1-9]' | head -1)" ''
kill -KILL "$hung"

# --- Bounds
"$HEARTH" record -e off-cpu --min-block 15ms --max-block 1 -o "$TMP/x.db" -- "$waits" 20 >"$TMP/truth" 2>/dev/null
"$HEARTH" report -i "$TMP/x.db" --threads -f folded -o "$TMP/folded" 2>/dev/null
waited=$(waited_by holder)
held=$(of holder | grep -F nanosleep | sum)
ok "waits of 20 ms are within the bounds ($held of $waited)" test "$held" -ge 400000000 -a "$held" -le $((waited * 102 / 100))
is 'shorter ones are not' "$("$HEARTH" sql -i "$TMP/x.db" 'select count(*) from sample where value < 15000000 * samples' 2>/dev/null | tail -1)" 0

# --- Others on the same hook: the frames of the way into a program are still those that are left out.
background "$HEARTH" record -e off-cpu -d $ENDLESS -o "$TMP/other.db" 2>/dev/null
await recording "$TMP/other.db"
"$HEARTH" record -e off-cpu -o "$TMP/x.db" -- "$waits" 5 >/dev/null 2>&1
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
is 'beside another tool the leaf is the scheduler' \
    "$(grep -oE ';[^;]*_\[k\];\[(sleeping|preempted)\] ' "$TMP/folded" | cut -d';' -f2 | sort -u)" '__schedule_[k]'
done_testing
