#!/bin/bash
# check: 900 s
# A process whose leader has left by pthread_exit() while its other threads go on: everything that /proc tells of it is
# read of one of those.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
for build in fp nofp; do cp "$LOADS/$build/leaving" "$TMP/$build"; done
left() { [[ $(awk '$1 == "State:" { print $2 }' "/proc/$1/status") == Z ]]; }
samples() { awk '{ n += $NF } END { print n + 0 }'; }

for build in fp nofp; do
    background "$TMP/$build" leader $ENDLESS
    pid=$!
    await left $pid
    for unwind in auto fp; do
        [[ $build == fp || $unwind == auto ]] || continue
        "$HEARTH" record -F 499 --unwind=$unwind -p $pid -d 1 -o "$TMP/$build.db" 2>"$TMP/said"
        "$HEARTH" report -i "$TMP/$build.db" -o "$TMP/$build.folded" 2>>"$TMP/said"
        all=$(samples <"$TMP/$build.folded")
        named=$(grep ';start_thread;' "$TMP/$build.folded" | grep -vE '\[(unknown|unwind: [^]]*|truncated)\]|\[[^];]*\+0x' | samples)
        if [[ $all -gt 0 && $((named * 100)) -ge $((all * 90)) ]]; then
            pass "$build, --unwind=$unwind: its stacks are whole and named"
        else
            fail "$build, --unwind=$unwind: its stacks are whole and named" "$named of $all" "$(head -3 "$TMP/$build.folded")"
        fi
        ok "$build, --unwind=$unwind: down to where it burns" grep -q ';start_thread;work;.*hot_leaf' "$TMP/$build.folded"
        is "$build, --unwind=$unwind: its program is known" "$(sqlite3 "$TMP/$build.db" "select exe from process where pid = $pid")" "$TMP/$build"
    done
done
calls=$("$HEARTH" hist "uprobe:$TMP/nofp:hot_leaf" -p $pid -d 1 -f json 2>"$TMP/said" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["count"])')
ok "a probe of it counts its calls ($calls)" test "${calls:-0}" -gt 0
address=$(nm "$TMP/nofp" | awk '$3 == "hot_leaf" { print $1 }')
start=$(awk -v file="$TMP/nofp" '$NF == file { split($1, range, "-"); print range[1]; exit }' "/proc/$pid/task"/*/maps)
like 'its addresses have names' "$("$HEARTH" symbolize -p $pid "$(printf '0x%x' $((0x$address + 0x$start)))")" '^hot_leaf '
like 'and its probes are listed' "$("$HEARTH" list -p $pid probes 2>&1 | grep -c hot_leaf)" '^[1-9]'
done_testing
