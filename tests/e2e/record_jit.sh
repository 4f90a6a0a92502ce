#!/bin/bash
# check: 600 s
# Names of JIT code whose process has ended, was forked, or wrote its map late.
. tests/tap.sh

jit=$LOADS/fp/jit
counts() { awk -v c="$1" '$0 ~ "^" c ";" { n = $NF; all += n; if (/jit_inner/) named += n } END { print named + 0, all + 0 }' "$2"; }
all_named() { # WHAT FILE
    local named all
    read -r named all < <(counts jit "$2")
    ok "$1: has samples" test "$all" -ge 10
    ok "$1: has its name, but where it starts and ends ($named of $all)" test $((100 * named)) -ge $((80 * all))
}

"$jit" 0.01 >"$TMP/probe"
if [[ $? == 77 ]]; then skip_all 'the workload has code for another machine'; fi
rm -f "/tmp/perf-$(truth "$TMP/probe" pid).map"

for mode in map late fork; do
    "$HEARTH" record -F 499 -o "$TMP/$mode.folded" -- "$jit" 1 "$mode" >"$TMP/$mode" 2>"$TMP/log"
    rm -f "/tmp/perf-$(truth "$TMP/$mode" pid).map"
    all_named "the process has ended, mode $mode" "$TMP/$mode.folded"
done

# Names come with a later interval than the frames did: a process that ends amid a recording.
mkdir "$TMP/out"
background "$HEARTH" record -F 499 -i 1 -o "$TMP/out/a.db" -d $ENDLESS 2>"$TMP/log"
recorder=$!
await recording "$TMP/out"
"$jit" 1 late >"$TMP/truth"
await sampled "$TMP/out" jit 100
kill -INT $recorder
wait $recorder 2>/dev/null
rm -f "/tmp/perf-$(truth "$TMP/truth" pid).map"
"$HEARTH" report -i "$TMP/out/a.db" -f folded --comm jit -o "$TMP/amid.folded" 2>/dev/null
all_named 'the process has ended amid a recording' "$TMP/amid.folded"

# node writes its jitdump by large buffers, the last of them when it ends.
if command -v node >/dev/null; then
    cat >"$TMP/short.js" <<'END'
function hotLeaf(n) { let s = 0; for (let i = 0; i < n; i++) s = (s ^ (i * 7)) | 0; return s; }
function hotOuter(n) { return hotLeaf(n) + 1; }
let s = 0;
while (process.cpuUsage().user < 1.5e6) s += hotOuter(200000);
END
    (cd "$TMP" && "$HEARTH" record -F 499 -i 1 -o "$TMP/node.folded" -- node --perf-prof short.js 2>"$TMP/log")
    read -r named all < <(awk '/hot(Leaf|Outer)/ { n += $NF } /hot(Leaf|Outer)|\[jit\]/ { a += $NF } END { print n + 0, a + 0 }' "$TMP/node.folded")
    ok "a jitdump whose end is written when node ends ($named of $all)" test $((100 * named)) -ge $((60 * all + 1))
else
    skip 'a jitdump whose end is written when node ends' "$(lacks nodejs)"
fi

# A map that is nothing but a hole, and grows all the time, is not read again and again.
"$jit" $ENDLESS nomap >"$TMP/hole" &
tap_children+=($!)
pid=$! map=/tmp/perf-$!.map
at_exit "rm -f $map"
truncate -s 2T "$map" 2>/dev/null || map=
own_ms() { # STORE: what hearth itself used while it recorded the process
    "$HEARTH" record -F 99 -i 1 -d 4 -p $pid -o "$1" 2>"$TMP/log"
    sqlite3 "$1" 'select sum(own_cpu_ns) / 1000000 from interval'
}
if [[ $map ]]; then
    grow() { while kill -0 "$1" 2>/dev/null; do echo '1 1 x' >>"$2"; sleep 0.2; done; }
    grow $pid "$map" &
    tap_children+=($!)
    growing=$(own_ms "$TMP/growing.db")
    kill "${tap_children[-1]}"
    rm "$map"
    none=$(own_ms "$TMP/none.db")
    ok "a sparse map that grows costs little ($growing ms, without it $none)" test "$growing" -lt $((none + 1000))
else
    skip 'a sparse map that grows costs little' 'the filesystem of /tmp has no files of 2 TB'
fi
done_testing
