#!/bin/bash
# What a user stack costs in the kernel: hearth's walk by unwind tables of a program without frame pointers, beside the
# kernel's own walk of frame pointers (bpf_get_stack) of the same program built with them, at depths of 5, 30 and 110; and
# what the tables of this machine's processes take. By the kernel's run-time statistics of BPF programs. Judges nothing, but fails where there is nothing to
# print.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
[[ $(id -u) == 0 ]] || { echo 'loading BPF programs takes root: make bench as root' >&2 && exit 3; }
seconds=${BENCH_UNWIND_SECONDS:-3}
tool=build/tests/bench/unwind_cost

pid=
trap 'kill "$pid" 2>/dev/null' EXIT
walk() { # VARIANT DEPTH: the table's lines of one run
    "build/tests/workloads/$1/chain" "$2" $((${seconds%.*} + 20)) >/dev/null &
    pid=$!
    sleep 0.3
    $tool $tool.bpf.o "$pid" "$seconds" 997
    kill "$pid" && wait "$pid" 2>/dev/null
}
field() { awk -v name="$1" '$1 == name { print $2 }'; }

printf '%-8s %-26s %-26s %s\n' functions 'frame pointers, ns a stack' 'tables, ns a stack' ratio
for depth in 5 30 110; do
    pointers=$(walk fp $depth | field walk_pointers)
    nofp=$(walk nofp $depth)
    rows=$(field walk_rows <<<"$nofp")
    [[ $pointers -gt 0 && $rows -gt 0 ]] || { echo "depth $depth: no stack was walked" >&2 && exit 1; }
    awk -v d=$depth -v p="$pointers" -v r="$rows" 'BEGIN { printf "%-8s  %-26s %-26s %.2f\n", d, p, r, r / p }'
done
grep '^tables' <<<"$nofp"
