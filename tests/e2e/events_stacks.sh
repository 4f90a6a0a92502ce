#!/bin/bash
# check: 600 s
# Stacks of every kind of event are as whole as CPU samples are, of the same run of a program that has no frame pointers:
# python3 and sqlite3 as the distribution builds them, and threads that wait for each other. What a program does at its very
# first start, until its unwind rows are made, is left out: it runs once before, under another name.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
samples() { awk '{ n += $NF } END { print n + 0 }'; }

# Share of the whole stacks of an event, by samples, in tenths of a percent, and how many there are.
share() {
    "$HEARTH" report -i "$TMP/x.db" -e "$1" -f json -o "$TMP/x.json" 2>/dev/null
    python3 - "$TMP/x.json" "$2" <<'P'
import json, sys
profile, comm = json.load(open(sys.argv[1])), sys.argv[2]
parent, frame, own = (profile["nodes"][k] for k in ("parent", "frame", "self"))
names = [f["name"] for f in profile["frames"]]
kinds = [f["kind"] for f in profile["frames"]]
# Of each node: the comm it stands below, and whether its stack is marked as cut or broken.
comms, broken = [None] * len(own), [False] * len(own)
whole = all_of_it = 0
for i in range(1, len(own)):
    up = parent[i]
    comms[i] = names[frame[i]] if up == 0 else comms[up]
    mark = kinds[frame[i]] == "mark" and names[frame[i]].strip("[]").split(":")[0] in ("truncated", "unwind", "stack lost")
    broken[i] = broken[up] or mark
    if comms[i] == comm:
        all_of_it += own[i]
        whole += 0 if broken[i] else own[i]
print(round(1000 * whole / all_of_it) if all_of_it else 0, round(all_of_it))
P
}

# kinds WHAT COMM EVENT... -- COMMAND...: cpu is the first event.
kinds() {
    local what=$1 comm=$2 events=() event cpu these count options=()
    shift 2
    while [[ $1 != -- ]]; do
        events+=("$1")
        options+=(-e "$1")
        shift
    done
    shift
    "$HEARTH" record "${options[@]}" -F 999 -o "$TMP/x.db" -- "$@" >/dev/null 2>"$TMP/said"
    read -r cpu count <<<"$(share cpu "$comm")"
    ok "$what: cpu: $((cpu / 10)).$((cpu % 10)) % whole of $count" test "$count" -ge 100 -a "$cpu" -ge 970
    for event in "${events[@]:1}"; do
        read -r these count <<<"$(share "$event" "$comm")"
        ok "$what: $event: $((these / 10)).$((these % 10)) % whole of $count" test "$count" -ge 20 -a "$these" -ge $((cpu - 20))
    done
}

if [[ -x /usr/bin/python3 ]]; then
    cat >"$TMP/work.py" <<'P'
import json, re, time
def walk(n):
    if n < 2:
        return n
    return walk(n - 1) + walk(n - 2)
end = time.process_time() + 0.8
while time.process_time() < end:
    walk(12)
    json.loads(json.dumps([{"k%d" % i: list(range(i % 20)) for i in range(100)}]))
    re.findall(r"\d+", str(list(range(300))))
    time.sleep(0.0005)
P
    python=$(readlink -f /usr/bin/python3)
    usdt=()
    if "$HEARTH" list probes "usdt:$python:python:gc__start" >/dev/null 2>&1; then usdt=("usdt:$python:python:*"); fi
    ln -s "$python" "$TMP/first_python"
    kinds python3 python3 cpu off-cpu page-faults tracepoint:syscalls:sys_enter_clock_nanosleep uprobe:libc:malloc \
        uretprobe:libc:malloc "${usdt[@]}" -- sh -c "'$TMP/first_python' -c 'import json, re, time'; sleep 2; exec /usr/bin/python3 '$TMP/work.py'"
else
    skip python3 'python3 is not installed'
fi
if command -v sqlite3 >/dev/null; then
    cat >"$TMP/work.sql" <<'Q'
PRAGMA cache_size = 50;
CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<8000) INSERT INTO t SELECT x, hex(x*x) FROM c;
CREATE INDEX i ON t(b);
SELECT count(DISTINCT printf('%d', (a*7919)%10007)), sum(length(b)) FROM t;
UPDATE t SET b = b || 'x' WHERE a % 3 = 0;
Q
    ln -s "$(command -v sqlite3)" "$TMP/first"
    kinds sqlite3 sqlite3 cpu off-cpu page-faults tracepoint:syscalls:sys_enter_pwrite64 uprobe:libc:malloc \
        uretprobe:libc:malloc 'uprobe:libsqlite3:sqlite3_value_*' -- \
        sh -c "'$TMP/first' '$TMP/t.db' <'$TMP/work.sql'; sleep 2; rm '$TMP/t.db'; exec sqlite3 '$TMP/t.db' <'$TMP/work.sql'"
else
    skip sqlite3 'sqlite3 is not installed'
fi
kinds 'two threads' switches cpu off-cpu context-switches tracepoint:sched:sched_switch uprobe:libc:write uretprobe:libc:read -- \
    "$LOADS/nofp/switches" 20000
done_testing
