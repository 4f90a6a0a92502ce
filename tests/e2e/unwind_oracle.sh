#!/bin/bash
# check: 1200 s, long
# Two unwinders on the same samples: the kernel side's tables against libunwind over a copy of the stack. Where both call
# a stack whole, every frame is the same; where the kernel side gave up, what it has is right as far as it goes; and it
# gives up seldom. Prints a line of numbers a workload, and what differed.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
mix=tests/workloads/mix languages=tests/workloads/languages

number() { awk -v key="$1" -v field="${2:-2}" '$1 == key { print $field }' "$TMP/seen"; }
part() { awk -v a="$1" -v b="$2" -v least="$3" 'BEGIN { exit !(b > 0 && 100 * a >= least * b) }'; } # a >= least % of b

# sample LEAST_PCT COUNT COMMAND...: runs both unwinders, to $TMP/all. Stacks are broken until the rows of a large program
# are made: a run below this share is done once more, with the rows in the cache.
sample() {
    local least_pct=$1 count=$2
    shift 2
    for _ in 1 2; do
        build/tests/tools/unwind_oracle -F 999 "$@" >"$TMP/all" 2>"$TMP/log" </dev/null || return
        grep -aE '^[a-z-]+ [0-9]' "$TMP/all" >"$TMP/seen"
        if part "$(number "$count")" "$(number pairs)" "$least_pct"; then break; fi
    done
}

# compare NAME WHOLE_PCT COMMAND...: at least so many of the samples are whole on the kernel's side.
compare() {
    local name=$1 whole_pct=$2
    shift 2
    if ! sample "$whole_pct" whole "$@"; then
        fail "$name is sampled by both unwinders" "$(<"$TMP/log")"
        return
    fi
    grep -aE '^(pairs|whole|whole-both|equal|rest|prefix|reach|depth|difference) ' "$TMP/all" >"$TMP/seen"
    awk -v name="$name" '{ n[$1] = $2; m[$1] = $3 } END {
        printf "# %-20s %5d samples, whole %6.2f %% (libunwind %6.2f %%), equal %d of %d, depth %.1f (%.1f)\n", name, n["pairs"],
            100 * n["whole"] / n["pairs"], 100 * m["whole"] / n["pairs"], n["equal"], n["whole-both"], n["depth"], m["depth"] }' \
        "$TMP/seen"
    ok "$name: enough samples" test "$(number pairs)" -ge 150
    if part "$(number whole)" "$(number pairs)" "$whole_pct"; then
        pass "$name: at least $whole_pct % of the stacks are whole"
    else
        fail "$name: at least $whole_pct % of the stacks are whole" "$(number whole) of $(number pairs)" "$(grep -a ^diff "$TMP/seen")"
    fi
    # One in a thousand: a mapping that changes between the sample and the copy's unwinding.
    if part "$(number equal)" "$(number whole-both)" 99.9; then
        pass "$name: where both are whole, every frame is the same"
    else
        fail "$name: where both are whole, every frame is the same" "$(grep -a ^diff "$TMP/seen")"
    fi
}

for load in leaves 'recursion 100' qsort_callback signals 'signals altstack' vdso odd_frames coroutines; do
    read -r program argument <<<"$load"
    case $argument in
    100) compare "$load" 99 "$LOADS/nofp/$program" 100 1 ;;
    *) compare "$load" 99 "$LOADS/nofp/$program" 1 ${argument:+"$argument"} ;;
    esac
done
compare exceptions 98 "$LOADS/nofp/exceptions" 1.5
compare 'threads' 99 "$LOADS/nofp/burn" 8 1.5
compare dlopen 96 "$LOADS/nofp/dlopen" 3

compare sqlite3 97 sqlite3 :memory: ".read $mix/query.sql"
compare python3 97 python3 $mix/mix.py 2
gcc -E -x c - -o "$TMP/many.i" < <(echo '#include <stdio.h>'
    for ((i = 0; i < 300; i++)); do
        echo "int f$i(int a, char *b) { int s = $i; for (int i = 0; i < a; i++) { s += b[i] * $i; if (s & 8) s ^= i;
            switch (s % 7) { case 1: s += a; break; case 2: s *= 3; break; default: s -= a; } } return printf(\"%d\", s); }"
    done)
compare cc1 97 "$(gcc -print-prog-name=cc1)" -quiet -O2 "$TMP/many.i" -o /dev/null
cat build/hearth /usr/lib/x86_64-linux-gnu/libc.so.6 | head -c 3000000 >"$TMP/bytes"
compare xz 97 xz -k -6 -f "$TMP/bytes"
if command -v go >/dev/null; then
    GOCACHE=$TMP/go-cache GOFLAGS=-p=2 go build -o "$TMP/descend_go" $languages/descend.go
    compare 'Go' 97 "$TMP/descend_go" 2
else
    skip 'Go' "$(lacks golang-go)"
fi
if command -v rustc >/dev/null; then
    rustc -O -o "$TMP/descend_rust" $languages/descend.rs
    compare 'Rust' 97 "$TMP/descend_rust" 2
else
    skip 'Rust' "$(lacks rustc)"
fi

# JIT code and V8's builtins, which have no call frame information but frame pointers: of a leaf before its push these
# skip the caller, so that such a stack is not called whole; but it reaches the program's start.
compare_jit() {
    sample 97 reach node $mix/mix.js 3
    echo "# node                 $(number pairs) samples, $(number reach) reach the same start by both, $(number prefix) with the same frames"
    ok 'node: enough samples' test "$(number pairs)" -ge 150
    ok 'node: at least 97 % of the stacks reach the start of the program' part "$(number reach)" "$(number pairs)" 97
}
if command -v node >/dev/null; then
    compare_jit
else
    skip 'node' "$(lacks nodejs)"
fi

# Frame pointers, where the program keeps them: another witness, of libunwind this time. They lose the caller of a
# function that has not yet pushed its frame pointer; stacks that begin in libraries, which push none, are not counted.
build/tests/tools/unwind_oracle --fp "$LOADS/fp/leaves" 2 >"$TMP/seen" 2>"$TMP/log"
ok 'at least 90 % of the stacks by frame pointers are the inner part of those of libunwind' \
    part "$(number prefix)" "$(number rest)" 90
done_testing
