#!/bin/bash
# The running daemon is asked: `hearth stat` tells what it does now, `hearth daemon --ask 'record ...'` records beside it for
# a while. Root and the group hearth may ask; nobody who is silent, rude or gone delays an interval.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
socket=$TMP/run/control.sock
group=64321
mkdir -m 777 "$TMP/mine"
said() { grep -qE "$1" "$TMP/said"; }
ask() { "$HEARTH" daemon --control "$socket" --ask "$@" 2>"$TMP/err"; }
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
answers() { ask stat; }
json() { ask 'stat json' | python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
beside() { [[ $(json 'len(d["beside"])') == "$1" ]]; }
store_of() { sed -n "s/.*records into '\(.*\)'; ^C.*/\1/p" "$1"; }

# The group is there for the daemon alone, and so are the folders of a daemon without options.
{ cat /etc/group; echo "hearth:x:$group:"; } >"$TMP/group"
# shellcheck disable=SC2016
daemon() { # ARGUMENT...
    "${apart[@]}" bash -c 'mount --bind "$0/group" /etc/group; mount -t tmpfs none /run; mount -t tmpfs none /var/lib; exec "$@"' \
        "$TMP" "$HEARTH" daemon -c "$conf" "$@" 2>>"$TMP/said" &
    daemon=$!
    tap_children+=("$daemon")
}

printf 'event = cpu\nhist = runq\nfreq = 49\ninterval = 500ms\n' >"$conf"
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
burn=$!
is 'without a daemon: one line, and 1' "$(ask stat; echo $?) $(grep -c "no hearth daemon answers at '$socket'" "$TMP/err") $(wc -l <"$TMP/err")" '1 1 1'
daemon -o "$home" --control "$socket"
ok 'it answers' await answers

# --- stat
recorded() { [[ $(json 'd["interval"]["samples"]') -gt 0 ]]; }
ok 'stat tells the last interval' await recorded
ask stat >"$TMP/stat"
like 'the process' "$(cat "$TMP/stat")" "PID $daemon, "
like 'the directory' "$(cat "$TMP/stat")" "into $home since "
like 'the rate of an event' "$(cat "$TMP/stat")" 'cpu: 49 Hz'
like 'a histogram' "$(cat "$TMP/stat")" 'runq: a histogram of each hit'
like 'its cost' "$(cat "$TMP/stat")" 'own cost .*% of a CPU'
like 'the room' "$(cat "$TMP/stat")" 'of 2\.00 GiB \(--keep-bytes\); full since [0-9-]+ \(UTC\)'
is 'as JSON too' "$(json 'd["pid"], d["directory"], [e["name"] for e in d["events"]], d["beside"]')" \
    "$daemon $home ['cpu', 'runq'] []"
is 'the interval is one of its store' \
    "$(json 'd["interval"]["end_ns"]' | xargs -I{} "$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval WHERE end_ns = {}')" 1
printf 'max-cpu = 3%%\nkeep-bytes = 1G\nevent = page-faults\n' >>"$conf"
kill -HUP $daemon
await said "'page-faults' is recorded"
is 'it tells what holds after a reload' \
    "$(json 'd["max_cpu_pct"], d["keep_bytes"], [e["name"] for e in d["events"]]')" "3 1073741824 ['cpu', 'runq', 'page-faults']"

# --- record
store=$(ask "record -p $burn -F 999 -d 1")
is 'a recording is asked for, and waited for' "$? $(wc -l <"$TMP/err")" "0 $(wc -l <"$TMP/err")"
is 'its store is in the directory' "${store%/*}" "$home/incidents"
is 'where it was said to come' "$(store_of "$TMP/err")" "$store"
like 'the recording tells what it took' "$(cat "$TMP/err")" 'samples, .* lost'
# However little CPU time the program gets beside other loads.
like 'it holds what was asked for' "$("$HEARTH" stat -i "$store")" 'cpu: [1-9][0-9,]* samples \(cpu-clock at 999 Hz\)'
is 'and that alone' "$("$HEARTH" sql -i "$store" "SELECT count(*) FROM sample WHERE comm <> 'burn'")" 0
is 'its command line is there' "$("$HEARTH" stat -i "$store" | grep -c -- "record -p $burn -F 999 -d 1 -o $store")" 1
ask "record -p $burn -d 100" >"$TMP/out" &
asking=$!
ok 'stat shows one that runs' await beside 1
is 'with its words' "$(json 'd["beside"][0]["words"]')" "-p $burn -d 100"
store=$(json 'd["beside"][0]["path"]')
ok 'it has begun' await sampled "$store"
kill -INT "$(pgrep -P $asking -f -- --ask || echo $asking)"
wait $asking
is 'ended early: the store is whole' "$? $(cat "$TMP/out") $(sqlite3 "$store" 'PRAGMA integrity_check')" "0 $store ok"
ok 'and it runs no more' await beside 0
is 'the daemon has lost no time of its own' \
    "$(sql 'SELECT count(*) FROM interval a WHERE end_ns < (SELECT max(end_ns) FROM interval)
        AND NOT EXISTS (SELECT 1 FROM interval b WHERE b.start_ns = a.end_ns)')" 0

refused() { # WHAT CODE WORDS REQUEST
    ask "$4" >"$TMP/out"
    is "refused: $1" "$? $(grep -cF -- "$3" "$TMP/err") $(wc -l <"$TMP/out") $(tail -n 1 "$TMP/err" | grep -c '^hearth: ')" "$2 1 0 1"
}
refused 'no end' 2 'give -d SECONDS' "record -p $burn"
refused 'a command' 2 "cannot run 'sh'" "record -d 1 -- sh -c 'touch $TMP/owned'"
refused 'a file' 2 'leave -o out' "record -d 1 -o $TMP/owned"
refused 'an unknown event' 2 "unknown event 'nonsense'" 'record -d 1 -e nonsense'
refused 'an unknown option' 2 "did you mean '--freq'" 'record -d 1 --frq 9'
refused 'another request' 2 "did you mean 'stat'" 'stad'
refused 'a quote without an end' 2 'a quote has no end' "record -d '1"
refused 'another format' 2 'there are text and json' 'stat xml'
refused 'a process that is not there: the error of the recording' 1 'no process with PID 999999999' 'record -d 1 -p 999999999'
ok 'nothing of it was run' test ! -e "$TMP/owned"

# --- Who may ask
as() { # UID GROUPS ARGUMENT...
    (cd "$TMP/mine" && setpriv --reuid "$1" --regid "$1" --groups "$2" -- "$HEARTH" daemon --control "$socket" --ask "${@:3}" 2>"$TMP/mine/err")
}
is 'the socket is for root and the group' "$(stat -c '%a %u %g' "$socket")" "660 0 $group"
chmod 666 "$TMP/mine/err" 2>/dev/null
as 65534 65534 stat >"$TMP/out"
is 'a stranger may not ask' "$? $(wc -l <"$TMP/out") $(grep -c 'root and the members of the group hearth may' "$TMP/mine/err")" '3 0 1'
chmod 666 "$socket"
as 65534 65534 stat >"$TMP/out"
is 'nor by a socket that is open to all' "$? $(wc -l <"$TMP/out") $(grep -c 'root and the members of the group hearth may' "$TMP/mine/err")" '1 0 1'
chmod 660 "$socket"
like 'a member may' "$(as 65534 $group stat)" "PID $daemon, "
name=$(as 65534 $group "record -p $burn -F 999 -d 1")
is 'and gets a copy of what the daemon keeps for itself' "$(stat -c '%a %u' "$TMP/mine/$name") $(sqlite3 "$TMP/mine/$name" 'PRAGMA integrity_check')" '600 65534 ok'
like 'which holds the samples' "$("$HEARTH" stat -i "$TMP/mine/$name")" 'cpu: [1-9][0-9,]* samples \(cpu-clock at 999 Hz\)'
ok 'the log tells who has asked' said "because of a request of user 65534"

# --- Silent, rude, gone
cat >"$TMP/rude.py" <<'P'
import os, socket, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    s.settimeout(30)
    return s
def answers(s):
    lines = []
    try:
        while True:
            packet = s.recv(65536)
            if not packet:
                break
            lines.append(packet)
    except ConnectionResetError:
        pass
    return lines
silent = [connect() for i in range(15)]
for request in (b"", b"x", b"hearth 2\0stat\0", b"hearth 1", b"hearth 1\0", b"hearth 1\0stat", b"hearth 1\0" + b"a\0" * 1000,
                b"hearth 1\0record\0" + b"-d\0" * 100, b"\0" * 64, b"hearth 1\0" + b"x" * 16000 + b"\0", b"hearth 1\0" + b"x" * 60000,
                os.urandom(4000)):
    s = connect()
    if request:
        s.send(request)
    else:
        s.shutdown(socket.SHUT_WR)
    got = answers(s)
    if request and not (got and got[-1][:1] == b"x" and got[-1] != b"x0"):
        print("request", request[:20], "got", got)
began = time.monotonic()
print("closed", all(answers(s) == [] for s in silent), time.monotonic() - began < 25)
for i in range(200): # asks and goes
    s = connect()
    s.send(b"hearth 1\0stat\0json\0")
    s.close()
flood = connect() # never reads
try:
    for i in range(10000):
        flood.send(b"hearth 1\0stat\0json\0", socket.MSG_DONTWAIT)
except OSError:
    pass
P
sockets() { find /proc/$daemon/fd -lname 'socket:*' -printf x | wc -c; }
sockets_before=$(sockets)
before=$(sql 'SELECT max(id) FROM interval')
is 'silent ones are closed, and what is no request is refused' "$(python3 "$TMP/rude.py" "$socket")" 'closed True True'
ok 'it answers on' await answers
is 'no interval waited for one that is silent' \
    "$(sql "SELECT count(*) FROM interval WHERE id > $before AND end_ns - start_ns > 4000000000")" 0
none_left() { [[ $(sockets) -le $sockets_before ]]; }
ok 'no connection is left' await none_left

# --- Ends
ask "record -p $burn -d 100" >"$TMP/out" &
asking=$!
await beside 1
store=$(json 'd["beside"][0]["path"]')
await sampled "$store"
kill -TERM $daemon
wait $daemon
is 'the daemon ends well' $? 0
wait $asking
is 'with what it records besides, and who has asked hears of it' "$? $(cat "$TMP/out") $(sqlite3 "$store" 'PRAGMA integrity_check')" "0 $store ok"
is 'its socket is gone' "$(ls "$TMP/run")" ''

daemon -o "$home" --control "$socket"
await answers
ask "record -p $burn -d 100" >"$TMP/out" &
asking=$!
await beside 1
store=$(json 'd["beside"][0]["path"]')
await sampled "$store"
starter=$(pgrep -P $daemon -f . | while read -r pid; do [[ $(cat "/proc/$pid/comm") == hearth-starter ]] && echo "$pid"; done)
recorder=$(pgrep -P "$starter")
kill -KILL $daemon
wait $daemon 2>/dev/null
gone() { ! kill -0 "$1" 2>/dev/null; }
ok 'killed: the starter is gone' await gone "$starter"
ok 'the recording ends too' await gone "$recorder"
is 'with a whole store' "$(sqlite3 "$store" 'PRAGMA integrity_check')" ok
wait $asking
is 'and who has asked hears that' "$? $(grep -c 'the daemon has ended before it was done' "$TMP/err")" '1 1'
daemon -o "$home" --control "$socket"
ok 'the socket of the killed one is not in the way' await answers
"$HEARTH" daemon -c "$conf" -o "$TMP/other" --control "$socket" 2>"$TMP/second" &
second=$!
tap_children+=("$second")
another() { grep -q "another hearth daemon answers at '$socket'" "$TMP/second"; }
ok 'a second daemon at the socket says so' await another
await recording "$TMP/other"
kill -TERM $second
wait $second
is 'and records all the same' $? 0
ok 'the socket is still that of the first' answers
kill -TERM $daemon
wait $daemon

# --- Without options: /run/hearth/control.sock and /var/lib/hearth, of a mount namespace of its own
: >"$TMP/said"
daemon
inside() { nsenter -t $daemon -m -r --wdns=/run "$@"; }
shows() { inside "$HEARTH" stat | grep -q "PID $daemon, "; }
ok '`hearth stat` without a store tells of the running daemon' await shows
ok 'as JSON too' inside "$HEARTH" stat -f json
whole() { inside "$HEARTH" stat -i /var/lib/hearth | grep -q '^store  *\/var'; }
ok 'a store that is named is read, daemon or not' await whole
kill -TERM $daemon
wait $daemon
done_testing
