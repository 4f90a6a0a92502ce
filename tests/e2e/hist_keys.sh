#!/bin/bash
# check: 600 s
# A histogram for each value of a key, each kind of key and probe; what a terminal sees while it goes on.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
calls=$LOADS/nofp/calls waits=$LOADS/nofp/waits

# keys EXPRESSION: over the histograms that were written, `rows`.
keys() { python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$TMP/x.json" "$1"; }
hist() { "$HEARTH" hist -f json -o "$TMP/x.json" "$@" 2>"$TMP/said"; }

# --- Two processes of one program, one of another name.
cp "$calls" "$TMP/others"
cat >"$TMP/three.sh" <<S
$calls 1 20 0 & echo pid \$! 20; $calls 1 30 0 & echo pid \$! 30; $TMP/others 1 10 0 >&2; wait
S
hist "uprobe:$calls:timed_call" --by pid -- sh "$TMP/three.sh" >"$TMP/truth"
is 'by pid: each its calls' "$(keys 'sorted((r["by"], r["count"]) for r in rows)')" \
    "$(awk '$1 == "pid" { print $2, $3 }' "$TMP/truth" | python3 -c 'import sys; print(sorted((l.split()[0], int(l.split()[1])) for l in sys.stdin))')"
hist "usdt:$calls:hearth_test:begin,end" --by comm -- sh "$TMP/three.sh" >/dev/null
is 'by comm: both together' "$(keys '[(r["by"], r["count"]) for r in rows]')" "[('calls', 50)]"
hist "uprobe:$calls:timed_call" --by arg0 -- "$calls" 1 7 3 >/dev/null
is 'by an argument of a function' "$(keys 'sorted((r["by"], r["count"]) for r in rows)')" "[('1000000', 7), ('16000000', 3)]"
hist "uprobe:$calls:timed_call" --by arg1 -- "$calls" 1 7 3 2 >/dev/null
is 'by another' "$(keys 'sorted((r["by"], r["count"]) for r in rows)')" "[('0', 10), ('1', 10), ('2', 10)]"
hist "uprobe:$calls:timed_call" --by arg0:u16 -- "$calls" 1 7 3 >/dev/null
is 'by the part of an argument that counts' "$(keys 'sorted((r["by"], r["count"]) for r in rows)')" "[('16960', 7), ('9216', 3)]"
hist "usdt:$LOADS/nofp/requests:hearth_test:request_end" --value arg0 --by arg1:s32 -- "$LOADS/nofp/requests" >/dev/null
is 'by an argument with a sign' "$(keys '[r["count"] for r in rows if r["by"] == "-1"]')" '[40]'
hist "uprobe:$calls:timed_call" --by arg0:s99 -- "$calls" 1 1 1 >/dev/null
is 'of a size that does not exist' "$? $(grep -c 'arg1:s32' "$TMP/said")" '2 1'
hist "uprobe:$calls:timed_call" --value arg0 --by arg1 -- "$calls" 1 7 3 1 >/dev/null
is 'one argument by another' "$(keys 'sorted((r["by"], r["count"], r["sum"], r["unit"]) for r in rows)')" \
    "[('0', 10, 55000000, 'count'), ('1', 10, 55000000, 'count')]"

# --- More keys than are kept apart: the rest is one, and none is missing, also where the first drains find nothing.
late=(sh -c 'sleep 0.5; exec "$0" "$@"')
for stacks in '' --stacks; do
    hist "uprobe:$LOADS/nofp/hits:hit" --value arg0 --by arg0 $stacks -i 0.1 -o "$TMP/x.db" -- "${late[@]}" "$LOADS/nofp/hits" 20000 1 >/dev/null
    "$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/x.hist.json" 2>/dev/null && mv "$TMP/x.hist.json" "$TMP/x.json"
    is "20,000 keys${stacks:+ with stacks}" "$(keys 'len(rows), sum(r["count"] for r in rows) + rows[0]["lost"], rows[0]["by"], rows[0]["count"] > 10000')" \
        "(2049, 20000, 'others', True)"
done

# --- Threads that wait, by what they are called and by their ids.
for probe in off-cpu runq syscall:clock_nanosleep; do
    hist $probe --by tid -- "$waits" 10 >"$TMP/truth"
    for name in sleeper holder; do
        tid=$(awk -v name=$name '$2 == "thread" && $3 == name { print $4 }' "$TMP/truth")
        ok "$probe by tid: the $name has its own" test "$(keys "sum(r['count'] for r in rows if r['by'] == '$tid')")" -ge 10
    done
    hist $probe --by comm --stacks -o "$TMP/x.db" -- "$waits" 10 >"$TMP/truth"
    "$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/x.hist.json" 2>/dev/null && mv "$TMP/x.hist.json" "$TMP/x.json"
    of_comm=$(keys '{r["by"]: (r["count"], r["sum"]) for r in rows if r["by"] in ("sleeper", "holder")}')
    "$HEARTH" report -i "$TMP/x.db" -f hist --by comm -o "$TMP/x.hist.json" 2>/dev/null && mv "$TMP/x.hist.json" "$TMP/x.json"
    is "$probe by comm: the stored key and the threads of the stacks agree" \
        "$(keys '{r["by"]: (r["count"], r["sum"]) for r in rows if r["by"] in ("sleeper", "holder")}')" "$of_comm"
done
hist off-cpu --by comm --min-block 15ms --max-block 1 -- "$waits" 10 >"$TMP/truth"
is 'off-cpu: short waits do not count' "$(keys '[r["by"] for r in rows if r["by"] == "sleeper" and r["p50"] < 15000000]')" '[]'
ok 'off-cpu: long ones do' test "$(keys 'sum(r["count"] for r in rows if r["by"] == "holder")')" -ge 10
ok 'off-cpu: none is shorter than asked' test "$(keys 'min(r["min"] for r in rows)')" -ge 15000000
hist off-cpu --by comm --max-block 15ms -- "$waits" 10 >"$TMP/truth"
ok 'off-cpu: none is longer than asked' test "$(keys 'max(r["max"] for r in rows)')" -le 15000000
hist 'syscall:*' --by pid -- "$waits" 5 >/dev/null
is 'each system call by pid' "$(keys '[r["count"] for r in rows if r["by"].startswith("clock_nanosleep, ")]')" '[10]'

cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [[ -n $cgroups ]] && mkdir "$cgroups/hearth-keys-$$" 2>/dev/null; then
    at_exit "await rmdir $cgroups/hearth-keys-$$"
    hist "uprobe:$calls:timed_call" --by cgroup -- sh -c "$calls 1 10 0; echo \$\$ >$cgroups/hearth-keys-$$/cgroup.procs; exec $calls 1 20 0" >/dev/null
    is 'by cgroup' "$(keys '[r["count"] for r in rows if r["by"] == "/hearth-keys-'$$'"], sum(r["count"] for r in rows)')" '([20], 30)'
else
    skip 'by cgroup' 'this kernel has no writable cgroup v2 mounted'
fi

# --- While it goes on, on a terminal: whole screens, whose counts only grow; at the end what was asked for.
for format in text json svg; do
    script -qec "$HEARTH hist uprobe:$calls:timed_call -i 0.2 -f $format -- $calls 1 450 50" /dev/null </dev/null >"$TMP/screens" 2>/dev/null
    python3 - "$TMP/screens" $format >"$TMP/verdict" 2>&1 <<'P'
import json, re, sys, xml.dom.minidom
screens = open(sys.argv[1], newline="").read().replace("\r\n", "\n").split("\x1b[H\x1b[2J")[1:]
last = re.sub(r"^(truth|hearth:).*\n?", "", screens.pop(), flags=re.M)
assert len(screens) >= 2, "%d screens" % len(screens)
counts = []
for screen in screens:
    counts.append(int(re.search(r"^count (\d+), sum", screen, re.M).group(1)))
    bars = re.findall(r"^\[[^)]*\) +(\d+) \|@* *\|$", screen, re.M)
    assert sum(map(int, bars)) == counts[-1], screen
assert counts == sorted(counts) and counts[-1] > 0, counts
if sys.argv[2] == "json":
    assert json.loads(last)[0]["count"] == 500
elif sys.argv[2] == "svg":
    assert "500 values, sum" in xml.dom.minidom.parseString(last.strip()).toxml()
else:
    assert "count 500, sum" in last
print("good")
P
    is "live on a terminal, then $format" "$(cat "$TMP/verdict")" good
done
"$HEARTH" hist "uprobe:$calls:timed_call" -i 0.2 -- "$calls" 1 100 10 2>/dev/null | grep -v '^truth' >"$TMP/piped"
is 'into a pipe once' "$(grep -c '^count 110, sum' "$TMP/piped") $(grep -c '^count' "$TMP/piped")" '1 1'
done_testing
