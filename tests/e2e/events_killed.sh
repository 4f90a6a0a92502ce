#!/bin/bash
# check: 600 s
# When hearth is killed, nothing of it stays behind: no breakpoint in a program's code, no semaphore of a USDT probe
# raised, no BPF program or map loaded.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
program=$LOADS/nofp/calls_semaphore

# What the process has in its memory now: the first bytes of timed_call(), the semaphore, the places of the two probes.
memory() {
    python3 - "$1" "$program" <<'P'
import re, subprocess, sys
pid, program = sys.argv[1:]
symbols = {l.split()[-1]: int(l.split()[0], 16) for l in subprocess.run(["nm", program], capture_output=True, text=True).stdout.splitlines() if len(l.split()) == 3}
notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True).stdout
base = min(int(l.split("-")[0], 16) for l in open(f"/proc/{pid}/maps") if program.split("/")[-1] in l)
places = [int(x, 16) for x in re.findall(r"Location: (0x[0-9a-f]+)", notes)]
with open(f"/proc/{pid}/mem", "rb", 0) as mem:
    def read(at, count):
        mem.seek(base + at)
        return mem.read(count).hex()
    print(read(symbols["timed_call"], 8), read(symbols["hearth_test_begin_semaphore"], 2), *(read(p, 1) for p in places))
P
}

background "$program" 1 1000 200 0 "$TMP/never" >/dev/null
victim=$!
before=$(memory $victim)
is 'before: no breakpoint, semaphore 0' "$(cut -d' ' -f2 <<<"$before") $(grep -c '^cc' <<<"$before")" '0000 0'
"$HEARTH" hist "uprobe:$program:timed_call" "usdt:$program:hearth_test:begin,end" off-cpu -p $victim >/dev/null 2>&1 &
hearth=$!
probed() { during=$(memory $victim) && [[ $during =~ ^cc.*\ 0100\  ]]; }
await probed
like 'while it runs: a breakpoint, and a raised semaphore' "$during" '^cc.* 0100 '
mapfile -t programs < <(grep -hoP '^prog_id:\s*\K[0-9]+' /proc/$hearth/fdinfo/* | sort -u)
ok 'it has programs' test ${#programs[@]} -gt 5
is 'which are loaded' "$(loaded "${programs[@]}")" ${#programs[@]}
kill -KILL $hearth
wait $hearth 2>/dev/null
freed() { after=$(memory $victim) && [[ $after == "$before" && $(loaded "${programs[@]}") == 0 ]]; }
await freed
is 'afterwards the code and the semaphore are as they were' "$after" "$before"
is 'and no program is left' "$(loaded "${programs[@]}")" 0
ok 'the program lives' kill -0 $victim
done_testing
