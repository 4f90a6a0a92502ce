#!/bin/bash
# --unwind=copy: stacks of programs without frame pointers are whole, and what it cannot be used for is said.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'

record() { # WORKLOAD ARGUMENT...: into $TMP/out.folded, what hearth says into $TMP/log
    local load=$1
    shift
    "$HEARTH" record --unwind=copy -F 499 -o "$TMP/out.folded" -- "$LOADS/nofp/$load" "$@" >"$TMP/truth" 2>"$TMP/log"
}

samples() { awk '{ n += $NF } END { print n + 0 }'; }

# The share, in percent, of the samples whose stack begins with a pattern.
share() { # PATTERN
    echo $((100 * $(grep -E "^[^;]*;($1)" "$TMP/out.folded" | samples) / ($(samples <"$TMP/out.folded") + 1)))
}

ok 'a chain of calls is recorded' record leaves 2
ok 'at least 98 % of its stacks are whole' test "$(share '_start;.*;main;run;outer;middle;')" -ge 98
ok 'recursion of 100 is recorded' record recursion 100 2
ok 'at least 98 % of its stacks are whole' test "$(share '_start;.*;main;start;(descend;){100}bottom')" -ge 98
ok 'coroutines are recorded' record coroutines 1
ok 'at least 98 % of their stacks reach the start of the coroutine or of the program' \
    test "$(share '(__start_context|\[libc[^;]*\]);coroutine;in_coroutine_|_start;')" -ge 98
ok 'a signal handler is recorded' record signals 1
ok 'at least 98 % of its stacks are whole' test "$(share '_start;.*;main;between_signals;interrupted')" -ge 98

# A zero where the rule has the return address is no end. Of samples that count for more, a stack that breaks is as many.
"$HEARTH" record --unwind=copy -F 997 --max-cpu 0.1% -i 0.5 -o "$TMP/broken.db" -- "$LOADS/nofp/no_return" 3 >/dev/null 2>"$TMP/log"
"$HEARTH" report -i "$TMP/broken.db" -f folded >"$TMP/out.folded" 2>/dev/null
ok 'stacks that end in a zero say so' test "$(share '\[unwind: no return address\];no_return')" -ge 90
ok 'samples are thinned' grep -q 'is taken, and counts for' "$TMP/log"
is 'each counts as broken for what it stands for' \
    "$(sqlite3 "$TMP/broken.db" "SELECT sum(count) FROM loss WHERE name = 'stack-broken'")" "$(grep -F '[unwind: ' "$TMP/out.folded" | samples)"

# The kernel runs an instruction that is probed elsewhere, in a copy of it: no sample's leaf is there.
hits=$LOADS/nofp/hits
start=$(nm "$hits" | awk '$3 == "hit" { print $1 }')
second=$(objdump -d --no-show-raw-insn "$hits" | awk '/ <hit>:$/ { inside = 1 } inside && $2 ~ /^(lea|mov|add)/ { sub(":", "", $1); print $1; exit }')
ok 'a probe amid a function is recorded' "$HEARTH" record --unwind=copy -e cpu -e "uprobe:$hits:hit+$((0x$second - 0x$start))" -F 999 \
    -o "$TMP/out.folded" -- "$hits" 200000 1
ok 'there are samples around it' test "$(grep -E '^hits;(__)?clone3;start_thread;work;hit[; ]' "$TMP/out.folded" | samples)" -ge 100
is 'and none where the kernel runs it' "$(grep -E '^hits;(.*;)?\[jit\]' "$TMP/out.folded" | samples)" 0

"$HEARTH" record --unwind=copy -d 0.1 -o "$TMP/none.db" 2>"$TMP/log"
is 'without a process it is wrong usage' "$?" 2
like 'which is said in one line' "$(<"$TMP/log")" '^hearth: --unwind=copy is for one process[^$]*$'
"$HEARTH" record --unwind=copy -p $$,1 -d 0.1 -o "$TMP/none.db" 2>"$TMP/log"
is 'so it is with two' "$?" 2
"$HEARTH" record --unwind=guess -d 0.1 -o "$TMP/none.db" 2>"$TMP/log"
is 'another way to unwind is wrong usage' "$?" 2
done_testing
