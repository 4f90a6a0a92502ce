#!/bin/bash
# Whole user stacks without frame pointers, beside perf's: each workload is sampled by hearth and by `perf record --call-graph
# dwarf,65528` at the same time, both at BENCH_HZ (199) for BENCH_SECONDS (4), or by hearth alone where there is no perf.
# Prints a table; judges nothing, but fails where hearth has no samples. Workloads may be named: unwind_bench.sh leaves node
#
#   whole     share of the samples whose stack reaches _start, the start of the thread, of the goroutine or of the coroutine
#   depth     mean number of user frames, inlined functions not counted
#   B/sample  of the store, or of perf.data
#   CPU s     of the profiler: with its BPF programs and the naming of frames; of perf: recording + unwinding in perf script
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
[[ $(id -u) == 0 ]] || { echo 'recording takes root: make bench as root' >&2 && exit 3; }
# A peer is measured where it is there; BENCH_ALONE leaves them all out.
has() { [[ ! ${BENCH_ALONE:-} ]] && command -v "$1" >/dev/null; }
hz=${BENCH_HZ:-199} seconds=${BENCH_SECONDS:-4}
lasting=$((3 * seconds + 4))
loads=build/tests/workloads mix=tests/workloads/mix languages=tests/workloads/languages
out=build/bench/unwind
mkdir -p $out
asked=" $* " status=0
pid=
trap 'kill $pid 2>/dev/null; wait 2>/dev/null' EXIT
starts='^(_start|_dl_start|_dl_start_user|_rt0_.*|start_thread|thread_start|clone3?|__clone3?|__GI___clone3?|.*__start_context|runtime[.]goexit.*|runtime[.]mstart.*|ret_from_fork.*)(@@.*)?$'

# A stripped program's _start has no name, but what it calls has.
# Of folded stacks: samples, share whole, mean depth.
read_hearth() {
    awk -v starts="$starts" '{
        n = $NF; sub(/ [0-9]+$/, ""); count = split($0, frame, ";"); depth = 0
        for (i = 2; i <= count; i++) if (frame[i] !~ /_\[k\]$/ && frame[i] !~ /^\[(truncated|unwind: |stack lost)/) depth++
        if (!depth) next # a kernel thread, or the moment of an exec
        all += n; sum += n * depth
        if (frame[2] ~ starts || frame[2] ~ /^\[libc[^;]*\]$/ || frame[3] ~ /^__libc_start_main/) whole += n
    } END { printf "%d %.1f %.1f\n", all, all ? 100 * whole / all : 0, all ? sum / all : 0 }' "$1"
}

# The same of what perf script prints: a frame a line, the leaf first, stacks parted by empty lines.
read_perf() {
    awk -v starts="$starts" 'function flush() { if (depth) { all++; sum += depth; if (last ~ starts || before ~ /^__libc_start_main/) whole++ } depth = 0 }
        NF == 0 { flush(); next }
        $1 !~ /^ffff/ { depth++; before = last; last = $2 }
        END { flush(); printf "%d %.1f %.1f\n", all, all ? 100 * whole / all : 0, all ? sum / all : 0 }'
}

cpu_of() { awk '{ print $1 + $2 }' "$1"; } # of what `time` wrote: user and system seconds
TIMEFORMAT='%U %S'

sample_by_perf() {
    { time perf record -N -q -F "$hz" -e cpu-clock --call-graph dwarf,65528 -p $pid -o $out/perf.data -- sleep "$seconds" 2>/dev/null; } 2>$out/perf.cpu
}

row_perf() {
    local samples whole depth
    { time perf script -i $out/perf.data --no-inline -F ip,sym >$out/perf.txt 2>/dev/null; } 2>$out/script.cpu
    read -r samples whole depth < <(read_perf <$out/perf.txt)
    printf '%-14s perf   %7d %6.1f %% %7.1f %9d %8s\n' '' "$samples" "$whole" "$depth" \
        $(($(stat -c %s $out/perf.data) / (samples ? samples : 1))) "$(cpu_of $out/perf.cpu) + $(cpu_of $out/script.cpu)"
}

measure() { # NAME COMMAND...
    local name=$1
    [[ $asked == '  ' || $asked == *" $name "* ]] || return 0
    shift
    rm -f $out/store.db* $out/folded
    "$@" >/dev/null 2>&1 </dev/null &
    pid=$!
    sleep 0.5
    build/hearth record -p $pid -F "$hz" -d "$seconds" --no-inline -o $out/store.db 2>$out/log &
    local recording=$!
    if has perf; then sample_by_perf; fi
    wait $recording
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    build/hearth report -i $out/store.db --no-inline -f folded -o $out/folded 2>/dev/null
    local samples whole depth
    read -r samples whole depth < <(read_hearth $out/folded 2>/dev/null)
    printf '%-14s hearth %7d %6.1f %% %7.1f %9d %8.2f\n' "$name" "$samples" "$whole" "$depth" \
        $(($(stat -c %s $out/store.db) / (samples ? samples : 1))) "$(grep -oE 'took [0-9.]+ s' $out/log | grep -oE '[0-9.]+')"
    [[ $samples -gt 0 ]] || { status=1 && tail -1 $out/log >&2; }
    if has perf; then row_perf; fi
}

has perf || echo 'perf is not installed, or left out'
printf '%-14s %-6s %7s %8s %7s %9s %8s\n' workload '' samples whole depth B/sample 'CPU s'
measure leaves $loads/nofp/leaves $lasting
measure 'recursion 100' $loads/nofp/recursion 100 $lasting
measure qsort $loads/nofp/qsort_callback $lasting
measure signals $loads/nofp/signals $lasting
measure altstack $loads/nofp/signals $lasting altstack
measure exceptions $loads/nofp/exceptions $lasting
measure coroutines $loads/nofp/coroutines $lasting
measure threads $loads/nofp/burn 4 $lasting
measure sqlite3 sqlite3 :memory: 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(length(printf("%d", x * x))) FROM c'
measure python3 /usr/bin/python3 $mix/mix.py $lasting
command -v node >/dev/null && measure node node $mix/mix.js $lasting
measure xz xz -9 -c build/hearth build/hearth build/hearth build/hearth build/hearth build/hearth build/hearth build/hearth
command -v go >/dev/null && GOCACHE=$PWD/$out/go-cache go build -o $out/go $languages/descend.go && measure Go $out/go $lasting
command -v rustc >/dev/null && rustc -O -o $out/rust $languages/descend.rs && measure Rust $out/rust $lasting
exit $status
