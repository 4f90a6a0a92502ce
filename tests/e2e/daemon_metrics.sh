#!/bin/bash
# check: 900 s
# /metrics of the daemon: parsers take it, its sums are those of the store, a process without privileges serves it, and
# what its clients do costs the recording nothing.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
command -v curl >/dev/null || skip_all "$(lacks curl)"
home=$TMP/home
conf=$TMP/hearth.conf
said() { grep -qE "$1" "$TMP/said"; }
get() { curl -s --max-time 60 "$@" "${url}metrics"; }
openmetrics() { get -H 'Accept: application/openmetrics-text; version=1.0.0' "$@"; }
value() { get | awk -v name="$1" '$1 == name { print $2 }'; } # SAMPLE
has_intervals() { [[ $(value hearth_intervals_total) -ge $1 ]]; }
stored() { "$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval WHERE end_ns > start_ns' 2>/dev/null; }
stored_are() { [[ $(stored) -ge $1 ]]; }
keeper() { pgrep -P "$daemon" -x hearth-metrics; } # the process that begins the server anew
server() { pgrep -P "$(keeper)" -x hearth-metrics; }
is_served() { get | grep -q '^hearth_build_info'; }
grown() { awk -v before="$before" -v now="$(value hearth_cpu_seconds_total)" 'BEGIN { exit !(now >= before && before > 0) }'; }
write() { { printf 'event = cpu\nfreq = %s\nmax-cpu = 100%%\n' "$1"; printf '%s\n' "${@:2}"; } >"$conf"; }

# A comm with all that a label has to escape.
cat >"$TMP/odd.py" <<'END'
import ctypes
ctypes.CDLL(None).prctl(15, b'a"b\\c\nd{}')
while True: sum(range(10000))
END
background python3 "$TMP/odd.py"
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
write 199 'interval = 1s' 'metrics = 0' 'hist = runq' 'hist = syscall:read' 'when = cpu of comm burn > 1%: -d 1'
"$HEARTH" daemon -c "$conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await said 'metrics are at http'
url=$(sed -n 's/.*metrics are at \(.*\)metrics$/\1/p' "$TMP/said")
like 'it listens on loopback' "$url" '^http://127.0.0.1:[0-9]+/$'
ok 'intervals come' await has_intervals 3

# --- The sums are those of the store. A daemon that is stopped between two intervals records nothing, and is served.
held() {
    kill -STOP "$daemon"
    [[ $(value hearth_intervals_total) == "$(stored)" ]] && return
    kill -CONT "$daemon"
    return 1
}
check() { # WORDS
    ok "$1: the daemon is held between two intervals" await held
    openmetrics >"$TMP/metrics"
    is "$1: the sums are those of the store" "$(python3 tests/e2e/daemon_metrics.py "$TMP/metrics" "$HEARTH" "$home" 2>&1)" ''
    kill -CONT "$daemon"
}
if python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then
    check 'OpenMetrics'
    is 'the odd comm is there' "$(grep -cF 'comm_cpu_seconds_total{comm="a\"b\\c\\x0ad{}"} ' "$TMP/metrics")" 1
else
    skip 'OpenMetrics' "$(lacks python3-prometheus-client)"
fi
if command -v promtool >/dev/null; then
    get >"$TMP/plain"
    is 'promtool finds no fault' "$(promtool check metrics <"$TMP/plain" 2>&1)$?" 0
    # It wants a time with each sample there.
    openmetrics | sed -E '/^#/! s/$/ 1700000000/' >"$TMP/timed"
    ok 'promtool reads OpenMetrics' promtool tsdb create-blocks-from openmetrics "$TMP/timed" "$TMP/blocks"
else
    skip 'promtool' 'promtool is not there'
fi
has_incident() { [[ $(value hearth_incidents_total) -ge 1 ]]; }
ok 'an incident is counted' await has_incident
is 'as often as the store has it' "$(value hearth_incidents_total)" "$("$HEARTH" list incidents -i "$home" 2>/dev/null | grep -c 'cpu of comm burn')"
like 'who does not ask for OpenMetrics gets the older format' "$(get -o /dev/null -w '%{content_type}')" '^text/plain; version=0.0.4'
like 'who asks for it gets it' "$(openmetrics -o /dev/null -w '%{content_type}')" '^application/openmetrics-text; version=1.0.0'
is 'there is nothing else' "$(curl -s -o /dev/null -w '%{http_code}' "$url")$(get -o /dev/null -w '%{http_code}' -X POST)" 404405

# --- Who serves
for who in keeper server; do
    is "$who: nobody, no capability, a filter" \
        "$(awk '/^(Uid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$($who)/status" | xargs)" \
        '65534 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 1 2'
    is "$who: no file is open" "$(find "/proc/$($who)/fd" -name '[3-9]*' -lname '/*' -printf '%l ')" ''
    is "$who: the shared page is read-only" "$(awk '/memfd:metrics/ { print $2 }' "/proc/$($who)/maps")" 'r--s'
done

# --- Clients that are no scrapers: those that read nothing, whose headers never end, that say nothing; more than may be.
before=$(stored)
cat >"$TMP/hostile.py" <<'END'
import socket, sys, time
clients = []
for i in range(60):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(5)
    client.connect(("127.0.0.1", int(sys.argv[1])))
    if i % 3 == 0: client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 40)
    if i % 3 == 1: client.send(b"GET /metrics HTTP/1.1\r\n")
    clients.append(client)
print("open", flush=True)
while True:
    for client in clients[1::3]:
        try: client.send(b"X-Endless: " + b"x" * 500 + b"\r\n")
        except OSError: pass
    time.sleep(0.2)
END
port=${url##*:}
background python3 "$TMP/hostile.py" "${port%/}" >"$TMP/hostile"
hostile=$!
ok 'hostile clients are connected' await grep -q open "$TMP/hostile"
ok 'recording goes on beside them' await stored_are $((before + 5))
ok 'and so does the server, with little memory' test "$(awk '/^VmRSS:/ { print $2 }' "/proc/$(server)/status")" -lt 65536
kill "$hostile"
ok 'which answers when they have left' await is_served
is 'no interval is missing' "$("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval a WHERE a.end_ns < (SELECT max(end_ns) FROM interval)
    AND NOT EXISTS (SELECT 1 FROM interval b WHERE b.start_ns = a.end_ns)' 2>/dev/null)" 0

# --- Deaths
before=$(value hearth_cpu_seconds_total)
first=$(server)
kill -KILL "$first"
ok 'the death of the server is said' await said "the process that answers '.*' \(PID $first\) has died of signal Killed; it is started again"
ok 'and it is started again' await is_served
ok 'with the counters as they were' grown
second=$(server)
kill -KILL "$second"
ok 'so is the next one' await said "PID $second\) has died"
ok 'which is started again' await is_served

# --- The file is read again
write 199 'interval = 1s' 'metrics = 9464' 'hist = runq'
kill -HUP "$daemon"
ok 'another address is refused' await said "the address of metrics of a running daemon stays '0'"
before=$(value hearth_cpu_seconds_total)
write 199 'metrics = 0' 'hist = runq' 'hist = syscall:read' 'interval = 2s'
kill -HUP "$daemon"
ok 'another recording begins' await said 'it ends, and another one begins'
ok 'which has intervals' await stored_are $(($(stored) + 3))
ok 'the counters go on' grown
if python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then check 'after that'; fi
kill -KILL "$(keeper)"
ok 'the death of the process that starts it is said' await said 'the process that serves metrics \(PID [0-9]+\) has ended'
ok 'and recording goes on' await stored_are $(($(stored) + 2))
kill "$daemon"
wait "$daemon"
is 'the daemon ends as ever' $? 0

# --- Bad addresses, and one that is taken
for bad in localhost:9464 127.0.0.1 127.0.0.1:99999 ''; do
    "$HEARTH" daemon --metrics "$bad" -o "$TMP/other" 2>"$TMP/err"
    is "'$bad' is refused" "$? $(grep -c "^hearth: --metrics '.*is no address and port" "$TMP/err")" '2 1'
done
write 99 'metrics = nowhere:1'
"$HEARTH" daemon -c "$conf" -o "$TMP/other" 2>"$TMP/err"
like 'one in the file with its line' "$(cat "$TMP/err")" "hearth.conf:4: --metrics 'nowhere:1' is no address"
cat >"$TMP/taken.py" <<'END'
import socket, time
taken = socket.socket()
taken.bind(("127.0.0.1", 0))
taken.listen()
print(taken.getsockname()[1], flush=True)
time.sleep(100000)
END
background python3 "$TMP/taken.py" >"$TMP/taken"
await test -s "$TMP/taken"
background "$HEARTH" daemon --metrics "$(cat "$TMP/taken")" -i 1 -o "$TMP/other" 2>"$TMP/said"
ok 'a port that is taken is said' await said "cannot listen on '127.0.0.1:[0-9]+': Address already in use"
records() { [[ $("$HEARTH" sql -i "$TMP/other" 'SELECT count(*) FROM interval' 2>/dev/null) -ge 2 ]]; }
ok 'and the daemon records' await records
done_testing
