#!/bin/bash
# check: 600 s
# Stacks that differ in return addresses alone are told apart, however often a thread waits where it waited before: what
# is remembered of a stack must never stand for another one.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'off-cpu takes root'
"$HEARTH" record -e off-cpu -t 1 -o "$TMP/x.db" -d 0.1 2>"$TMP/said" >&2
if grep -q 'cannot load' "$TMP/said"; then skip_all "this kernel has no BTF tracepoints: $(cat "$TMP/said")"; fi

for build in fp nofp; do
    for event in off-cpu wall; do
        "$HEARTH" record -e $event -o "$TMP/x.db" -i 0.1 -- "${warmed[@]}" "$LOADS/$build/alike" 60 >"$TMP/truth" 2>"$TMP/said"
        is "$build, $event: a recording" $? 0
        # A line for each stack: its samples, its frames from the root on.
        "$HEARTH" sql -i "$TMP/x.db" "select sum(s.samples), (select group_concat(function, ';') from
            (select function from stack_frame where node = s.node order by position desc)) from sample s where s.comm = 'alike' group by 2" >"$TMP/stacks"
        # Of the time before the rows of the program were made: whose way is not known.
        early=$(grep -F '[unwind: ' "$TMP/stacks" | awk '{ n += $1 } END { print n + 0 }')
        ok "$build, $event: stacks are whole, but for $early" test "$early" -lt 2000
        while read -r _ way _ waits; do
            # By the kernel's count of how often the thread left the CPU there.
            found=$(grep -E ";main;(nap_in_turns|read_in_turns);.*${way}[^;]*;.*;\[sleeping\]" "$TMP/stacks" | awk '{ n += $1 } END { print n + 0 }')
            ok "$build, $event: $way, $found of $waits" test "$found" -le "$waits" -a "$found" -ge $((waits * 97 / 100 - 3 - early))
        done <"$TMP/truth"
        is "$build, $event: no other way is there" "$(grep -E ';nap_in_turns;.*nanosleep' "$TMP/stacks" | grep -cvE ';main;nap_in_turns;outer_[AB];middle_[AB];inner_[AB];nap;')" 0
    done
done
done_testing
