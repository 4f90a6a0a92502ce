#!/bin/bash
# check: 300 s
# Rules of the daemon's file: a program that goes bad becomes an incident with a recording of its own, with the stacks of
# its waits; one that comes and goes becomes one incident; a bad rule is refused with its line.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
said() { grep -qE "$1" "$TMP/said"; }
incidents() { "$HEARTH" list incidents -i "$home" 2>/dev/null | grep -E "$1"; }
count_of() { sqlite3 "file:$(ls "$home"/*.full.*.db | tail -1)?mode=ro" "SELECT count(*) FROM incident WHERE rule GLOB '$1'"; }
value_of() { sqlite3 "file:$(ls "$home"/*.full.*.db | tail -1)?mode=ro" "SELECT $2 FROM incident WHERE rule GLOB '$1' ORDER BY id LIMIT 1"; }
intervals() { [[ $("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval' 2>/dev/null) -ge $1 ]]; }
write() { { printf 'event = cpu\nhist = runq\nfreq = 199\ninterval = 1s\nmax-cpu = 100%%\n'; printf '%s\n' "$@"; } >"$conf"; }

# NAME FILE: makes FILE.ready once it has started, sleeps until FILE is there, then prints the time and computes and waits
# in turns; for so many seconds, and as long not, where they are given.
cat >"$TMP/goes.py" <<'P'
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
open(sys.argv[2] + ".ready", "w").close()
while not os.path.exists(sys.argv[2]): time.sleep(0.05)
print(time.time_ns(), flush=True)
start = time.monotonic()
while True:
    if len(sys.argv) < 4 or int((time.monotonic() - start) / float(sys.argv[3])) % 2 == 0:
        end = time.monotonic() + 0.02
        while time.monotonic() < end: pass
    time.sleep(0.004)
P
background python3 "$TMP/goes.py" goesbad "$TMP/bad.go" >"$TMP/bad.truth"
bad=$!
background python3 "$TMP/goes.py" flaps "$TMP/flaps.go" 1.5 >"$TMP/flaps.truth"
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
# The start of an interpreter takes more than 3 % of an interval.
await test -e "$TMP/bad.go.ready" -a -e "$TMP/flaps.go.ready"

write 'when = cpu of comm goesbad > 3%: -F 499 -e cpu -e off-cpu -d 4' 'when = cpu of comm flap* > 3%: -d 2'
"$HEARTH" daemon -c "$conf" -o "$home" 2>>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await intervals 3
is 'nothing has gone wrong yet' "$(count_of '*')" 0
touch "$TMP/bad.go"
ok 'a program that goes bad is an incident' await incidents goesbad
number=$(incidents goesbad | awk '{ print $1 }')
# Beside a load the intervals of 1 s may take longer.
ok 'found within five intervals' test "$("$HEARTH" sql -i "$home" "SELECT count(*) FROM interval
    WHERE start_ns >= $(head -1 "$TMP/bad.truth") AND end_ns <= $(value_of '*goesbad*' end_ns)" 2>/dev/null)" -le 5
is 'its culprit is the process' "$(value_of '*goesbad*' culprit)" "$bad goesbad"
ok 'the log has a line' said "incident: cpu of comm goesbad > 3%: .*: [0-9]+ %, $bad goesbad; recorded in incidents/"
has_waits() { "$HEARTH" report -i "$home" --incident "$number" -e off-cpu -f folded 2>/dev/null | grep -q '^goesbad;.*sleep'; }
ok 'its recording has the stacks of its waits' await has_waits
has_samples() { "$HEARTH" report -i "$home" --incident "$number" -e cpu -f folded 2>/dev/null | grep -q '^goesbad;'; }
ok 'and its samples' await has_samples
is 'of it alone' "$("$HEARTH" report -i "$home" --incident "$number" -e cpu -f folded 2>/dev/null | grep -vc '^goesbad;')" 0
"$HEARTH" diff -i "$home" --incident "$number" -f folded -o "$TMP/diff" 2>"$TMP/diff.said"
is 'it is compared with what was before' "$? $(grep -c "incident $number against the hour before" "$TMP/diff.said")" '0 1'
ok 'and shown there' grep -q goesbad "$TMP/diff"

# --- One that comes and goes
touch "$TMP/flaps.go"
ok 'one that comes and goes is an incident' await incidents 'flap\*'
await intervals $(($("$HEARTH" sql -i "$home" 'SELECT max(id) FROM interval' 2>/dev/null) + 7))
is 'once, however often it comes' "$(count_of '*flap*')" 1
is 'so is one that stays' "$(count_of '*goesbad*')" 1

# --- The file is read again
write 'when = cpu of comm goesbad > much'
kill -HUP $daemon
ok 'a bad rule is refused with its line' await said 'hearth.conf:6: when = cpu of comm goesbad > much: .* no share such as 150%'
write 'when = p99 of runq > 20ms: -d 5 -- sh'
kill -HUP $daemon
ok 'so is one that would start a command' await said 'hearth.conf:6: .*starts no command'
write 'when = p99 of off-cpu > 20ms'
kill -HUP $daemon
ok 'and one of a histogram that is not recorded' await said "hearth.conf:6: when = .*: no hist is 'off-cpu'"
write 'when = p99 of runq > 0.001ms: -d 1'
kill -HUP $daemon
ok 'a new rule holds' await incidents 'p99 of runq'
is 'with nobody as its culprit' "$(value_of '*runq*' culprit)" all
rm -rf "$home/incidents"
number=$(incidents goesbad | awk '{ print $1 }')
"$HEARTH" report -i "$home" --incident "$number" -e cpu -f folded -o "$TMP/range" 2>"$TMP/range.said"
is 'an incident without its recording is shown from the day' "$? $(grep -c 'this is the store at that time' "$TMP/range.said")" '0 1'
ok 'with others beside it' grep -q '^burn;' "$TMP/range"
"$HEARTH" report -i "$home" --incident 7 >/dev/null 2>"$TMP/none"
is 'one that is not there is refused' "$? $(grep -c "no incident 7 in" "$TMP/none")" '2 1'

# --- The key of a histogram is the culprit
ln -s "$LOADS/nofp/calls" "$TMP/slowcalls"
ln -s "$LOADS/nofp/calls" "$TMP/fastcalls"
"$TMP/slowcalls" 1 0 60000 >/dev/null &
slow=$!
"$TMP/fastcalls" 1 900000 0 >/dev/null &
fast=$!
tap_children+=("$slow" "$fast")
# Beside a load each call may take long: the argument stays what it is.
calls=uprobe:$LOADS/nofp/calls:timed_call
printf 'event = cpu\nfreq = 199\ninterval = 1s\nmax-cpu = 100%%\nvalue = arg0\nby = comm\nhist = %s\nwhen = p99 of %s > 12ms: -F 499 -e cpu -d 3\n' \
    "$calls" "$calls" >"$conf"
kill -HUP $daemon
ok 'a histogram by comm finds who is slow' await incidents timed_call
is 'which is its culprit' "$(value_of '*timed_call*' culprit)" slowcalls
number=$(incidents timed_call | awk '{ print $1 }')
# Until the recording is there, a report of the incident is one of the day's file.
of_key() {
    "$HEARTH" report -i "$home" --incident "$number" -e cpu -f folded -o "$TMP/keyed" 2>"$TMP/keyed.said" &&
        grep -q '^slowcalls;' "$TMP/keyed" && ! grep -q 'this is the store at that time' "$TMP/keyed.said"
}
ok 'and recorded' await of_key
is 'alone' "$(grep -vc '^slowcalls;' "$TMP/keyed")" 0
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0

# --- Where something was recorded a day before: as if the first intervals had been then
number=$(incidents goesbad | awk '{ print $1 }')
day=$TMP/day.db
sqlite3 "$(ls "$home"/*.full.*.db | tail -1)" "VACUUM INTO '$day'"
sqlite3 "$day" "UPDATE interval SET start_ns = start_ns - 86400000000000, end_ns = end_ns - 86400000000000
    WHERE id < (SELECT id FROM interval WHERE end_ns = (SELECT end_ns FROM incident WHERE id = $number)) - 1"
"$HEARTH" diff -i "$day" --incident "$number" -f folded -o "$TMP/diff" 2>"$TMP/diff.said"
is 'it is compared with the same hour of the day before' \
    "$? $(grep -c "incident $number against the same hour of the day before" "$TMP/diff.said")" '0 1'
# A stack, then the samples of both sides
ok 'in which the program did little yet' awk '/^goesbad;/ { before += $(NF - 1); after += $NF } END { exit !(before * 4 < after) }' "$TMP/diff"
ok 'but others did' test "$(awk '/^burn;/ { before += $(NF - 1) } END { print before + 0 }' "$TMP/diff")" -gt 0
done_testing
