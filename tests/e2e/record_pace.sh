#!/bin/bash
# `record --max-cpu`: BPF programs that would take more of a CPU take fewer samples, which count for more. hearth says each
# step and stores the loss, and sums stay as they would have been. The bound is far below the share that any machine needs.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
count() { awk -v comm="$1" -F'[; ]' '$1 == comm { n += $NF } END { print n + 0 }' "$2"; }
# The last word on how many one is taken of.
factor() { sed -nE 's/^hearth: '"$1"': .* from now on one (sample|hit) in ([0-9]+) is taken, and counts for .*/\2/p' "$2" | tail -1; }
thinned() { sqlite3 "$1" "SELECT coalesce(sum(count), 0) FROM loss WHERE name = 'thinned'"; }
lost() { sed -nE 's/^hearth: .* ([0-9]+) lost, .*/\1/p' "$1" | tail -1; }

# One process, recorded twice at once, with the bound and without.
"$HEARTH" record -F 997 --max-cpu 0.1% -i 0.5 -o "$TMP/x.db" -- \
    "$HEARTH" record -F 997 --max-cpu 100 -o "$TMP/all.folded" -- "$LOADS/nofp/burn" 2 5 >/dev/null 2>"$TMP/said"
is 'a recording with a bound' $? 0
times=$(factor cpu "$TMP/said")
ok "each step is said (one in $times at last)" test "${times:-0}" -ge 2
is 'the first is one' "$(grep -c ' in 1 is taken' "$TMP/said")" 0
ok "what was left out is stored ($(thinned "$TMP/x.db"))" test "$(thinned "$TMP/x.db")" -gt 100
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/x.folded" 2>"$TMP/reported"
like 'and said by a report' "$(cat "$TMP/reported")" 'thinned [0-9]+'
all=$(count burn "$TMP/all.folded")
within "CPU samples: as many as without a bound" "$(count burn "$TMP/x.folded")" "$all" $((all / 10 + 4 * times))
is 'none are lost' "$(lost "$TMP/said")" 0
is 'nor unaccounted for' "$(sqlite3 "$TMP/x.db" "SELECT count(*) FROM loss WHERE name = 'unaccounted'")" 0

# By chance: of n hits, one in k taken, a sum is off by more than 5 sqrt(n k) once in a million times.
"$HEARTH" record -e "uprobe:$LOADS/nofp/hits:hit" --max-cpu 0.2 -o "$TMP/y.db" -- "$LOADS/nofp/hits" 400000 2 >/dev/null 2>"$TMP/said"
times=$(factor 'uprobe:[^ ]*' "$TMP/said")
ok "hits of a probe are thinned (one in $times)" test "${times:-0}" -ge 2
hits=$(sqlite3 "$TMP/y.db" 'SELECT sum(samples) FROM total')
within 'they count for all' "$hits" 800000 "$(awk -v k="$times" 'BEGIN { printf "%.0f", 5 * sqrt(800000 * k) }')"
ok 'most were left out' test "$(thinned "$TMP/y.db")" -gt 400000

# Waits: those of threads that wait again and again are thinned; one that waits now and then has each for what it is.
"$HEARTH" record -e off-cpu --max-cpu 0.3 -i 1 -o "$TMP/z.db" -- bash -c '
    "$0/switches" 150000 >"$1/switches" & sleep 1.5; start=$EPOCHREALTIME; "$0/sleepers" 20 1
    echo "$start $EPOCHREALTIME" >"$1/slept"; wait' "$LOADS/nofp" "$TMP" >/dev/null 2>"$TMP/said"
times=$(factor off-cpu "$TMP/said")
ok "waits are thinned (one in $times)" test "${times:-0}" -ge 2
samples=$(sqlite3 "$TMP/z.db" "SELECT sum(t.samples) FROM process_total t JOIN process p ON p.id = t.process WHERE p.comm = 'switches'")
switches=$(truth "$TMP/switches" switches)
within 'they count for all' "$samples" "$switches" "$(awk -v n="$switches" -v k="$times" 'BEGIN { printf "%.0f", 5 * sqrt(n * k) + 50 }')"
"$HEARTH" report -i "$TMP/z.db" -f folded -o "$TMP/z.folded" 2>/dev/null
slept=$(awk '/^s[0-9]+;/ && /sleep/ { n += $NF } END { printf "%.3f", n / 1e9 }' "$TMP/z.folded")
# nanosleep() sets its timer before the thread leaves the CPU, and a host may take the CPU away there.
ok "of threads that wait once, each wait is what it is ($slept s)" \
    awk -v n="$slept" '{ exit !(n >= 20 * 0.97 && n <= 20 * ($2 - $1)) }' "$TMP/slept"

# Samples of --wall stand for a time, whatever their number. The bound is so low that a busy machine exceeds it too.
"$HEARTH" record --wall -F 997 --max-cpu 0.02% -i 0.5 -o "$TMP/w.db" -- "$LOADS/nofp/burn" 1 3 >/dev/null 2>"$TMP/said"
like 'the weight of samples of --wall' "$(grep -m1 'is taken' "$TMP/said")" \
    "one sample in [0-9]+ is taken, and stands for the time since its thread's last one"
within 'which add up to the time of its two threads' "$(sqlite3 "$TMP/w.db" "SELECT sum(t.value) / 1e9 FROM process_total t
    JOIN process p ON p.id = t.process WHERE p.comm = 'burn'")" 6.5 1

for share in 0 101% x 5x -3; do
    "$HEARTH" record --max-cpu="$share" -o "$TMP/n.db" -- true 2>"$TMP/said"
    is "--max-cpu=$share is refused" "$? $(wc -l <"$TMP/said")" '2 1'
done
done_testing
