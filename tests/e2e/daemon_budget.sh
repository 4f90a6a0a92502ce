#!/bin/bash
# check: 300 s
# The cost of the daemon itself: each interval tells it, `hearth stat` shows it, and what can wait runs at the lowest
# priority.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
intervals() { [[ $(sql 'SELECT count(*) FROM interval') -ge $1 ]]; }
stat_of() { "$HEARTH" stat -f json "$home" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

printf 'event = cpu\nhist = runq\nfreq = 99\ninterval = 500ms\nmax-cpu = 100%%\n' >"$conf"
"$HEARTH" daemon -c "$conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await intervals 4

# --- Its cost
like 'each interval tells what memory and writing cost' \
    "$(sql 'SELECT min(own_rss_bytes > 1000000), min(own_map_bytes > 100000), min(id = 1 OR own_written_bytes > 0) FROM interval')" \
    '^1.1.1$'
maps=$(cat /proc/$daemon/fdinfo/* 2>/dev/null | awk '/^memlock:/ { size = $2 } /^map_id:/ { sizes[$2] = size } END { for (id in sizes) sum += sizes[id]; print sum }')
within 'the maps as the kernel tells of them' "$(sql 'SELECT max(own_map_bytes) FROM interval')" "$maps" $((maps / 5))
files=$(cat "$home"/*.db | wc -c)
ok 'more was written than the files hold' test "$(sql 'SELECT sum(own_written_bytes) FROM interval')" -gt $((files / 2))
is 'stat shows the sums' "$(stat_of peak_map_bytes)" "$(sql 'SELECT max(own_map_bytes) FROM interval')"
like 'in words too' "$("$HEARTH" stat "$home" 2>/dev/null | grep '^own cost')" 'of memory and .* of BPF maps; .* written, .* a minute'

# --- Its threads and processes that can wait
# Each thread of the daemon and its children: nice, policy (SCHED_BATCH is 3), class of I/O (3: idle), name
priorities() {
    python3 - "$daemon" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None)
SYS_ioprio_get = 252
pids = [sys.argv[1]]
for pid in pids:
    for tid in os.listdir(f'/proc/{pid}/task'):
        pids += open(f'/proc/{pid}/task/{tid}/children').read().split()
        head, tail = open(f'/proc/{pid}/task/{tid}/stat').read().rsplit(')', 1)
        fields = tail.split()
        print(fields[16], fields[38], libc.syscall(SYS_ioprio_get, 1, int(tid)) >> 13, head.split('(', 1)[1],
              'main' if pid == tid == sys.argv[1] else 'other' if int(fields[11]) + int(fields[12]) else 'unused')
P
}
# Not lowered: hearth-install waits for the kernel, hearth-opener and hearth-keeper wait for others, and hearth-jit opens
# files of processes that are about to end. A worker lowers itself when its first job has come: up to then it has done
# nothing.
usual='main|hearth-(install|opener|keeper|jit) [a-z]*|hearth-worker unused'
all_lowered() {
    priorities >"$TMP/priorities" && ! grep -vE " ($usual)\$" "$TMP/priorities" | grep -v '^19 3 3 '
}
ok 'what names and compiles has the lowest priority' await all_lowered
ok 'the thread that makes rows too' grep -q '^19 3 3 hearth-rows' "$TMP/priorities"
ok 'they are there: naming, rows, upkeep' test "$(grep -c '^19 3 3 ' "$TMP/priorities")" -ge 3
is 'and that one has the usual' "$(awk '/ main$/ { print $1, $2 }' "$TMP/priorities")" '0 0'
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0
done_testing
