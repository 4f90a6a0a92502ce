#!/bin/bash
# check: 600 s, alone
# The picture is true: a program whose leaves take 60, 30 and 10 % of its time, with frame pointers, is drawn so, with the
# whole chain of calls and the inlined caller marked.
. tests/tap.sh

stolen=$(stolen_ns)
"$HEARTH" record -F 997 -o "$TMP/leaves.folded" -- "$LOADS/fp/leaves" 4 >"$TMP/truth" 2>"$TMP/said"
is 'records a program' $? 0
is 'says one line' "$(wc -l <"$TMP/said")" 1
like 'the line counts samples, stacks, losses and its own cost' "$(cat "$TMP/said")" \
    '^hearth: [0-9]+ samples, [0-9]+ stacks, 0 lost, [0-9]+ truncated; hearth itself took [0-9.]+ s of CPU: [0-9.]+ s to start, [0-9.]+ s in [0-9.]+ s of recording \([0-9.]+ % of a CPU\); [0-9.]+ MiB$'
# Seconds: all, s, to start, s, in recording, s, its length, s
read -ra took < <(grep -oE '[0-9]+\.[0-9]+ s' "$TMP/said" | tr '\n' ' ')
within 'the cost of the start and that of the recording are all of it' "$(awk -v a="${took[2]}" -v b="${took[4]}" 'BEGIN { print a + b }')" "${took[0]}" 0.015
within 'the share of a CPU is that of the recording alone' "$(grep -oE '[0-9.]+ % of a CPU' "$TMP/said" | cut -d' ' -f1)" \
    "$(awk -v own="${took[4]}" -v all="${took[6]}" 'BEGIN { print 100 * own / all }')" 0.4

share() { awk -v name="$1" '{ all += $NF } index($0, ";" name) { some += $NF } END { print 100 * some / all }' "$TMP/leaves.folded"; }
true_share() { echo "$(truth "$TMP/truth" "$1") $(truth "$TMP/truth" cpu_ns)" | awk '{ print 100 * $1 / $2 }'; }
for leaf in leaf_sixty leaf_thirty leaf_ten; do
    within "$leaf has its share, within 3 points" "$(share $leaf)" "$(true_share $leaf)" 3
done
# Before its execve() the command has hearth's name.
within 'its name is the root of every stack, but for its exec' \
    "$(awk '!/^leaves;/ { n += $NF } END { print n + 0 }' "$TMP/leaves.folded")" 0 20

chain=';main;run;outer;middle;inlined_caller_\[i\];leaf_(sixty|thirty|ten)'
whole=$(awk -v chain="$chain" '/;leaf_/ { all += $NF; if ($0 ~ chain) some += $NF } END { print 100 * some / all }' "$TMP/leaves.folded")
within 'the chain of calls is whole, inlined caller marked, in 98 % of the samples and more' "$whole" 100 2
is 'what is not inlined is not marked so' "$(grep -cE ';(main|run|outer|middle|leaf_[a-z]*)_\[i\]' "$TMP/leaves.folded")" 0

stolen=$(($(stolen_ns) - stolen))
seconds=$(truth "$TMP/truth" cpu_ns | awk '{ print $1 / 1e9 }')
within 'as many samples as 997 Hz makes of its CPU time, within 5 % and what was stolen meanwhile' \
    "$(awk '{ n += $NF } END { print n }' "$TMP/leaves.folded")" "$(awk -v s="$seconds" 'BEGIN { print 997 * s }')" \
    "$(awk -v s="$seconds" -v stolen="$stolen" 'BEGIN { print 997 * (s * 0.05 + stolen / 1e9) }')"
done_testing
