# Sourced by the shell tests: functions that print TAP, and helpers.
#
#   #!/bin/bash
#   # check: 900 s, alone         <- for tests/run, optional: the time limit (600 s); alone: no other test runs beside it;
#                                    long: it begins before the others
#   . tests/tap.sh
#   ok 'two and two is four' test $((2 + 2)) -eq 4
#   is 'the answer' "$(answer)" 42
#   skip 'kprobes count' 'this kernel has no kprobes'
#   skip 'Go' "$(lacks golang-go)"
#   done_testing
#
# Tests run in the root of the tree. $HEARTH is the binary, $LOADS the folder of the workloads (fp/NAME, nofp/NAME), $TMP a
# folder of this test's own, removed at its end. A test waits for what must have happened (await), never for a time that
# ought to be enough, and what it records lives until it is killed ($ENDLESS): other tests, cold caches and other machines
# make any step take many times as long. A skip whose reason says root, privilege, permission, user or installed is a
# failure under CI=true, unless it says kernel too.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
HEARTH=${HEARTH:-$PWD/build/hearth}
LOADS=${LOADS:-$PWD/build/tests/workloads}
# The distribution's programs first: a wrapper script that stands before them in PATH as python3 is slow to start, and hearth
# would record the wrapper's shell.
export PATH=/usr/bin:/bin:$PATH
export ENDLESS=100000 # seconds, for what the test's end kills
TMP=$(mktemp -d "${TMPDIR:-/tmp}/hearth-test.XXXXXX")
chmod 755 "$TMP" # some tests run hearth as nobody

tap_count=0
tap_failed=0
tap_children=()
tap_cleanups=()

tap_exit() {
    local status=$? command
    trap '' TERM INT
    if [[ ${#tap_children[@]} -gt 0 ]]; then kill -KILL "${tap_children[@]}" 2>/dev/null; fi
    for command in "${tap_cleanups[@]}"; do eval "$command"; done
    rm -rf "$TMP"
    exit "$status"
}
trap tap_exit EXIT
# timeout sends its signal to the test, and then to all of its group: the second one must not end the cleanup.
trap 'trap "" TERM INT; exit 143' TERM INT

# A command for the end, whatever happens.
at_exit() { tap_cleanups+=("$1"); }

# shellcheck source=tests/apart.sh
. tests/apart.sh

# Starts a process in the background that must not outlive the test, its pid in $!. When this returns, the process has called
# execve(): $! is the command, no longer a shell.
background() {
    local try
    "$@" &
    tap_children+=($!)
    for ((try = 0; try < 500; try++)); do
        [[ /proc/$!/exe -ef /proc/$$/exe ]] || break
        sleep 0.01
    done
}

# await COMMAND...: runs it again and again until it succeeds, for a minute at most, or AWAIT_S seconds.
await() {
    local end=$((SECONDS + ${AWAIT_S:-60}))
    until "$@" >/dev/null 2>&1; do
        [[ $SECONDS -lt $end ]] || return 1
        sleep 0.05
    done
}

# Whether a process is this program by now: PID FILE
runs() { [[ /proc/$1/exe -ef $2 ]]; }

# Whether a recording has attached all it records by: hearth makes its store after that. Of the store that does not exist
# before, or of the folder that is its TMPDIR where it writes none.
recording() { [[ -n $(find "$1" -name '*.db' -size +0 2>/dev/null) ]]; }

# Whether such a store holds samples, so many of a process where one is given: STORE|FOLDER [COMM|PID [COUNT]]
sampled() {
    local store
    store=$(find "$1" -name '*.db' -size +0 2>/dev/null)
    [[ $(sqlite3 "file:$store?mode=ro" "select coalesce(sum(samples), 0) >= ${3:-1}
        from process_total t join process p on p.id = t.process where p.comm glob '${2:-*}' or p.pid = '${2:-}'" 2>/dev/null) == 1 ]]
}

# Before a command that is recorded: runs the command for a moment as `first`, so that its unwind rows are made when it
# starts. Until they are, its stacks are broken, for longer on a busy machine: the moment lasts until a shell beside it has
# used 0.7 s of CPU time.
export warmed=(bash -c 'ln -sf "$1" "$0/first"
    timeout 60 "$0/first" "${@:2}" >"$0/first.out" 2>&1 &
    while kill -0 $! && read -r used _ <"/proc/$$/schedstat" && ((used < 700000000)); do :; done 2>/dev/null
    { kill $!; wait $!; } 2>/dev/null
    exec "$@"' "$TMP")

pass() { echo "ok $((++tap_count)) - $1"; }

# The words after the first say why; a line each.
fail() {
    echo "not ok $((++tap_count)) - $1"
    tap_failed=$((tap_failed + 1))
    shift
    [[ $# -eq 0 ]] || printf '%s\n' "$@" | cut -c1-400 | sed 's/^/#   /'
}

ok() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then pass "$what"; else fail "$what" "failed: $*" "$output"; fi
}

is() { if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "got:      $2" "expected: $3"; fi; }
like() { if [[ $2 =~ $3 ]]; then pass "$1"; else fail "$1" "got:              $2" "does not match:   $3"; fi; }

# within WHAT VALUE EXPECTED TOLERANCE: numbers with fractions, tolerance in their unit.
within() {
    if awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; exit !(a != "" && d <= t && d >= -t) }'; then
        pass "$1"
    else
        fail "$1" "got $2, expected $3 +- $4"
    fi
}

# Time that the hypervisor gave to others since the boot, of all CPUs, in ns: a thread was on its CPU then, and yet used
# none of it, and no clock of that CPU ticked.
stolen_ns() { awk -v hz="$(getconf CLK_TCK)" '$1 == "cpu" { printf "%.0f", $9 * 1e9 / hz }' /proc/stat; }

# Why a test does without a package of .ci/packages: a reason for `skip`. That is a failure under CI=true, but not where apt
# has lists and none of the package's names in them.
lacks() {
    local names
    mapfile -t names < <(awk '!/^#/ { print $1 }' .ci/packages | grep -E "(^|\|)$1(\||$)" | tr '|' '\n' | grep -vx -e - | sort -u)
    if [[ ${#names[@]} == 0 ]]; then
        echo "there is no $1"
    elif [[ -n $(apt-cache madison make 2>/dev/null) && -z $(apt-cache madison "${names[@]}" 2>/dev/null) ]]; then
        echo "this distribution has no $1"
    else
        echo "$1 is not installed"
    fi
}

skip() { echo "ok $((++tap_count)) - $1 # SKIP $2"; }

# How many of the BPF programs with these ids are loaded.
loaded() {
    python3 - "$@" <<'P'
import ctypes, struct, sys
BPF_PROG_GET_FD_BY_ID, SYS_bpf = 13, 321
libc = ctypes.CDLL(None, use_errno=True)
there = 0
for number in sys.argv[1:]:
    attributes = ctypes.create_string_buffer(struct.pack("III", int(number), 0, 0), 64)
    there += libc.syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, attributes, 64) >= 0
print(there)
P
}

# Nothing in this script can be tested here.
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

# A line of a workload's truth: `truth FILE KEY` prints what stands behind the key.
truth() { awk -v key="$2" '$1 == "truth" && $2 == key { $1 = $2 = ""; print substr($0, 3); exit }' "$1"; }

done_testing() {
    echo "1..$tap_count"
    exit $((tap_failed > 0))
}
