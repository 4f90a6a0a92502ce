#!/bin/bash
# check: 600 s
# /debug/pprof/profile of the daemon: what it answers is the report of the intervals that ended meanwhile, scrapes one after
# another have each interval once, bad and too many requests are refused, and nothing of it costs the recording an interval.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
command -v curl >/dev/null || skip_all "$(lacks curl)"
home=$TMP/home
said() { grep -qE "$1" "$TMP/said"; }
fetch() { curl -gs --max-time 120 "$url$1" "${@:2}"; }
status() { fetch "$1" -o "$TMP/body" -w '%{http_code}' "${@:2}"; }
decode() { python3 tests/e2e/daemon_pprof.py "$1"; }
word() { awk -v name="$2" '{ n = $1; for (i = 2; i < NF; i++) n = n " " $i } n == name { print $NF; seen = 1 } END { if (!seen) print 0 }' "$1"; } # DECODED WORDS
at() { printf '@%d.%09d' $(($1 / 1000000000)) $(($1 % 1000000000)); } # NS
intervals() { "$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval WHERE end_ns > start_ns' 2>/dev/null; }
intervals_are() { [[ $(intervals) -ge $1 ]]; }
maker() { pgrep -P "$(pgrep -P "$daemon" -x hearth-metrics)" -x hearth-pprof; }

cat >"$TMP/spin.py" <<'END'
import os
def spin_in_python():
    while True: sum(range(10000))
def turn(zero):
    while True: os.read(zero, 1 << 20)
import threading
threading.Thread(target=turn, args=(os.open("/dev/zero", os.O_RDONLY),)).start()
spin_in_python()
END
background python3 "$TMP/spin.py"
python=$!
background "$LOADS/fp/burn" 1 $ENDLESS >/dev/null
burn=$!
"$HEARTH" daemon -e cpu -e off-cpu -F 99 -i 1 --max-cpu 100 --metrics 0 -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await said 'metrics are at http'
url=$(sed -n 's/.*metrics are at \(.*\)metrics$/\1/p' "$TMP/said")debug/pprof/
knows() { fetch '' | grep -q 'event=off-cpu'; }
ok 'there is a page of what there is' await knows
is_named() { "$HEARTH" report -i "$home" -e cpu --comm burn -f folded 2>/dev/null | grep -q ";burn "; }
ok 'burn has its name' await is_named

# --- A profile is the report of its time
is 'a profile is given' "$(status 'profile?seconds=4' -D "$TMP/headers")" 200
like 'as bytes' "$(cat "$TMP/headers")" 'Content-Type: application/octet-stream'
cp "$TMP/body" "$TMP/first.pb.gz"
decode "$TMP/first.pb.gz" >"$TMP/first"
time_ns=$(word "$TMP/first" time)
end_ns=$((time_ns + $(word "$TMP/first" duration)))
"$HEARTH" report -i "$home" -e cpu --since "$(at "$time_ns")" --until "$(at "$end_ns")" -f pprof -o "$TMP/report.pb.gz" 2>/dev/null
decode "$TMP/report.pb.gz" >"$TMP/report"
is 'types and period are those of Go' "$(grep -E '^(types|period)' "$TMP/first" | xargs)" 'period 10101010 cpu/nanoseconds types samples/count cpu/nanoseconds'
# Whole intervals, which a load makes longer: one may be under way when the time is over.
longest_ns=$("$HEARTH" sql -i "$home" 'SELECT max(end_ns - start_ns) FROM interval')
ok 'it has the seconds asked for, but for an interval' test $((end_ns - time_ns + longest_ns)) -ge 4000000000
for words in time duration samples values 'label burn' 'self burn' 'any burn'; do
    is "$words as in the report of its time" "$(word "$TMP/first" "$words")" "$(word "$TMP/report" "$words")"
done
ok 'burn is there, by its name' test "$(word "$TMP/first" 'any burn')" -gt 20
ok 'most of its time is there' test $((2 * $(word "$TMP/first" 'any burn'))) -ge "$(word "$TMP/first" 'label burn')"
is 'time is samples by period' "$(word "$TMP/first" values)" $((10101010 * $(word "$TMP/first" samples)))

# --- Filters
is 'of a process' "$(status "profile?seconds=1&pid=$burn")" 200
decode "$TMP/body" >"$TMP/pid"
is 'nothing else is in it' "$(word "$TMP/pid" samples)" "$(word "$TMP/pid" 'label burn')"
# On a busy machine a second may pass without burn.
of_comm() { [[ $(status "profile?seconds=1&comm=bur*") == 200 ]] && decode "$TMP/body" >"$TMP/comm" && grep -q '^label burn' "$TMP/comm"; }
ok 'of a comm: something is in it' await of_comm
is 'of a process that is idle' "$(status 'profile?seconds=1&comm=no-such-comm')" 200
decode "$TMP/body" >"$TMP/idle"
is 'it is a profile of nothing' "$(word "$TMP/idle" samples)" 0
ok 'of some time' test "$(word "$TMP/idle" duration)" -gt 0
is 'off-cpu' "$(status 'profile?seconds=1&event=off-cpu')" 200
is 'has its own type' "$(decode "$TMP/body" | grep ^types)" 'types samples/count off-cpu/nanoseconds'

# --- Names of the kernel and of Python
# A function that ran for the first time is named at the lowest priority: beside a load, profiles before that lack its name.
of_python() { # PATTERN
    [[ $(status "profile?seconds=1&pid=$python") == 200 ]] && decode "$TMP/body" >"$TMP/python" && grep -qE "$1" "$TMP/python"
}
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
3.11 | 3.13 | 3.14) AWAIT_S=300 ok 'functions of Python have their names' await of_python '^any spin_in_python' ;;
*) skip 'functions of Python have their names' "the kernel side knows no offsets of CPython $version, which this distribution has" ;;
esac
AWAIT_S=300 ok 'and so have those of the kernel' await of_python '^any (read_zero|vfs_read|ksys_read)'

# --- Two at once, and one after another
fetch 'profile?seconds=2' -o "$TMP/a.pb.gz" &
a=$!
fetch 'profile?seconds=2&event=off-cpu' -o "$TMP/b.pb.gz" &
wait "$a" "$!"
decode "$TMP/a.pb.gz" >"$TMP/a"
ok 'two at once: both are whole' test "$(word "$TMP/a" samples)" -gt 0 -a -n "$(decode "$TMP/b.pb.gz" | grep '^types.*off-cpu')"
fetch 'profile?seconds=1' -o "$TMP/c.pb.gz"
decode "$TMP/c.pb.gz" >"$TMP/c"
ok 'one after another: no interval is in both' test "$(word "$TMP/c" time)" -ge $(($(word "$TMP/a" time) + $(word "$TMP/a" duration)))

# --- Requests that are refused
while read -r wanted question; do
    is "$question: $wanted" "$(status "$question") $(wc -l <"$TMP/body") $(python3 -c 'import json, sys; print(json.load(sys.stdin)["error"] != "")' <"$TMP/body")" "$wanted 1 True"
done <<'END'
400 profile?seconds=0
400 profile?seconds=x
400 profile?seconds=-1
400 profile?seconds=301
400 profile?seconds=18446744073709551617
400 profile?pid=x
400 profile?event=nope
400 profile?second=3
400 profile?from=@1
400 profile?input=/etc/passwd
END
is 'words beyond what is read' "$(status "profile?comm=$(printf 'x%.0s' {1..5000})")" 400
is 'words with what a shell and JSON mean' "$(status 'profile?event=%22%0a%3b%01' && python3 -c 'import json, sys; json.load(sys.stdin)' <"$TMP/body")" 400
is 'others of Go are not there' "$(status heap)" 404
is 'nothing can be sent' "$(status profile -X POST -d x)" 405
is 'a name that is not of this host (DNS rebinding)' "$(status '' -H 'Host: evil.example:9464') $(status 'profile?seconds=1' -H 'Host: evil.example')" '403 403'
is 'a page of another site' "$(status 'profile?seconds=1' -H 'Sec-Fetch-Site: cross-site')" 403

# --- Too many; clients that leave
# One that finds the place of the next line's question taken asks again.
for i in 1 2 3 4; do background curl -s --retry 1000 --retry-delay 1 "${url}profile?seconds=300" -o "$TMP/none.$i"; done
clients=("${tap_children[@]: -4}")
is_full() { [[ $(status 'profile?seconds=1') == 503 ]]; }
is_free() { [[ $(status 'profile?seconds=1') == 200 ]]; }
ok 'a fifth is refused' await is_full
like 'in one line' "$(tr -d '\0' <"$TMP/body")" '^\{"error":"as many profiles'
is 'a bad one is a bad one' "$(status 'profile?seconds=x')" 400
is 'metrics are answered beside them' "$(curl -s --max-time 60 -o /dev/null -w '%{http_code}' "${url%debug/pprof/}metrics")" 200
kill "${clients[0]}"
ok 'whose client has left frees its place' await is_free

# --- The process that makes them
is 'nobody, who may read, a filter' "$(awk '/^(Uid|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$(maker)/status" | xargs)" \
    '65534 0000000000000000 0000000000000004 0000000000000004 0000000000000000 0000000000000000 1 2'
is 'no file is open' "$(find "/proc/$(maker)/fd" -name '[3-9]*' -lname '/*' -printf '%l ')" ''
before=$(intervals)
kill -KILL "$(maker)"
is_gone() { [[ $(status 'profile?seconds=1') == 503 ]] && grep -q 'restart the daemon' "$TMP/body"; }
ok 'where it has died, that is what requests are told' await is_gone
ok 'and the log' said 'the process that makes profiles has ended'
ok 'the recording goes on' await intervals_are $((before + 3))
is 'no interval is missing' "$("$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval a WHERE a.end_ns < (SELECT max(end_ns) FROM interval)
    AND NOT EXISTS (SELECT 1 FROM interval b WHERE b.start_ns = a.end_ns)' 2>/dev/null)" 0
kill "$daemon"
wait "$daemon"
is 'the daemon ends as ever' $? 0

# --- A daemon that is stopped ends the requests; go tool pprof asks by itself
"$HEARTH" daemon -F 99 -i 1 --max-cpu 100 --metrics 0 -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await said 'metrics are at http'
url=$(sed -n 's/.*metrics are at \(.*\)metrics$/\1/p' "$TMP/said")debug/pprof/
if command -v go >/dev/null; then
    top=$(cd "$TMP" && PPROF_TMPDIR=$TMP go tool pprof -timeout 120 -top "${url}profile?seconds=2&comm=burn" 2>&1)
    like 'go tool pprof asks for it' "$top" '%  burn'
else
    skip 'go tool pprof asks for it' "$(lacks golang-go)"
fi
background curl -s --max-time 500 "${url}profile?seconds=300" -o "$TMP/none"
client=$!
kill "$daemon"
wait "$daemon"
is 'the daemon ends beside a request' $? 0
wait "$client"
ok 'which ends too' test $? -ne 0 -a $? -ne 28
done_testing
