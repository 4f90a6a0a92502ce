#!/bin/bash
# What it costs to keep a busy machine sampled at 99 Hz: hearth, perf record -g and bpftrace's profile one-liner, all three at
# once over the same load, for BENCH_SECONDS (60). Prints a table; judges nothing, but fails where hearth has no samples.
#
#   own CPU     user and system time of the profiler and of its children, from its start to the end of its last write
#   in kernel   time in its BPF programs, by the kernel's own statistics (perf's interrupts are in nobody's statistics)
#   RSS         the most that it and its children held while it recorded, polled four times a second
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
seconds=${BENCH_SECONDS:-60}
out=build/bench
loads=build/tests/workloads
mkdir -p $out
# A peer is measured where it is there; BENCH_ALONE leaves them all out.
has() { [[ ! ${BENCH_ALONE:-} ]] && command -v "$1" >/dev/null; }
rm -f $out/hearth.db $out/perf.data* $out/bpftrace.*
[[ $(id -u) == 0 ]] || { echo 'recording takes root: make bench as root' >&2 && exit 3; }

# --- The load: C programs with and without frame pointers, an interpreter, a database, a compiler, short processes. It
# outlives the profilers and is ended then.
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null' EXIT
load() {
    "$@" >/dev/null 2>&1 &
    pids+=($!)
}
lasting=$((seconds + 120))
load $loads/nofp/leaves $lasting
load $loads/fp/many_stacks $lasting
load $loads/nofp/exceptions $lasting
load $loads/nofp/storm $lasting
load /usr/bin/python3 -c "import json, time
end = time.monotonic() + $lasting
while time.monotonic() < end: [json.loads('{\"a\": [1, 2, 3]}') for _ in range(2000)]"
load sqlite3 :memory: "with recursive c(x) as (select 1 union all select x + 1 from c) select sum(x * x % 7) from c;"
load bash -c "trap exit TERM; while :; do gcc -O2 -g -I. -D_GNU_SOURCE -c -o $out/compiled.o store/base/options.c; done"

# --- The profilers. poll NAME PID writes the peak RSS, in KiB, and the BPF time, in ns, to NAME.peak until PID ends.
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
poll() {
    local peak=0 bpf_ns=0 sum now pid
    while kill -0 "$2" 2>/dev/null; do
        sum=0
        for pid in $2 $(children "$2"); do
            now=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null)
            sum=$((sum + ${now:-0}))
        done
        now=$(cat /proc/"$2"/fdinfo/* 2>/dev/null | awk '/^prog_type/ { is = 1 } /^run_time_ns/ { n += $2 } END { if (is) print n }')
        [[ -z $now ]] || bpf_ns=$now
        [[ $sum -le $peak ]] || peak=$sum
        echo "$peak $bpf_ns" >"$out/$1.peak"
        sleep 0.25
    done
}
# Each profiler runs under a shell of its own, whose `time` counts it alone.
timed() { exec bash -c 'TIMEFORMAT="%U %S"; out=$1; shift; time "$@" 2>"$out.err" >"$out.out"' timed "$@"; }

run() { # NAME COMMAND...
    local name=$1 shell pid
    shift
    timed "$out/$name" "$@" 2>"$out/$name.time" &
    shell=$!
    until pid=$(children $shell) && [[ -n $pid ]]; do
        kill -0 $shell 2>/dev/null || return
        sleep 0.02
    done
    until [[ $name != hearth || -s $out/hearth.db ]] || ! kill -0 $shell 2>/dev/null; do sleep 0.05; done # it samples by then
    poll "$name" ${pid%% *} &
    sleep "$seconds"
    kill -TERM ${pid%% *} 2>/dev/null
    wait $shell
}
peers=()
for peer in perf bpftrace; do
    if has $peer; then peers+=("$peer"); else echo "$peer is not installed, or left out"; fi
done
echo "profiling a busy machine of $(nproc) CPUs for $seconds s with all of hearth ${peers[*]} at once..."
run hearth build/hearth record -a -F 99 -o $out/hearth.db &
runs=($!)
run_perf() { run perf perf record -B -e cpu-clock -F 99 -a -g -o $out/perf.data; }
run_bpftrace() { BPFTRACE_MAP_KEYS_MAX=65536 run bpftrace bpftrace -e 'profile:hz:99 { @[kstack, ustack, comm] = count(); }'; }
for peer in "${peers[@]}"; do
    run_$peer &
    runs+=($!)
done
wait "${runs[@]}"
# perf's own reader of build ids aborts on some files (6.1), so it collects none (-B).
build/hearth report -i $out/hearth.db -f pprof -o $out/hearth.pb.gz 2>/dev/null

# --- The table
own() { awk '/^[0-9.]+ [0-9.]+$/ { printf "%.2f", $1 + $2 }' "$out/$1.time" 2>/dev/null; }
row() { # NAME LABEL SAMPLES BYTES
    local rss bpf
    read -r rss bpf <"$out/$1.peak"
    awk -v label="$2" -v own="$(own "$1")" -v bpf="$bpf" -v rss="$rss" -v samples="$3" -v bytes="$4" -v seconds="$seconds" 'BEGIN {
        kernel = bpf ? sprintf("%.2f", bpf / 1e9) : "-"
        printf "%-26s %9s %9s %8.2f %%  %8.1f %9d %11d %9s\n", label, own, kernel, 100 * (own + bpf / 1e9) / seconds, rss / 1024, samples, bytes,
            samples ? sprintf("%.1f", bytes / samples) : "-"
    }'
}
hearth_samples=$(sqlite3 $out/hearth.db 'select sum(samples) from total')
row_perf() {
    row perf 'perf record -a -g' "$(perf report --stats -i $out/perf.data 2>/dev/null | awk '/SAMPLE events:/ { n = $3 } END { print n + 0 }')" \
        "$(stat -c %s $out/perf.data)"
}
row_bpftrace() {
    row bpftrace 'bpftrace profile:hz:99' "$(awk -F': ' '/\]: [0-9]+$/ { n += $NF } END { print n + 0 }' $out/bpftrace.out)" \
        "$(stat -c %s $out/bpftrace.out)"
}
echo
printf '%-26s %9s %9s %10s  %8s %9s %11s %9s\n' '' 'own CPU s' 'in kernel' 'of a CPU' 'RSS MiB' samples bytes 'a sample'
row hearth 'hearth record -a' "$hearth_samples" "$(stat -c %s $out/hearth.db)"
for peer in "${peers[@]}"; do row_$peer; done
printf '%-26s %9s %9s %10s  %8s %9d %11d %9s\n' 'the same, gzip pprof' - - - - "$hearth_samples" "$(stat -c %s $out/hearth.pb.gz)" \
    "$(awk -v b="$(stat -c %s $out/hearth.pb.gz)" -v n="$hearth_samples" 'BEGIN { printf "%.1f", b / n }')"
echo
echo "hearth's own words: $(tail -1 $out/hearth.err)"
sqlite3 $out/hearth.db "select 'losses: ' || name || ' ' || sum(count) from loss group by name"
cat $out/perf.err $out/bpftrace.err 2>/dev/null | grep -iE 'lost|warn' | sed 's/^/  /' | head -5
[[ $hearth_samples -gt 0 && -s $out/hearth.pb.gz ]]
