#!/bin/bash
# check: 600 s
# The daemon's file rotates at midnight, and the wall clock jumps back a day and forward a year, while a program's calls are
# counted: its own count of them is what all files have together.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
library=$(find /usr/lib /usr/lib64 -name libfaketimeMT.so.1 2>/dev/null | head -1)
[[ $library ]] || skip_all "$(lacks faketime)"
home=$TMP/home
cp "$LOADS/nofp/hits" "$TMP/hits" # a file of its own: other tests run that one, and the daemon counts all processes
hit="uprobe:$TMP/hits:hit"
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
count() { sql 'SELECT coalesce(sum(samples), 0) FROM sample'; }
day() { date -u -d "@$(($(date +%s) + offset))" +%F; } # by the daemon's clock
# Of a day's file alone.
of_day() { sqlite3 "file:$home/$1.full.1.db?mode=ro" "$2" 2>/dev/null; }
has() { [[ $(of_day "$1" 'SELECT count(*) FROM interval WHERE end_ns > start_ns') -gt ${2:-0} ]]; }
steps() { [[ $(grep -c 'hearth: the clock has gone' "$TMP/said") == "$1" ]]; }
# The clock goes to this offset from the true one, in seconds: OFFSET
set_clock() {
    offset=$1
    printf '%+d\n' "$1" >"$TMP/offset.new"
    mv "$TMP/offset.new" "$TMP/offset"
}

export FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 FAKETIME_TIMESTAMP_FILE=$TMP/offset
set_clock 0
LD_PRELOAD=$library "$HEARTH" --version >/dev/null 2>&1 || skip_all 'this build does not run under libfaketime'
printf 'event = %s\ninterval = 500ms\nmax-cpu = 100%%\n' "$hit" >"$TMP/hearth.conf"
today=$(day)
LD_PRELOAD=$library "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await has "$today"
"$TMP/hits" 0 2 >"$TMP/truth" &
hits=$!
tap_children+=("$hits")
await has "$today" 3

set_clock $((2 * 86400 - $(date +%s) % 86400 - 4))
before=$(day)
after=$(date -u -d "$before + 1 day" +%F)
ok 'after midnight there is a file of the next day' await has "$after" 2
is 'one jump of the clock is said' "$(grep -c 'the clock has gone forward by' "$TMP/said")" 1
is 'the file of the day ends where that of the next begins' "$(of_day "$before" 'SELECT max(end_ns) FROM interval')" \
    "$(of_day "$after" 'SELECT min(start_ns) FROM interval')"
ok 'midnight lies in between' test "$(of_day "$before" 'SELECT max(start_ns) FROM interval')" -lt "$(date -u -d "$after" +%s)000000000" \
    -a "$(of_day "$after" 'SELECT max(start_ns) FROM interval')" -ge "$(date -u -d "$after" +%s)000000000"

intervals=$(of_day "$before" 'SELECT count(*) FROM interval')
set_clock $((offset - 86400))
ok 'back a day: that day goes on' await has "$before" $((intervals + 1))
ok 'which is said' grep -q 'the clock has gone back by 8[0-9]* s' "$TMP/said"
set_clock $((offset + 366 * 86400))
ok 'forward a year: that day begins' await has "$(day)" 1
ok 'which is said too' steps 3
is 'no interval ends before it begins' "$(sql 'SELECT count(*) FROM interval WHERE end_ns < start_ns OR end_ns > start_ns + 120000000000')" 0

kill $hits
wait $hits
calls=$(truth "$TMP/truth" calls)
has_all() { [[ $(count) -ge $calls ]]; }
await has_all
is 'all files together have each call, once' "$(count)" "$calls"
gaps=$("$HEARTH" stat -i "$home" -f json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["gaps"])')
is 'stat shows the gaps' "$gaps" 3
kill -TERM $daemon
wait $daemon
is 'ends well' "$? $(grep -vE 'the clock has gone|does not answer' "$TMP/said")" '0 '
for file in "$home"/*.db; do is "${file##*/} is whole" "$(sqlite3 "$file" 'PRAGMA integrity_check')" ok; done
done_testing
