#!/bin/bash
# The cost of being observed, beside hearth's peers: nanoseconds more that each call of a function takes while its latencies
# are counted (hearth hist, bpftrace, libbpf-tools' funclatency), of one that begins with endbr64 too, each pair of USDT
# probes, each system call, and each hand-over between two threads on one CPU while waits for the CPU are counted, or the
# stacks of all off-CPU time are kept (of a program with frame pointers, and of one without, whose stacks offcputime does not
# see).
#
# Four processes that are alike take turns, 100 us and more each (tests/workloads/paces.c), and the time of a process is that
# of its middle batch, so that what else runs matters little. Where tools can be put on something of their own, as a function,
# they are attached at once, each to what one of the processes does, who has which changing from round to round; one process
# is observed by nobody. So other load of the machine slows all of them alike, and the script prints the median of the rounds,
# and the range of all. Tools that hook into the scheduler or all system calls slow every process: those take turns, with a turn
# of nobody before and after each; of all turns of a tool the one that is slower than a quarter of them counts, as other load may
# slow half of them. The count of each tool stands beside the truth. Judges nothing, but fails where hearth does not work.
#
# BENCH_ROUNDS, BENCH_TIMES: more of it, or less. BENCH_ALONE: hearth without its peers. Rows may be named: probes.sh function usdt syscall runq off-cpu
set -muo pipefail # -m: else what runs in the background would ignore ^C
cd "$(dirname "$0")/../.." || exit 1
[[ $(id -u) == 0 ]] || { echo 'loading BPF programs takes root: make bench as root' >&2 && exit 3; }
hearth=${HEARTH:-build/hearth}
rounds=${BENCH_ROUNDS:-7} times=${BENCH_TIMES:-160000}
workloads=$PWD/build/tests/workloads
cpu=$(($(nproc) - 1)) status=0
TMP=$(mktemp -d)
declare -A tools # the pid of each that runs
trap '[[ -z ${tools[*]} ]] || kill "${tools[@]}" 2>/dev/null; rm -rf "$TMP"' EXIT
export PATH=$PATH:/usr/sbin

# Peers read tracefs at its usual place: this mounts it there for the command alone, as hearth's loader does for itself.
# shellcheck source=tests/apart.sh
. tests/apart.sh
aside() { exec "${apart[@]}" sh -c 'mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; exec "$@"' sh "$@"; }

links() { find "/proc/$1/fd" -lname 'anon_inode:bpf*link' -o -lname 'anon_inode:\[perf_event\]' 2>/dev/null | wc -l; }

# start NAME TOOL...: until it is attached, which shows in its descriptors.
start() {
    local name=$1 before=0 now waited
    shift
    [[ $name == hearth* || ! ${BENCH_ALONE:-} ]] || { failed[$name]='left out'; return 1; }
    command -v "$1" >/dev/null || { failed[$name]='not installed'; return 1; }
    rm -rf "$TMP/unseen" "$TMP"/x.db* && mkdir "$TMP/unseen"
    (TMPDIR=$TMP/unseen aside "$@") >"$TMP/$name.out" 2>&1 </dev/null &
    tools[$name]=$!
    for ((waited = 0; waited < 300; waited++)); do
        if [[ $name == hearth* ]]; then # it makes its store after it has attached
            [[ -z $(find "$TMP/unseen" "$TMP/x.db" -name '*.db' -size +0 2>/dev/null) ]] || return 0
            kill -0 "${tools[$name]}" 2>/dev/null || break
            sleep 0.1
            continue
        fi
        sleep 0.3
        now=$(links "${tools[$name]}")
        kill -0 "${tools[$name]}" 2>/dev/null || break
        ((now && now == before)) && return
        before=$now
    done
    failed[$name]="does not work here: $(tail -n 1 "$TMP/$name.out" | cut -c1-80)"
    stop "$name"
    return 1
}

stop() {
    kill -INT "${tools[$1]}" 2>/dev/null
    wait "${tools[$1]}" 2>/dev/null
    unset "tools[$1]"
}

# The row: each tool's command line, how to read its count, and the results.
declare -A command count_of counted took costs failed
names=() plain=()
row() {
    echo
    echo "$1"
    declare -gA command=() count_of=() counted=() took=() costs=() failed=()
    names=() plain=() program=$workloads/nofp/paces
}
# tool NAME COUNT TOOL...: LANE and PID in its words stand for those of the process. COUNT reads $TMP/NAME.out.
tool() {
    names+=("$1")
    count_of[$1]=$2
    command[$1]=$(printf '%s\n' "${@:3}")
}

truth() { awk -v what="$1" -v lane="$2" '$2 == what && $3 == lane { print $4 }' "$TMP/truth"; }
true_times() { awk '$2 == "times" { print $3 }' "$TMP/truth"; } # of a lane
all_times() { echo $((4 * $(true_times))); }
fastest() { awk '$2 == "batch_ps" && (!n || $4 < n) { n = $4 } END { print n }' "$TMP/truth"; }
quarter() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 3) / 4)] }'; }
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
add() { counted[$1]=$(awk -v a="${counted[$1]:-0 0}" -v b="$2 $3" 'BEGIN { split(a, x); split(b, y); print x[1] + y[1], x[2] + y[2] }'); }

# begin WHAT TIMES: the processes, which wait; end: they run, and what they say is in $TMP/truth.
begin() {
    local i pid
    coproc load { exec nice -n -20 taskset -c $cpu "$program" "$1" "$2"; }
    load_pid=$! out=${load[0]} in=${load[1]} pids=()
    for i in 0 1 2 3; do
        read -r _ _ pid <&"$out"
        pids+=("$pid")
    done
}
end() {
    echo >&"$in"
    cat <&"$out" >"$TMP/truth"
    wait "$load_pid"
}

# lanes WHAT TIMES: every tool has a process, and one has none.
lanes() {
    local round i name lane words load_pid out in pids
    for ((round = 0; round < rounds; round++)); do
        begin "$1" "$2"
        declare -A lane_of=()
        for i in "${!names[@]}"; do
            name=${names[i]} lane=$(((i + round) % 4))
            words=${command[$name]//LANE/$lane}
            mapfile -t words <<<"${words//PID/${pids[lane]}}"
            start "$name" "${words[@]}" && lane_of[$name]=$lane
        done
        end
        plain+=("$(truth batch_ps $(((${#names[@]} + round) % 4)))")
        for name in "${!lane_of[@]}"; do
            lane=${lane_of[$name]}
            costs[$name]+="$(($(truth batch_ps "$lane") - plain[-1])) "
            stop "$name"
            add "$name" "$(${count_of[$name]} "$name")" "$(true_times "$lane")"
        done
    done
}

# turns WHAT TIMES: they all have all processes, one tool after the other.
turns() {
    local round i name words load_pid out in pids
    turn() { # of nobody
        begin "$@"
        end
        plain+=("$(fastest)")
    }
    turn "$@"
    for ((round = 0; round < rounds; round++)); do
        for i in "${!names[@]}"; do
            name=${names[(i + round) % ${#names[@]}]}
            begin "$@"
            mapfile -t words <<<"${command[$name]}"
            start "$name" "${words[@]}" || { end && continue; }
            end
            took[$name]+="$(fastest) "
            stop "$name"
            add "$name" "$(${count_of[$name]} "$name")" "$(all_times)"
            turn "$@"
        done
    done
    for name in "${!took[@]}"; do
        read -ra words <<<"${took[$name]}"
        costs[$name]=$(($(quarter "${words[@]}") - $(quarter "${plain[@]}")))
    done
    plain=("$(quarter "${plain[@]}")")
}

# show WHAT UNIT: the first tool is hearth. UNIT: the word for the things counted.
show() {
    local name own
    read -ra own <<<"${costs[${names[0]}]:-}"
    printf '%-32s %7.0f ns\n' "$1, unobserved" "$(median "${plain[@]}")e-3"
    for name in "${names[@]}"; do
        if [[ -n ${failed[$name]:-} ]]; then
            printf '%-32s %s\n' "$name" "${failed[$name]}"
            [[ $name != "${names[0]}" ]] || status=1
            continue
        fi
        [[ $name != "${names[0]}" || ${counted[$name]} != '0 '* ]] || status=1
        # shellcheck disable=SC2086
        printf '%-32s %7.0f ns more   ' "$name" "$(median ${costs[$name]})e-3"
        awk -v is_own="$([[ $name == "${names[0]}" ]] && echo 1)" -v own="${own[*]}" -v peer="${costs[$name]}" -v counted="${counted[$name]}" -v unit="$2" 'BEGIN {
            n = split(own, a); split(peer, b); split(counted, c)
            for (i = 1; i <= n; i++) {
                r[i] = b[i] ? a[i] / b[i] : 0
                for (j = i; j > 1 && r[j] < r[j - 1]; j--) { t = r[j]; r[j] = r[j - 1]; r[j - 1] = t }
            }
            words = is_own ? "" : sprintf("hearth takes %.2f of it", r[int((n + 1) / 2)])
            if (words != "" && n > 1)
                words = words sprintf(" (%.2f to %.2f)", r[1], r[n])
            printf "%-42s", words
            printf "%.0f %s of %.0f\n", c[1], unit, c[2]
        }'
    done
}

# The counts that tools print.
hearth_values() { grep -oE '^hearth: [0-9]+ values' "$TMP/$1.out" | grep -oE '[0-9]+'; }
histogram_values() {
    awk '/^\[.*\) +[0-9]+ \|/ { n += $1 ~ /,$/ ? $3 : $2 } /^ +[0-9]+ -> [0-9]+ +: [0-9]+/ { n += $5 } END { print n + 0 }' "$TMP/$1.out"
}
syscount_values() { awk '$1 == "personality" { n += $2 } END { print n + 0 }' "$TMP/$1.out"; }

# function_row WHAT FUNCTION TIMES WORDS
function_row() {
    row "the latencies of a function$4, $rounds rounds of $3 calls"
    tool 'hearth hist uprobe:' hearth_values "$hearth" hist "uprobe:$program:$2_LANE"
    tool 'libbpf-tools funclatency' histogram_values funclatency "$program:$2_LANE"
    tool 'bpftrace uprobe, uretprobe' histogram_values bpftrace -e \
        "uprobe:$program:$2_LANE { @start[tid] = nsecs; } uretprobe:$program:$2_LANE /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"
    lanes "$1" "$3"
    show 'a call' calls
}

usdt_row() {
    row "from one USDT probe to another, $rounds rounds of $times pairs"
    tool 'hearth hist usdt:' hearth_values "$hearth" hist "usdt:$program:hearth_pace:begin_LANE,end_LANE"
    tool 'bpftrace usdt, usdt' histogram_values bpftrace -e \
        "usdt:$program:hearth_pace:begin_LANE { @start[tid] = nsecs; } usdt:$program:hearth_pace:end_LANE /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }"
    lanes usdt "$times"
    show 'a pair' pairs
}

# syscount has one sum a call, and no histogram.
syscall_row() {
    row "the latencies of all system calls, $rounds rounds of $((8 * times)) calls"
    tool 'hearth hist syscall:*' hearth_values "$hearth" hist 'syscall:*'
    tool 'libbpf-tools syscount -L' syscount_values syscount -L -T 500 -i 0
    tool 'bpftrace sys_enter, sys_exit' histogram_values bpftrace -e \
        'tracepoint:raw_syscalls:sys_enter { @start[tid] = nsecs; } tracepoint:raw_syscalls:sys_exit /@start[tid]/ { @ns[args->id] = hist(nsecs - @start[tid]); delete(@start[tid]); }'
    turns syscall $((2 * times))
    show 'a call' 'calls, all programs,'
}

# A hand-over is two waits.
runq_row() {
    row "waits for a CPU, $rounds rounds of $((times / 4)) hand-overs of 2 threads on one CPU"
    tool 'hearth hist runq' hearth_values "$hearth" hist runq
    tool 'libbpf-tools runqlat' histogram_values runqlat
    turns switch $((times / 16))
    show 'a hand-over' 'waits of all programs, hand-overs'
}

# Both are asked for whole stacks; hearth keeps the waits for the CPU too. By -p, what is shown is what a hand-over costs more
# than one that both pass over.
hearth_off_ms() { "$hearth" report -i "$TMP/x.db" -f folded --comm paces 2>/dev/null | awk '{ n += $NF } END { printf "%.0f", n / 1e6 }'; }
offcputime_off_ms() { awk '/^    -  +paces \(/ { getline; us += $1 } END { printf "%.0f", us / 1000 }' "$TMP/$1.out"; }
off_cpu_row() {
    local pid=()
    [[ $3 == lanes ]] && pid=(-p PID)
    row "off-CPU time with stacks ${pid[0]:-of all}, $rounds rounds of $((times / 4)) hand-overs of 2 threads on one CPU, $2"
    program=$workloads/$1/paces
    # shellcheck disable=SC2016
    tool 'hearth record -e off-cpu' hearth_off_ms \
        sh -c 'store=$1 hearth=$2; shift 2; rm -f "$store"*; exec "$hearth" record -e off-cpu -o "$store" "$@"' sh "$TMP/x.db" "$hearth" "${pid[@]}"
    tool 'libbpf-tools offcputime' offcputime_off_ms offcputime --stack-storage-size 16384 "${pid[@]}"
    true_times() { echo $(($(truth off_ns "$1") / 1000000)); }
    all_times() { awk '$2 == "off_ns" { n += $4 } $2 == "waited_ns" { n += $3 } END { printf "%.0f", n / 1e6 }' "$TMP/truth"; }
    "$3" switch $((times / 16))
    show 'a hand-over' 'ms off'
}

for part in "${@:-all}"; do
    [[ $part == all || $part == function ]] && function_row function hit "$times" ''
    [[ $part == all || $part == function ]] && [[ $(uname -m) == x86_64 ]] &&
        function_row marked marked $((times / 10)) ' that begins with endbr64'
    [[ $part == all || $part == usdt ]] && usdt_row
    [[ $part == all || $part == syscall ]] && syscall_row
    [[ $part == all || $part == runq ]] && runq_row
    for how in lanes turns; do
        [[ $part == all || $part == off-cpu ]] || continue
        (off_cpu_row nofp 'without frame pointers' $how && exit $status) || status=1
        (off_cpu_row fp 'with frame pointers' $how && exit $status) || status=1
    done
done
exit $status
