#!/bin/bash
# check: 600 s
# `hearth record --wall`: for each thread, the widths add up to the time that passed, on the CPU and off it, also of a
# thread that waited before the recording began and after it ended.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'wall time takes root'
sum() { awk '{ n += $NF } END { printf "%.0f\n", n }' "$@"; }
of() { grep -E "^$1[-;]" "$TMP/folded"; }

stolen=$(stolen_ns)
"$HEARTH" record --wall -i 0.3 -o "$TMP/x.db" -- "$LOADS/nofp/waits" 60 >"$TMP/truth" 2>"$TMP/said"
is 'a recording of wall time' $? 0
like 'nothing was lost' "$(cat "$TMP/said")" ' 0 lost, '
said=$(sed -nE 's/^hearth: on the CPU ([0-9.]+) ms by ([0-9]+) samples, .* \+-([0-9.]+) ms \(95 %\); ([0-9.]+) ms not sampled.*/\1 \2 \3 \4/p' "$TMP/said")
ok "the sampling error is said ($said)" awk -v said="$said" 'BEGIN { split(said, s); e = s[1] / sqrt(s[2]); exit !(s[2] > 0 && s[3] > 0.9 * e && s[3] < 1.1 * e) }'
"$HEARTH" report -i "$TMP/x.db" --threads -f folded -o "$TMP/folded" 2>/dev/null
within 'what is on the CPU is what was sampled and what was not' "$(grep -vE '\[(sleeping|preempted|uninterruptible|stopped)\]' "$TMP/folded" | sum)" \
    "$(awk -v said="$said" 'BEGIN { split(said, s); printf "%.0f", (s[1] + s[4]) * 1e6 }')" 100000
stolen=$(($(stolen_ns) - stolen))
while read -r _ _ name _ wall cpu _ life off; do
    # Where the kernel does not tell of a switch, the time since the last sample may be missing: some milliseconds.
    sum=$(of "$name" | sum)
    ok "$name: all its time is there ($sum: $wall to $life)" test "$sum" -ge $((wall - wall / 100)) -a "$sum" -le $((life + life / 1000))
    # On the CPU is what neither waits nor runs in the kernel's scheduler. A thread is on its CPU also where time of interrupts
    # and of the hypervisor (in ticks) passes.
    on_cpu=$(of "$name" | grep -vE '\[(sleeping|preempted|uninterruptible|stopped)\]' | sum)
    ok "$name: and so much of it on the CPU ($on_cpu: $((wall - off)) to $cpu, $stolen stolen)" \
        test "$on_cpu" -ge $((wall - off - wall / 50 - 2000000)) -a "$on_cpu" -le $((cpu + wall / 50 + 12000000 + stolen))
done < <(grep '^truth thread' "$TMP/truth")
is 'from its fork to its first turn a thread is ready' "$(grep -cE '^waits-([0-9]+)/[0-9]+;\[preempted\] [0-9]+$' "$TMP/folded")" 4
like 'on the CPU it spins' "$(of spinner | grep -v '\[')" 'thread_main;spin [0-9]+$'
# The roots, with "-ids" for "-PID/TID"; before exec the command may be seen as hearth.
roots() { cut -d';' -f1 "$1" | sed 's|-[0-9]*/[0-9]*$|-ids|' | grep -v '^hearth' | sort -u; }
"$HEARTH" record --wall -i 0.3 -o "$TMP/direct.folded" -- "$LOADS/nofp/waits" 60 >/dev/null 2>&1
is 'a report written directly has a root for each thread, as one of a store' \
    "$(roots "$TMP/direct.folded")" "$(roots "$TMP/folded")"
is 'CPU samples have all their kernel frames' "$(grep -c 'bpf_prog' "$TMP/folded")" 0

background sleep $ENDLESS
"$HEARTH" record --wall -p $! -d 1.5 -i 0.4 -o "$TMP/x.db" 2>/dev/null
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
like 'a thread that waits all the time' "$(cat "$TMP/folded")" '^sleep;(_start|\[sleep[+]0x[0-9a-f]+\]);__libc_start_main.*nanosleep.*;\[sleeping\] [0-9]+$'
passed=$(sqlite3 "$TMP/x.db" 'select sum(end_ns - start_ns) from interval')
within 'is there with all of it' "$(sum "$TMP/folded")" "$passed" $((passed / 5))
done_testing
