#!/bin/bash
# check: 600 s
# Probes of files and processes that do not stay as they are: a program that is deleted or replaced while it is probed, a
# process that ends at once; tracepoints where nobody has mounted tracefs.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
sum() { sqlite3 "$TMP/x.db" 'select coalesce(sum(samples), 0) from total'; }
calls=$LOADS/nofp/calls

# --- The file that was looked at is probed, whatever its name means meanwhile.
cp "$calls" "$TMP/app"
background "$TMP/app" 1 20 0 0 "$TMP/go" >/dev/null
"$HEARTH" record -e "uprobe:$TMP/app:timed_call" -p $! -o "$TMP/x.db" 2>"$TMP/said" &
hearth=$!
await recording "$TMP/x.db"
rm "$TMP/app"
touch "$TMP/go"
wait $hearth
is 'a program that is deleted while it is probed' "$? $(sum)" '0 20'

cp "$calls" "$TMP/app"
"$HEARTH" record -e "uprobe:$TMP/app:timed_call" -o "$TMP/x.db" -- sh -c "
    '$TMP/app' 1 5 0; cp '$calls' '$TMP/other'; mv '$TMP/other' '$TMP/app'; '$TMP/app' 1 7 0" >/dev/null 2>"$TMP/said"
is 'one that is replaced: the calls of what was probed' "$? $(sum)" '0 5'

cp "$calls" "$TMP/app"
rm "$TMP/go" "$TMP/x.db"
background "$TMP/app" 1 20 0 0 "$TMP/go" >/dev/null
pid=$!
rm "$TMP/app"
"$HEARTH" record -e "uprobe:/proc/$pid/exe:timed_call" -p $pid -o "$TMP/x.db" 2>"$TMP/said" &
hearth=$!
await recording "$TMP/x.db"
touch "$TMP/go"
wait $hearth
is 'one that was deleted before, by its process' "$? $(sum)" '0 20'

# --- A process that is gone
sleep 0 &
gone=$!
wait $gone
"$HEARTH" record -e "uprobe:$calls:timed_call" -p $gone -o "$TMP/y.db" 2>"$TMP/said"
is 'a process that is gone: exit code' $? 1
is 'and why' "$(cat "$TMP/said")" "hearth: no process with PID $gone"
for _ in 1 2 3; do
    sleep 0.05 &
    "$HEARTH" record -e "uprobe:libc:malloc" -p $! -o "$TMP/y.db" 2>"$TMP/said"
    status=$?
    [[ $status == 0 || $status == 1 ]] || break
done
ok "one that ends at once ($status, $(head -1 "$TMP/said"))" test "$status" -le 1

# --- Tracepoints without tracefs
"${apart[@]}" bash -c "
    umount -l /sys/kernel/tracing /sys/kernel/debug/tracing /sys/kernel/debug 2>/dev/null
    [[ ! -e /sys/kernel/tracing/events && ! -e /sys/kernel/debug/tracing/events ]] || exit 9
    '$HEARTH' list events 'tracepoint:sched:sched_switch' &&
    exec '$HEARTH' record -e 'tracepoint:sched:sched_process_e*' -o '$TMP/x.db' -- true" >"$TMP/out" 2>"$TMP/said"
status=$?
if [[ $status == 9 ]]; then
    skip 'tracepoints without tracefs' 'this kernel has tracefs mounted where it cannot be hidden'
else
    like 'tracepoints without tracefs are listed' "$(cat "$TMP/out")" 'tracepoint:sched:sched_switch +tracepoint +yes'
    is 'and recorded: one exec, one exit' "$status $(sum)" '0 2'
    like 'their number is said' "$(cat "$TMP/said")" '[0-9] tracepoints'
fi
done_testing
