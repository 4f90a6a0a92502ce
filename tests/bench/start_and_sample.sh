#!/bin/bash
# Two costs that a long recording hides, of hearth and of its peers, on one load and in one run. Prints; judges nothing, but
# fails where hearth has no samples.
#
#   a start     user and system time of the profiler and its children in the first BENCH_SECONDS (10) of a recording of the whole
#               machine: with empty caches, and with those that the run before left. BENCH_ROUNDS (3) times, the peers between.
#   a sample    time in the BPF programs of perf events for each of their runs, by the kernel's statistics (kernel.bpf_stats_enabled),
#               all profilers at once over a mix of short processes: the first sample of each meets a process nobody has seen.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/bench/bpf_runs.bash
. tests/bench/bpf_runs.bash
seconds=${BENCH_SECONDS:-10}
rounds=${BENCH_ROUNDS:-3}
out=$PWD/build/bench/start
mkdir -p "$out"
has() { [[ ! ${BENCH_ALONE:-} ]] && command -v "$1" >/dev/null; }
[[ $(id -u) == 0 ]] || { echo 'recording takes root: make bench as root' >&2 && exit 3; }
export CACHE_DIRECTORY=$out/cache BPFTRACE_MAP_KEYS_MAX=65536
stacks='profile:hz:99 { @[kstack, ustack, comm] = count(); }'

# --- The load: sleepers with many libraries, as a host has them, two programs that run, and short ones.
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
load() {
    "$@" >/dev/null 2>&1 &
    pids+=($!)
}
lasting=$((seconds * (rounds * 4 + 4) + 300))
for libraries in 'json, ssl' 'sqlite3, ctypes' 'lzma, bz2, decimal' 'curses, readline, hashlib'; do
    load /usr/bin/python3 -c "import time, $libraries
time.sleep($lasting)"
    load perl -e "use POSIX; use Socket; sleep $lasting"
done
load build/tests/workloads/nofp/leaves $lasting
load /usr/bin/python3 -c "import json, time
end = time.monotonic() + $lasting
while time.monotonic() < end: [json.loads('{\"a\": [1, 2, 3]}') for _ in range(2000)]"
load bash -c 'trap exit TERM; while :; do ls -l /usr/lib | sort -k5n; /usr/bin/python3 -S -c "import json"; sqlite3 :memory: "select 1"; done'
load bash -c "trap exit TERM; while :; do gcc -O2 -g -I. -D_GNU_SOURCE -c -o $out/compiled.o store/base/options.c; done"

# --- A start
cpu() { # NAME COMMAND...: adds its seconds to $out/NAME.cpu
    local TIMEFORMAT='%U %S' name=$1
    shift
    { time "$@" >"$out/$name.out" 2>"$out/$name.err"; } 2>&1 | awk '{ print $1 + $2 }' >>"$out/$name.cpu"
}
rm -f "$out"/*.cpu "$out"/*.db
echo "starting over ${#pids[@]} programs, $rounds times $seconds s..."
for ((round = 0; round < rounds; round++)); do
    rm -rf "$CACHE_DIRECTORY"
    mkdir -m 700 "$CACHE_DIRECTORY"
    cpu cold build/hearth record -a -d "$seconds" -o "$out/cold.db"
    cpu warm build/hearth record -a -d "$seconds" -o "$out/warm.db"
    # perf's own reader of build ids aborts on some files (6.1), so it collects none (-B).
    if has perf; then cpu perf perf record -B -e cpu-clock -F 99 -a -g -o "$out/perf.data" sleep "$seconds"; fi
    if has bpftrace; then cpu bpftrace timeout "$seconds" bpftrace -e "$stacks"; fi
done
row() { # NAME LABEL
    [[ ! -s $out/$1.cpu ]] ||
        sort -n "$out/$1.cpu" | awk -v label="$2" '{ v[NR] = $1 } END { printf "%-34s %8.2f %8.2f\n", label, v[1], v[int((NR + 1) / 2)] }'
}
echo
printf '%-34s %8s %8s\n' "CPU s of $seconds s" least middle
row cold 'hearth record -a, empty caches'
row warm 'hearth record -a, warm caches'
row perf 'perf record -a -g'
row bpftrace 'bpftrace profile:hz:99'
echo "hearth's own words: $(tail -1 "$out/warm.err")"

# --- A sample
forks() { awk '/^processes/ { print $2 }' /proc/stat; }
names=(hearth)
build/hearth record -a -d $lasting -o "$out/mix.db" 2>"$out/mix.err" &
profilers=($!)
if has bpftrace; then
    names+=(bpftrace)
    bpftrace -e "$stacks" >/dev/null 2>&1 &
    profilers+=($!)
fi
pids+=("${profilers[@]}")
for pid in "${profilers[@]}"; do await_runs "$pid"; done
before=() forked=$(forks) began=$EPOCHREALTIME
for pid in "${profilers[@]}"; do before+=("$(runs "$pid")"); done
sleep "$seconds"
after=()
for pid in "${profilers[@]}"; do after+=("$(runs "$pid")"); done
echo
awk -v a="$forked" -v b="$(forks)" -v t0="$began" -v t1="$EPOCHREALTIME" \
    'BEGIN { printf "BPF ns a sample, %.0f new processes a second\n", (b - a) / (t1 - t0) }'
for i in "${!names[@]}"; do
    echo "${names[i]} ${before[i]} ${after[i]}" |
        awk '{ printf "%-34s %8.0f of %d samples\n", $1, ($5 > $3 ? ($4 - $2) / ($5 - $3) : 0), $5 - $3 }'
done
kill "${profilers[@]}"
wait "${profilers[@]}"
samples() { sqlite3 "$out/$1.db" 'select sum(samples) from total'; }
[[ $(samples mix) -gt 0 && $(samples warm) -gt 0 && $(samples cold) -gt 0 ]]
