# Sourced by tests/e2e/runtime_*.sh after tests/tap.sh: checks of programs that know their own stacks
# (tests/workloads/runtimes/). chains: the program's command line, up to the mode; program: its file; version: the
# runtime's.
# shellcheck shell=bash disable=SC2154

# The functions of each stack with its count: `COUNT NAME;NAME;...` from the outermost on.
guests() { awk '{ n = split($0, f, ";"); sub(/ [0-9]+$/, "", f[n]); s = ""
    for (i = 1; i <= n; i++) if (sub(/_\[r\]$/, "", f[i])) s = s ";" f[i]
    print $NF, substr(s, 2) }' "$1"; }
# Of the samples whose innermost function is this one, how many have the chain to their end, and all of them.
right() { # FILE CHAIN
    guests "$1" | awk -v chain="$2" '{ n = $1; $1 = ""; s = substr($0, 2); last = s; sub(/.*;/, "", last); want = chain; sub(/.*;/, "", want)
        if (last != want) next
        all += n
        if (length(s) >= length(chain) && substr(s, length(s) - length(chain) + 1) == chain) good += n }
        END { printf "%.0f %.0f\n", good, all }'
}

# On the CPU: each mode burns at the bottom of a known chain.
chains_are_right() { # MODE...
    local mode good all
    for mode in "$@"; do
        "$HEARTH" record -F 499 -i 1 -o "$TMP/x.db" -- "${chains[@]}" "$mode" 1.2 "$TMP" >"$TMP/truth" 2>"$TMP/said"
        "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
        read -r good all < <(right "$TMP/folded" "$(truth "$TMP/truth" chain)")
        ok "$version, $mode: $good of $all samples have the chain" test "$all" -ge 100 -a $((1000 * good)) -ge $((999 * all - 1000))
    done
}

# Mode by_sort: the lines of burn() are those of its loop, from the line with a text on, so many at most.
lines_are_right() { # TEXT LINES
    local file=${program##*/} first lines hot
    "$HEARTH" record -F 499 -i 1 -o "$TMP/x.db" -- "${chains[@]}" by_sort 1.2 >"$TMP/truth" 2>"$TMP/said"
    "$HEARTH" report -i "$TMP/x.db" -f folded --lines -o "$TMP/folded" 2>/dev/null
    first=$(grep -nF "$1" "$program" | head -1 | cut -d: -f1)
    lines=$(grep -o ";burn ($file:[0-9]*)_\[r\]" "$TMP/folded" | grep -o '[0-9]*)' | tr -d ')' | sort -un | tr '\n' ' ')
    ok "burn's lines are those of its loop: $lines" awk -v l="$lines" -v f="$first" -v most="$2" 'BEGIN { n = split(l, a, " "); if (!n) exit 1
        for (i = 1; i <= n; i++) if (a[i] < f || a[i] > f + most) exit 1 }'
    hot=$(awk -v a=";burn ($file:$((first + 3)))" -v b=";burn ($file:$((first + 4)))" '/;burn / { all += $NF; if (index($0, a) || index($0, b)) hot += $NF }
        END { print hot + 0, all + 0 }' "$TMP/folded")
    ok "the hot lines are the inner loop's: $hot" test $((10 * ${hot% *})) -ge $((9 * ${hot#* }))
}

# Off the CPU: modes sleeps, sleeps_deep and waits_in_turn. Until its rows are there, the stacks of a program break.
waits_are_right() {
    local mode good all first second share
    "$HEARTH" record -e off-cpu -t 1 -o "$TMP/x.db" -d 0.1 2>"$TMP/said" >&2
    if grep -q 'cannot load' "$TMP/said"; then
        skip 'waits' "this kernel has no BTF tracepoints: $(cat "$TMP/said")"
        return
    fi
    for mode in sleeps sleeps_deep; do
        "$HEARTH" record -e off-cpu -i 1 -o "$TMP/x.db" -- "${chains[@]}" $mode 3 >"$TMP/truth" 2>"$TMP/said"
        "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
        grep -F '[sleeping]' "$TMP/folded" | grep -F 'nanosleep' | grep -vF '[unwind: ' >"$TMP/slept"
        read -r good _ < <(right "$TMP/slept" "$(truth "$TMP/truth" chain)")
        all=$(awk '{ n += $NF } END { printf "%.0f", n }' "$TMP/slept")
        ok "off the CPU, $mode: $good of $all ns under the chain" test "$all" -ge 1000000000 -a $((100 * good)) -ge $((95 * all))
    done
    "$HEARTH" record -e off-cpu -i 1 -o "$TMP/x.db" -- "${chains[@]}" waits_in_turn 6 >"$TMP/truth" 2>"$TMP/said"
    "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
    first=$(awk '/;first_waits_/ { n += $NF } END { printf "%.0f", n }' "$TMP/folded") second=$(awk '/;second_waits_/ { n += $NF } END { printf "%.0f", n }' "$TMP/folded")
    share=$(awk -v a="$(truth "$TMP/truth" first_waits)" -v b="$(truth "$TMP/truth" second_waits)" 'BEGIN { print 100 * a / (a + b) }')
    within "two functions with the same return addresses wait in turn: $first and $second ns" "$(awk -v a="$first" -v b="$second" 'BEGIN { print a + b ? 100 * a / (a + b) : 0 }')" "$share" 3
}

# At a probe on the C library: mode sleeps.
probes_are_right() { # LIBC
    local good all
    rm -f "$TMP/x.db"
    "$HEARTH" record -e "uprobe:$1:clock_nanosleep" -i 1 -o "$TMP/x.db" -- "${chains[@]}" sleeps 3 >"$TMP/truth" 2>"$TMP/said"
    "$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
    read -r good all < <(right "$TMP/folded" "$(truth "$TMP/truth" chain)")
    ok "at a probe: $good of $all" test "$all" -ge 100 -a $((1000 * good)) -ge $((990 * all))
}
