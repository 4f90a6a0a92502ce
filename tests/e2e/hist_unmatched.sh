#!/bin/bash
# check: 600 s, long
# Calls of functions, pairs of USDT probes and system calls that begin, and whose end hearth does not see because their
# thread or the recording ends first, are counted as unmatched.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
# A file and a name of this test's own: a probe is on a file, --comm is a name, and others run the workload meanwhile.
own=values$$ values=$TMP/values$$
cp "$LOADS/nofp/values" "$values"

# counts FILE: of each histogram the key, how many ended, how many did not.
counts() { python3 -c 'import json, sys; print(*sorted("%s:%d:%d" % (r["by"], r["count"], r["unmatched"]) for r in json.load(open(sys.argv[1]))))' "$1"; }

# killed PROBE OPTION...: the program is in its 101st call when -d ends it.
killed() { "$HEARTH" hist "$@" -d 2 -f json -o "$TMP/x.json" -- "$values" 100 "$ENDLESS" >/dev/null 2>&1; }
pair=usdt:$values:hearth_test:pause_begin,pause_end
killed "uprobe:$values:pausing"
is 'a call of a thread that is killed' "$(counts "$TMP/x.json")" ':100:1'
killed "uprobe:$values:pausing" --by arg0
is 'is one of its argument' "$(counts "$TMP/x.json")" "0:100:0 ${ENDLESS}000000000:0:1"
killed "$pair"
is 'a pair of USDT probes' "$(counts "$TMP/x.json")" ':100:1'
killed "$pair" --key arg0 --by comm
is 'a pair by key' "$(counts "$TMP/x.json")" "$own:100:1"

# running PROBE: of threads that live on when the recording ends, after the workload has begun to wait.
running() {
    local hearth child
    rm -rf "$TMP/unseen" && mkdir "$TMP/unseen"
    TMPDIR=$TMP/unseen "$HEARTH" hist "$1" --comm "$own" -f json -o "$TMP/x.json" 2>/dev/null &
    hearth=$!
    await recording "$TMP/unseen"
    background "$values" 100 "$ENDLESS" >"$TMP/truth"
    child=$!
    await grep -q '^truth sum' "$TMP/truth" # each of the calls before sleeps too, if only for a moment
    await grep -q nanosleep "/proc/$child/wchan"
    kill -INT $hearth
    wait $hearth
    kill $child
}
running "uprobe:$values:pausing"
is 'a call of a thread that lives on' "$(counts "$TMP/x.json")" ':100:1'
running "$pair"
is 'a pair of USDT probes there' "$(counts "$TMP/x.json")" ':100:1'
running syscall:clock_nanosleep
is 'a system call there' "$(counts "$TMP/x.json")" ':100:1'
"$HEARTH" hist 'syscall:*' -f json -o "$TMP/x.json" -- true 2>/dev/null
is 'an end by exit_group is no loss' "$(counts "$TMP/x.json" | grep -c 'exit')" 0
done_testing
