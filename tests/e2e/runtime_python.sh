#!/bin/bash
# check: 1200 s
# The functions of Python programs stand in stacks, in the right order, on the CPU and off it, at probes, and named after
# their process has gone: by programs that know their own stacks.
. tests/tap.sh
. tests/runtimes.sh

python=${PYTHON:-$(readlink -f /usr/bin/python3)}
program=$PWD/tests/workloads/runtimes/chains.py
chains=("$python" "$program")
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || skip_all "$(lacks python3)"
case $version in
3.11 | 3.13 | 3.14) ;;
*) skip_all "the kernel side knows no offsets of CPython $version, which this distribution has" ;;
esac

chains_are_right recursion by_sort by_generator by_expression by_property by_slot by_init by_partial by_map by_reduce by_exec by_words \
    long_name_ by_thread by_asyncio
is "$version: no function is without a name" "$(grep -c '\[python\]' "$TMP/folded")" 0

# Beside the loop's own lines, that of the call of time.process_time().
lines_are_right 'end = time.process_time() + SECONDS' 4

# Nothing but calls: each pair of caller and callee is one of the program's.
"$HEARTH" record -F 999 -i 1 -o "$TMP/x.db" -- "${chains[@]}" calls 2 >"$TMP/truth" 2>"$TMP/said"
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
pairs=$(guests "$TMP/folded" | sed -n 's/^[0-9]* .*main;calls/calls/p' | tr ' ' '_' | awk -F';' '{ for (i = 1; i < NF; i++) print $i ">" $(i + 1) }' | sort -u | tr '\n' ' ')
is 'a program that only calls: its pairs, all of them, and no others' "$pairs" 'calls>calls_a calls_a>calls_b calls_a>calls_c calls_b>calls_c '

# With and without: the native frames are the same, but for the loops, whose cold part has no name in stripped files.
"$HEARTH" record -F 499 -i 1 --runtimes none -o "$TMP/none.db" -- "${chains[@]}" by_sort 1.2 >"$TMP/truth" 2>"$TMP/said"
"$HEARTH" record -F 499 -i 1 -o "$TMP/x.db" -- "${chains[@]}" by_sort 1.2 >"$TMP/truth" 2>"$TMP/said"
natives() { "$HEARTH" report -i "$1" --no-inline -f folded -o - 2>/dev/null | awk '{ n = split($0, f, ";"); c = $NF; sub(/ [0-9]+$/, "", f[n]); s = ""
    for (i = 1; i <= n; i++) if (f[i] !~ /_\[r\]$/ && f[i] !~ /^(_PyEval_EvalFrameDefault|\[python)/) s = s ";" f[i]
    count[s] += c } END { for (s in count) if (count[s] > most) { most = count[s]; best = s } print best }'; }
is 'without: no frame is a function of Python' "$("$HEARTH" report -i "$TMP/none.db" -f folded 2>/dev/null | grep -c '_\[r\]')" 0
is 'with and without, the native frames are the same' "$(natives "$TMP/x.db")" "$(natives "$TMP/none.db")"
"$HEARTH" record --runtimes cobol -d 0.1 -o "$TMP/none.db" 2>"$TMP/said"
is 'a runtime that is not known is refused' $? 2
like 'and said' "$(cat "$TMP/said")" "no runtime 'cobol'"

# Processes that are short: their functions have names, though nobody can be asked any more.
cat >"$TMP/short.py" <<'END'
def innermost():
    return sum(i & 3 for i in range(60000))
def outermost():
    return innermost()
for _ in range(4):
    outermost()
END
"$HEARTH" record -F 999 -i 1 -o "$TMP/x.db" -- bash -c 'for ((i = 0; i < 60; i++)); do "$0" -S -E "$1"; done' "$python" "$TMP/short.py" 2>"$TMP/said"
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
short=$(guests "$TMP/folded" | awk '/outermost/ { all += $1; if (/<module>;outermost;innermost(;|$)/ || /<module>;outermost$/) good += $1 } END { print good + 0, all + 0 }')
ok "60 short processes: $short samples are right" test "${short#* }" -ge 100 -a $((100 * ${short% *})) -ge $((99 * ${short#* }))
# Of code that is part of the interpreter's file, the name may not be in memory yet: such a frame is counted as lost.
nameless=$(awk '/_\[r\]/ { all += $NF } /\[python\]/ { n += $NF } END { print n + 0, all + 0 }' "$TMP/folded")
ok "60 short processes: all functions have names but in ${nameless% *} of ${nameless#* } samples" test $((100 * ${nameless% *})) -le $((2 * ${nameless#* }))

if [[ $(id -u) != 0 ]]; then
    skip 'waits and probes' 'off-cpu takes root'
    done_testing
fi

waits_are_right
probes_are_right "$("$python" -c 'import re; print(re.search(r"/\S*/libc\.so\.6", open("/proc/self/maps").read()).group())')"
done_testing
