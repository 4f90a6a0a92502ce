#!/bin/bash
# check: 300 s
# A daemon keeps 2048 keys of its histograms apart in each interval: those of an interval with more of them do not make
# later keys "others".
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
values() { "$HEARTH" sql -i "$home" "SELECT coalesce(sum(count), 0) FROM histogram WHERE $1" 2>/dev/null; }
printf 'hist = uprobe:libc:labs\nby = arg0\ninterval = 200ms\nmax-cpu = 100%%\n' >"$TMP/hearth.conf"
"$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
begun() { [[ $("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval' 2>/dev/null) -gt 0 ]]; }
await begun

# calls FROM TO: labs() of each number
calls() { python3 -c 'import ctypes, sys
labs = ctypes.CDLL("libc.so.6").labs
for i in range(int(sys.argv[1]), int(sys.argv[2])): labs(ctypes.c_long(i))' "$@"; }
calls 1000000 1005000
has_all() { [[ $(values "key LIKE '100____' OR key = 'others'") -ge 5000 ]]; }
ok 'every call is counted' await has_all
ok 'more keys than are kept apart are others' test "$(values "key = 'others'")" -gt 0
calls 2000000 2000003
has_later() { [[ $(values "key LIKE '200000_'") == 3 ]]; }
ok 'later keys have their own names' await has_later
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0
done_testing
