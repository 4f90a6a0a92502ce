#!/bin/bash
# Hundreds of tracepoints at once: the recording begins and ends in a moment, whatever the kernel does to clear them away, and
# nothing counts any more when it has ended.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'tracepoints take root'
"$HEARTH" record -e 'tracepoint:syscalls:sys_enter_*' -d 0.1 -o "$TMP/x.db" 2>"$TMP/said" ||
    skip_all "this kernel has no tracepoints for system calls: $(head -1 "$TMP/said")"
count=$(sed -n 's/.*: \([0-9]*\) tracepoints$/\1/p' "$TMP/said")
[[ $count -gt 100 ]] || skip_all 'this kernel has no tracepoints for system calls'

# ended EVENT: records it, ends that by ^C, and leaves in `took_ms` how long the end took.
ended() {
    local hearth start_ns
    rm -f "$TMP/y.db"
    background "$HEARTH" record -e "$1" --comm burn -i 0.3 -o "$TMP/y.db" 2>"$TMP/said"
    hearth=$!
    await recording "$TMP/y.db"
    "$LOADS/nofp/burn" 1 0.1 >/dev/null
    start_ns=$(date +%s%N)
    kill -INT $hearth
    wait $hearth
    is "$1, ended by ^C" $? 0
    took_ms=$((($(date +%s%N) - start_ns) / 1000000))
}
ended tracepoint:syscalls:sys_enter_read
one_ms=$took_ms
# The end of one waits for a grace period, 20 to 50 ms on an idle machine, beside the rest of an end. Another load may hold up
# any end, but not three of them.
for _ in 1 2 3; do
    ended 'tracepoint:syscalls:sys_enter_*'
    ((took_ms >= 2000 + 8 * one_ms)) || break
done
ok "in a moment ($took_ms ms, of one $one_ms ms): not $count times a grace period" test $took_ms -lt $((2000 + 8 * one_ms))
ok 'with what was seen' test "$(sqlite3 "$TMP/y.db" 'SELECT sum(samples) FROM total')" -gt 0
is 'and no program counts behind its back' "$(sqlite3 "$TMP/y.db" "SELECT count(*) FROM loss WHERE name = 'unaccounted'")" 0
done_testing
