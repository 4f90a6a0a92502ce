#!/bin/bash
# check: 300 s
# The cost of the daemon itself: each interval tells it, `hearth stat` shows it, and what can wait runs at the lowest
# priority. Bounds of memory and of writing are kept by lower rates and fewer events, which is said, stored and undone.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
intervals() { [[ $(sql 'SELECT count(*) FROM interval') -ge $1 ]]; }
stat_of() { "$HEARTH" stat -f json "$home" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

printf 'event = cpu\nhist = runq\nfreq = 99\ninterval = 500ms\nmax-cpu = 100%%\n' >"$conf"
"$HEARTH" daemon -c "$conf" -o "$home" 2>>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await intervals 4

# --- Its cost
like 'each interval tells what memory and writing cost' \
    "$(sql 'SELECT min(own_rss_bytes > 1000000), min(own_map_bytes > 100000), min(id = 1 OR own_written_bytes > 0) FROM interval')" \
    '^1.1.1$'
# While rows of more files come in, the maps grow: the last interval tells their size once that stays.
maps_of() { cat /proc/$daemon/fdinfo/* 2>/dev/null | awk '/^memlock:/ { size = $2 } /^map_id:/ { sizes[$2] = size } END { for (id in sizes) sum += sizes[id]; print sum + 0 }'; }
agree() {
    maps=$(maps_of)
    told=$(sql 'SELECT own_map_bytes FROM interval ORDER BY id DESC LIMIT 1')
    [[ $told -gt $((maps - maps / 5)) && $told -lt $((maps + maps / 5)) ]]
}
ok 'the maps as the kernel tells of them' await agree
files=$(cat "$home"/*.db | wc -c)
ok 'more was written than the files hold' test "$(sql 'SELECT sum(own_written_bytes) FROM interval')" -gt $((files / 2))
# Intervals go on to come, and the maps may grow meanwhile.
most() { sql 'SELECT max(own_map_bytes) FROM interval'; }
before=$(most) shown=$(stat_of peak_map_bytes) after=$(most)
ok 'stat shows the most' test "$shown" -ge "$before" -a "$shown" -le "$after"
like 'in words too' "$("$HEARTH" stat "$home" 2>/dev/null | grep '^own cost')" 'of memory and .* of BPF maps; .* written, .* a minute'

# --- Its threads and processes that can wait
# Each thread of the daemon and its children: nice, policy (SCHED_BATCH is 3), class of I/O (3: idle), name
priorities() {
    python3 - "$daemon" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None)
SYS_ioprio_get = 252
pids = [sys.argv[1]]
def tell(pid, tid):
    head, tail = open(f'/proc/{pid}/task/{tid}/stat').read().rsplit(')', 1)
    fields = tail.split()
    print(fields[16], fields[38], libc.syscall(SYS_ioprio_get, 1, int(tid)) >> 13, head.split('(', 1)[1],
          'main' if pid == tid == sys.argv[1] else 'other' if int(fields[11]) + int(fields[12]) else 'unused')
    return open(f'/proc/{pid}/task/{tid}/children').read().split()
for pid in pids:
    try:
        for tid in os.listdir(f'/proc/{pid}/task'):
            pids += tell(pid, tid)
    except OSError: # it has ended
        pass
P
}
# Not lowered: hearth-install waits for the kernel, hearth-opener and hearth-keeper wait for others, and hearth-jit opens
# files of processes that are about to end. A worker lowers itself when its first job has come: up to then it has done
# nothing.
usual='main|hearth-(install|opener|keeper|jit|start[a-z]*) [a-z]*|hearth-worker unused'
all_lowered() {
    priorities >"$TMP/priorities" && ! grep -vE " ($usual)\$" "$TMP/priorities" | grep -v '^19 3 3 '
}
if await all_lowered; then
    pass 'what names and compiles has the lowest priority'
else
    fail 'what names and compiles has the lowest priority' "$(grep -vE " ($usual)\$" "$TMP/priorities")"
fi
ok 'the thread that makes rows too' grep -q '^19 3 3 hearth-rows' "$TMP/priorities"
ok 'they are there: naming, rows, upkeep' test "$(grep -c '^19 3 3 ' "$TMP/priorities")" -ge 3
is 'and that one has the usual' "$(awk '/ main$/ { print $1, $2 }' "$TMP/priorities")" '0 0'

# --- Its budget
said() { grep -qE "$1" "$TMP/said"; }
reload() { # LINE...
    : >"$TMP/said"
    { printf 'event = cpu\nevent = page-faults\nhist = runq\nfreq = 499\ninterval = 500ms\nmax-cpu = 100%%\n'; printf '%s\n' "$@"; } >"$conf"
    kill -HUP $daemon
}
lost() { sql "SELECT coalesce(sum(count), 0) FROM loss WHERE name = '$1'"; }
reload 'max-memory = 10G' 'max-write = 1G/min'
await said 'another one begins'
count=$(sql 'SELECT max(id) FROM interval')
await intervals $((count + 2))
is 'nothing is done without while there is room' "$(lost budget-lowered) $(lost budget-dropped)" '0 0'
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
burn=$!
reload 'max-memory = 1M'
ok 'memory above its bound: rates are halved' await said 'hearth takes [0-9.]* MiB, more than max-memory \(1.0 MiB\): all rates are halved'
ok 'then an event is dropped: a histogram first' await said "'runq' is recorded no more"
ok 'then the last event' await said "'page-faults' is recorded no more"
is 'rates were halved so many times before' "$(grep -c 'all rates are halved' "$TMP/said")" 4
gone() { [[ $(lost budget-dropped) -gt 2 ]]; }
ok 'the store tells of it' await gone
like 'so does stat' "$("$HEARTH" stat "$home" 2>/dev/null)" 'budget-lowered [0-9]+: intervals in which'
like 'and a report of that time' "$("$HEARTH" report -i "$home" -f top 2>&1)" 'budget-lowered'
is 'the first event stays' "$(grep -c "'cpu' is recorded no more" "$TMP/said")" 0

reload 'max-memory = 10G'
ok 'a higher bound undoes the steps' await said 'an event is recorded again'
ok 'each event comes back' await said "'runq' is recorded from now on"
again() { [[ $(grep -c 'all rates are doubled again' "$TMP/said") == 4 ]]; }
ok 'so do the rates' await again
count=$(lost budget-lowered)
await intervals $(($(sql 'SELECT max(id) FROM interval') + 4))
settled=$(lost budget-lowered)
await intervals $(($(sql 'SELECT max(id) FROM interval') + 2))
is 'no interval is lowered any more' "$(lost budget-lowered)" "$settled"

reload 'max-write = 1000/min' 'drop = page-faults'
ok 'writing above its bound does the same' await said 'a minute, more than max-write \(0.00 MiB\): all rates are halved'
ok 'what the file names is dropped' await said "'page-faults' is recorded no more"
used=$(awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$burn/stat")
kill $burn
has_end() { ! sampled_now; }
sampled_now() { [[ $(sql "SELECT count(*) FROM sample WHERE pid = $burn AND interval > (SELECT max(id) - 2 FROM interval)") -gt 0 ]]; }
await has_end
within 'samples of lower rates weigh more: the sum is true' \
    "$(sql "SELECT sum(value) / 499.0 FROM sample WHERE pid = $burn AND event = 'cpu'")" "$used" \
    "$(awk "BEGIN { print $used * 0.15 }")"
is 'and only that' "$(grep -c "'runq' is recorded no more" "$TMP/said")" 0
reload 'max-cpu = 100%'
await said 'all rates are doubled again'
reload 'max-cpu = 0.001%'
ok 'CPU time above its bound does the same' await said 'hearth takes [0-9.e-]+ % of all CPUs, more than max-cpu \(0.001 %\): all rates are halved'
reload 'drop = nonsense'
ok 'an event that is not there cannot be dropped' await said "hearth.conf:7: no event or hist is 'nonsense', which drop names"
reload 'max-write = much'
ok 'nor is every word a size' await said "hearth.conf:7: .*much"
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0
done_testing
