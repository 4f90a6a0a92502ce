#!/bin/bash
# What the functions of an interpreter cost in the kernel: the time of a sample's BPF programs over a program that is some
# functions deep in one native call, and over one that is deeper; the difference is that of the functions. Beside it the same
# program with --runtimes none, whose stack is the native one. By the kernel's run-time statistics. Judges nothing, but fails
# where a runtime that is there shows nothing.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/bench/bpf_runs.bash
. tests/bench/bpf_runs.bash
[[ $(id -u) == 0 ]] || { echo 'recording takes root: make bench as root' >&2 && exit 3; }
seconds=${BENCH_UNWIND_SECONDS:-3}
out=$PWD/build/bench/guests
shallow=10 deep=60
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

pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
# FILE DEPTH OPTION...: ns of BPF a sample, of a program so many functions deep, in $ns.
measure() {
    local before after
    "${interpreter[@]}" "$1" "$2" &
    pids=($!)
    build/hearth record -e cpu -F 997 -p $! "${@:3}" -o "$out/x.db" 2>"$out/err" &
    pids+=($!)
    await_runs "${pids[1]}" || { cat "$out/err" >&2 && exit 1; }
    before=$(runs "${pids[1]}")
    sleep "$seconds"
    after=$(runs "${pids[1]}")
    ns=$(awk -v a="$before" -v b="$after" 'BEGIN { split(a, x); split(b, y); if (y[2] > x[2]) printf "%.0f", (y[1] - x[1]) / (y[2] - x[2]) }')
    kill -INT "${pids[1]}" && wait "${pids[1]}"
    kill "${pids[0]}"
    wait "${pids[0]}" 2>/dev/null
    [[ $ns ]] || { echo "$1: no sample" >&2 && exit 1; }
}

row() { # NAME FILE COMMAND...
    local interpreter=("${@:3}") of_shallow of_deep
    command -v "$3" >/dev/null || return 0
    measure "$out/$2" $shallow
    of_shallow=$ns
    measure "$out/$2" $deep
    of_deep=$ns
    # Each function is a frame of the stack: else nothing was measured.
    build/hearth report -i "$out/x.db" -f folded 2>/dev/null | grep -cE "(;down_\[r\]){$((deep - 1))}" >/dev/null ||
        { echo "$1: no stack of $deep functions" >&2 && exit 1; }
    measure "$out/$2" $deep --runtimes none
    printf '%-24s %10d %10d %12d %14.1f\n' "$1" "$of_shallow" "$of_deep" "$ns" \
        "$(awk -v a="$of_shallow" -v b="$of_deep" -v n=$((deep - shallow)) 'BEGIN { print (b - a) / n }')"
}
printf '%-24s %10s %10s %12s %14s\n' 'BPF ns a sample' "$shallow deep" "$deep deep" 'native only' 'a function'
row "$(/usr/bin/python3 --version 2>/dev/null)" deep.py /usr/bin/python3
row "$(php --version 2>/dev/null | head -1 | cut -d' ' -f1,2)" deep.php php -d opcache.enable_cli=0
