#!/bin/bash
# A BPF program that is due while another one runs on its CPU is left out by the kernel: a timer's interrupt in the middle
# of a system call's program. The kernel counts what it leaves out; hearth tells it as the loss `recursion-misses`.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
background dd if=/dev/zero of=/dev/null bs=1 2>/dev/null
background "$HEARTH" record -e tracepoint:timer:hrtimer_expire_entry -e tracepoint:raw_syscalls:sys_enter --max-cpu 100 \
    -i 0.5 -o "$TMP/x.db" 2>"$TMP/said"
recorder=$!
lost() { sqlite3 "file:$TMP/x.db?mode=ro" "select coalesce(sum(count), 0) from loss where name = 'recursion-misses'"; }
has_lost() { [[ $(lost) -ge 1 ]]; }
ok 'hits that the kernel leaves out are a loss' await has_lost
kill -INT $recorder
wait $recorder
like 'which a report says' "$("$HEARTH" report -i "$TMP/x.db" -e tracepoint:timer:hrtimer_expire_entry -f folded 2>&1 >/dev/null)" \
    'recursion-misses [0-9]+'

# A probe that nothing interrupts has none.
"$HEARTH" record -e "uprobe:$LOADS/nofp/hits:*" -o "$TMP/y.db" -- "$LOADS/nofp/hits" 1 >/dev/null 2>&1
is 'there is none without another program' "$(sqlite3 "$TMP/y.db" "select count(*) from loss where name = 'recursion-misses'")" 0
done_testing
