#!/bin/bash
# check: 600 s, long
# Another program writes into the middle of the file that the daemon writes to. The daemon looks it through each minute: the
# file is set aside, which is said, and the intervals go to another one.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
printf 'event = cpu\nfreq = 199\ninterval = 500ms\n' >"$TMP/hearth.conf"
background "$LOADS/nofp/burn" 1 $ENDLESS
"$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
live() { echo "$home"/*.full.1.db; }
# In 4 KiB pages, WAL not counted.
is_large() { [[ $(stat -c %s "$(live)" 2>/dev/null) -gt $((40 * 4096)) ]]; }
await is_large
pages=$(($(stat -c %s "$(live)") / 4096))
dd if=/dev/urandom of="$(live)" bs=4096 seek=$((pages / 2)) count=8 conv=notrunc status=none
is 'the file is damaged' "$(sqlite3 "$(live)" 'PRAGMA quick_check(1)' 2>&1 | grep -cx ok)" 0
noticed() { grep -qE "full.1.*is damaged" "$TMP/said"; }
ok 'that is noticed and said' eval 'await noticed || await noticed'
goes_on() { [[ $(sqlite3 "file:$(echo "$home"/*.full.2.db)?mode=ro" 'SELECT count(*) FROM interval WHERE end_ns > start_ns' 2>/dev/null) -gt 1 ]]; }
ok 'intervals go to another file' await goes_on
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0
is 'the next file is whole' "$(sqlite3 "$(echo "$home"/*.full.2.db)" 'PRAGMA integrity_check')" ok
like 'stat tells of the damaged one' "$("$HEARTH" stat -i "$home" 2>&1)" 'damaged .*full.1'
done_testing
