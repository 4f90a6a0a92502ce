#!/bin/bash
# The cost of an interpreter's functions in the kernel: the time of a sample's BPF programs over a program that is some
# functions deep in one native call, and over one that is deeper; the difference is that of the functions. Beside it the same
# program with --runtimes none, whose stack is the native one. Then two recordings at once, with and without functions, of
# processes so short that each function is met for the first time. By the kernel's run-time statistics. Judges nothing, but
# fails where a runtime that is there shows nothing.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/bench/bpf_runs.bash
. tests/bench/bpf_runs.bash
[[ $(id -u) == 0 ]] || { echo 'recording takes root: make bench as root' >&2 && exit 3; }
seconds=${BENCH_UNWIND_SECONDS:-3}
out=$PWD/build/bench/guests
shallow=10 deep=310
mkdir -p "$out"

cat >"$out/deep.py" <<'P'
import sys
def down(depth):
    if depth: return down(depth - 1)
    while True: pass
down(int(sys.argv[1]) - 2)
P
cat >"$out/deep.php" <<'P'
<?php
function down($depth) { if ($depth) return down($depth - 1); while (true); }
down((int)$argv[1] - 2);
P

programs=() pids=()
trap 'kill "${programs[@]}" "${pids[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
record() { # NAME OPTION...: begins a recording into NAME.db, its pid the last of pids
    build/hearth record -e cpu "${@:2}" -o "$out/$1.db" 2>"$out/$1.err" &
    pids+=($!)
}

# PID...: ns of BPF a sample of each of these recordings, in ns.
sample_cost() {
    local before=() after=() i
    for i; do await_runs "$i" || { cat "$out"/*.err >&2 && exit 1; }; done
    for i; do before+=("$(runs "$i")"); done
    sleep "$seconds"
    for i; do after+=("$(runs "$i")"); done
    ns=()
    for i in "${!before[@]}"; do
        ns+=("$(awk -v a="${before[i]}" -v b="${after[i]}" 'BEGIN {
            split(a, x); split(b, y); if (y[2] > x[2]) printf "%.0f", (y[1] - x[1]) / (y[2] - x[2]) }')")
        [[ ${ns[i]} ]] || { echo 'no sample' >&2 && exit 1; }
    done
}

stop() {
    kill "${programs[@]}"
    kill -INT "${pids[@]}"
    wait "${programs[@]}" "${pids[@]}" 2>/dev/null
    programs=() pids=()
}

row() { # NAME FILE COMMAND...
    local depth
    command -v "$3" >/dev/null || return 0
    for depth in $shallow $deep; do
        "${@:3}" "$out/$2" "$depth" &
        programs+=($!)
    done
    record shallow -F 997 -p "${programs[0]}"
    record deep -F 997 -p "${programs[1]}"
    record native -F 997 -p "${programs[1]}" --runtimes none
    sample_cost "${pids[@]}"
    stop
    # Each function is a frame of the stack: else nothing was measured.
    build/hearth report -i "$out/deep.db" -f folded 2>/dev/null | grep -cE "(;down_\[r\]){$((deep - 1))}" >/dev/null ||
        { echo "$1: no stack of $deep functions" >&2 && exit 1; }
    printf '%-24s %10d %10d %12d %14.1f\n' "$1" "${ns[@]}" \
        "$(awk -v a="${ns[0]}" -v b="${ns[1]}" -v n=$((deep - shallow)) 'BEGIN { print (b - a) / n }')"
}
printf '%-24s %10s %10s %12s %14s\n' 'BPF ns a sample' "$shallow deep" "$deep deep" 'native only' 'a function'
row "$(/usr/bin/python3 --version 2>/dev/null)" deep.py /usr/bin/python3
row "$(php --version 2>/dev/null | head -1 | cut -d' ' -f1,2)" deep.php php -d opcache.enable_cli=0

bash -c 'while :; do "$@"; done' short /usr/bin/python3 -S -c 'import json' &
programs=($!)
record with -a -F 499
record without -a -F 499 --runtimes none
sample_cost "${pids[@]}"
stop
echo "short Python processes, machine-wide: ${ns[0]} with functions, ${ns[1]} without"
