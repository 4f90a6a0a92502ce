#!/bin/bash
# What a probe costs, beside its peers, in one run each: nanoseconds that each call of a function becomes longer by while
# its latencies are counted (hearth hist, bpftrace, bcc's funclatency), and each hand-over of a switch-heavy load while
# its off-CPU stacks are (hearth record -e off-cpu, bcc's offcputime). Judges nothing.
set -muo pipefail # -m: else what runs in the background would ignore ^C
cd "$(dirname "$0")/../.." || exit 1
[[ $(id -u) == 0 ]] || { echo 'loading BPF programs takes root: sudo make bench' >&2 && exit 3; }
hearth=${HEARTH:-build/hearth}
calls=${BENCH_CALLS:-200000} hand_overs=${BENCH_HAND_OVERS:-50000} rounds=${BENCH_ROUNDS:-3}
loads=$PWD/build/tests/workloads/nofp
TMP=$(mktemp -d)
tool=
trap '[[ -z $tool ]] || kill "$tool" 2>/dev/null; rm -rf "$TMP"' EXIT

# As the loader finds it: peers read tracefs at its usual place, which is mounted for them alone.
aside() { exec unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; exec "$@"' sh "$@"; }

# per_unit PROGRAM COUNT: the least of some rounds, in ns of wall time a unit.
per_unit() {
    for _ in $(seq "$rounds"); do "$loads/$1" "$2" ${3:+"$3"} | awk '$2 == "wall_ns" { print $3 }'; done |
        sort -n | head -1 | awk -v n="$2" '{ printf "%.0f", $1 / n }'
}

# beside NAME PROGRAM COUNT PLAIN TOOL...: what the tool adds, once it is ready.
beside() {
    local name=$1 program=$2 count=$3 plain=$4 got
    shift 4
    command -v "$1" >/dev/null || { printf '%-34s not installed\n' "$name"; return; }
    (aside "$@") >"$TMP/out" 2>&1 </dev/null &
    tool=$!
    sleep "${BENCH_READY_SECONDS:-6}"
    if ! kill -0 $tool 2>/dev/null; then
        printf '%-34s does not work here: %s\n' "$name" "$(tail -1 "$TMP/out" | cut -c1-80)"
        tool=
        return
    fi
    got=$(per_unit "$program" "$count" ${threads:+"$threads"})
    kill -INT $tool
    wait $tool 2>/dev/null
    tool=
    printf '%-34s %6d ns more   %s\n' "$name" $((got - plain)) "$(counted)"
}
# What the tool says it has counted.
counted() {
    grep -oE '^count [0-9]+' "$TMP/out" || awk '
        /^\[.*\) +[0-9]+ \|/ { n += $1 ~ /,$/ ? $3 : $2 } /^ +[0-9]+ -> [0-9]+ +: [0-9]+/ { n += $5 } END { if (n) print "count", n }' "$TMP/out"
}

echo "the latencies of a function, $calls calls, the best of $rounds rounds"
threads=1
plain=$(per_unit hits "$calls" 1)
printf '%-34s %6d ns\n' 'a call without a probe' "$plain"
beside 'hearth hist uprobe:' hits "$calls" "$plain" "$hearth" hist "uprobe:$loads/hits:hit"
beside 'bpftrace uprobe, uretprobe' hits "$calls" "$plain" bpftrace -e \
    "uprobe:$loads/hits:hit { @start[tid] = nsecs; } uretprobe:$loads/hits:hit /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"
beside 'bcc funclatency' hits "$calls" "$plain" funclatency-bpfcc "$loads/hits:hit"

echo
echo "off-CPU time with stacks, $hand_overs hand-overs of 2 threads, the best of $rounds rounds"
threads=
plain=$(per_unit switches "$hand_overs")
printf '%-34s %6d ns\n' 'a hand-over, unobserved' "$plain"
beside 'hearth record -e off-cpu' switches "$hand_overs" "$plain" "$hearth" record -e off-cpu -o "$TMP/x.db"
beside 'bcc offcputime' switches "$hand_overs" "$plain" offcputime-bpfcc -f
