#!/bin/bash
# What a probe costs, beside its peers: nanoseconds of CPU time that each call of a function takes longer while its latencies
# are counted (hearth hist, bpftrace, libbpf-tools' funclatency), each pair of USDT probes, and each hand-over between two
# threads on one CPU while their off-CPU stacks are kept (hearth record -e off-cpu, offcputime), of a program without frame
# pointers and of one with them, whose stacks both tools walk to the end. The tools take turns, so
# that all of them meet the same moods of the machine, and the best turn of each counts; what each has counted stands beside
# the truth. Judges nothing. BENCH_ROUNDS, BENCH_CALLS, BENCH_HAND_OVERS: more of it.
set -muo pipefail # -m: else what runs in the background would ignore ^C
cd "$(dirname "$0")/../.." || exit 1
[[ $(id -u) == 0 ]] || { echo 'loading BPF programs takes root: sudo make bench' >&2 && exit 3; }
hearth=${HEARTH:-build/hearth}
calls=${BENCH_CALLS:-200000} hand_overs=${BENCH_HAND_OVERS:-30000} rounds=${BENCH_ROUNDS:-3}
loads=$PWD/build/tests/workloads/nofp
cpu=$(($(nproc) - 1)) turns=3
TMP=$(mktemp -d)
tool=
trap '[[ -z $tool ]] || kill "$tool" 2>/dev/null; rm -rf "$TMP"' EXIT
export PATH=$PATH:/usr/sbin

# As the loader finds it: peers read tracefs at its usual place, which is mounted for them alone.
aside() { exec unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; exec "$@"' sh "$@"; }

declare -A best said ready
# run NAME: some turns of the load; their truths are left in $TMP/truth.
run() {
    local name=$1 ns
    : >"$TMP/truth"
    for _ in $(seq $turns); do
        ns=$(taskset -c $cpu "${load[@]}" | tee -a "$TMP/truth" | awk -v n="$units" '$2 == "cpu_ns" { printf "%.0f", $3 / n }')
        [[ -n ${best[$name]:-} && ${best[$name]} -le $ns ]] || best[$name]=$ns
    done
}

# beside NAME COUNTED TOOL...: the same while the tool runs. COUNTED says what it has counted, from $TMP/out.
beside() {
    local name=$1 counted=$2
    shift 2
    command -v "$1" >/dev/null || { said[$name]='not installed'; return; }
    (aside "$@") >"$TMP/out" 2>&1 </dev/null &
    tool=$!
    sleep "${BENCH_READY_SECONDS:-4}"
    if ! kill -0 $tool 2>/dev/null; then
        said[$name]="does not work here: $(tail -n 1 "$TMP/out" | cut -c1-80)"
        tool=
        return
    fi
    run "$name"
    kill -INT $tool
    wait $tool 2>/dev/null
    tool=
    ready[$name]=1
    said[$name]=$($counted)
}

# show WHAT NAME...: the first name is hearth.
show() {
    local what=$1 own name
    shift
    own=$((best[$1] - best[plain]))
    printf '%-36s %6d ns\n' "$what, unobserved" "${best[plain]}"
    for name; do
        if [[ -z ${ready[$name]:-} ]]; then
            printf '%-36s %s\n' "$name" "${said[$name]}"
        else
            printf '%-36s %6d ns more   hearth takes %4s of it   %s\n' "$name" $((best[$name] - best[plain])) \
                "$(awk -v own=$own -v peer=$((best[$name] - best[plain])) 'BEGIN { printf "%.2f", peer ? own / peer : 0 }')" "${said[$name]}"
        fi
    done
}

true_calls() { awk '$2 == "calls" { n += $3 } END { print n }' "$TMP/truth"; }
hearth_count() { echo "counted $(grep -oE '^hearth: [0-9]+' "$TMP/out" | grep -oE '[0-9]+') of $(true_calls)"; }
peer_count() {
    awk -v truth="$(true_calls)" '/^\[.*\) +[0-9]+ \|/ { n += $1 ~ /,$/ ? $3 : $2 } /^ +[0-9]+ -> [0-9]+ +: [0-9]+/ { n += $5 }
        END { print "counted", n, "of", truth }' "$TMP/out"
}

echo "the latencies of a function, $calls calls, the best of $((rounds * turns)) turns"
load=("$loads/hits" "$calls" 1) units=$calls
for _ in $(seq "$rounds"); do
    run plain
    beside 'hearth hist uprobe:' hearth_count "$hearth" hist "uprobe:$loads/hits:hit"
    beside 'libbpf-tools funclatency' peer_count funclatency "$loads/hits:hit"
    beside 'bpftrace uprobe, uretprobe' peer_count bpftrace -e \
        "uprobe:$loads/hits:hit { @start[tid] = nsecs; } uretprobe:$loads/hits:hit /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"
done
show 'a call' 'hearth hist uprobe:' 'libbpf-tools funclatency' 'bpftrace uprobe, uretprobe'

# Both tools are asked for whole stacks; offcputime follows frame pointers, of which the one program has none.
true_off_ms() { awk '$2 == "wall_ns" { n += 2 * $3 } $2 == "cpu_ns" { n -= $3 } END { printf "%.0f", n / 1e6 }' "$TMP/truth"; }
depth() { awk '{ sub(/ [0-9]+$/, ""); d = split($0, frames, ";") - 1; n++; sum += d } END { printf "%.0f", n ? sum / n : 0 }'; }
hearth_off() {
    "$hearth" report -i "$TMP/x.db" -f folded --comm switches >"$TMP/folded" 2>/dev/null
    echo "$(awk '{ n += $NF } END { printf "%.0f", n / 1e6 }' "$TMP/folded") ms off of $(true_off_ms), $(depth <"$TMP/folded") frames"
}
offcputime_off() {
    awk -v truth="$(true_off_ms)" '/^    -  +switches \(/ { getline; us += $1; stacks++; sum += frames; frames = -1 }
        /^    [^ -]/ { frames++ } /^$/ { frames = 0 } END { printf "%.0f ms off of %s, %.0f frames\n", us / 1000, truth, stacks ? sum / stacks : 0 }' "$TMP/out"
}

# off_cpu FOLDER WHAT: of the program as it is built there.
off_cpu() {
    echo
    echo "off-CPU time with stacks, $hand_overs hand-overs of 2 threads on one CPU, $2, the best of $((rounds * turns)) turns"
    best=() said=() ready=()
    load=("$PWD/build/tests/workloads/$1/switches" "$hand_overs") units=$hand_overs
    for _ in $(seq "$rounds"); do
        run plain
        rm -f "$TMP"/x.db*
        beside 'hearth record -e off-cpu' hearth_off "$hearth" record -e off-cpu -o "$TMP/x.db"
        beside 'libbpf-tools offcputime' offcputime_off offcputime --stack-storage-size 16384
    done
    show 'a hand-over' 'hearth record -e off-cpu' 'libbpf-tools offcputime'
}
off_cpu nofp 'without frame pointers'
off_cpu fp 'with frame pointers'
