#!/bin/bash
# check: 600 s
# SIGHUP: events that are new in the file are attached, those that are gone are detached, and those that stay lose no
# sample: a program's own count of its calls says so. A key that no running recording can change begins a new recording.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
cp "$LOADS/nofp/hits" "$TMP/hits" # a file of its own: other tests run that one, and the daemon counts all processes
steady="uprobe:$TMP/hits:hit"
changing="uretprobe:$TMP/hits:hit"
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
count() { sql "SELECT coalesce(sum(samples), 0) FROM sample WHERE event = '$1'"; }
more() { [[ $(count "$1") -gt $2 ]]; } # EVENT COUNT
said() { grep -qF "$1" "$TMP/said"; }
values() { # of a histogram
    "$HEARTH" report -i "$home" -e "$1" -f hist -o "$TMP/values.json" 2>/dev/null
    python3 -c 'import json, sys; print(sum(r["count"] for r in json.load(open(sys.argv[1]))))' "$TMP/values.json"
}
some_values() { [[ $(values "$1") -gt 0 ]]; }
dropped() { sql "SELECT coalesce(sum(count), 0) FROM loss WHERE name IN ('counts-full', 'nested', 'processes-full', 'not-stored')"; }
lost() { sql "SELECT ' (' || group_concat(name || ' ' || lost, ', ') || ')' FROM (SELECT name, sum(count) AS lost FROM loss GROUP BY name)"; }
begun() { [[ $(sql 'SELECT count(*) FROM interval') -gt 0 ]]; }
write() { printf 'event = %s\nhist = %s\ninterval = 500ms\nmax-cpu = 100%%\n' "$steady" "$steady" >"$conf"; printf '%s\n' "$@" >>"$conf"; }
reload() { # THE LINE THAT IS SAID
    : >"$TMP/said"
    kill -HUP $daemon
    await said "$1"
}

write
"$HEARTH" daemon -c "$conf" -o "$home" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
await begun
"$TMP/hits" 0 2 >"$TMP/truth" &
hits=$!
tap_children+=("$hits")
await more "$steady" 0

write "event = $changing" 'event = page-faults' 'hist = runq' 'keep-bytes = 1G' 'max-cpu = 99%'
ok 'a new event is said' reload "'$changing' is recorded from now on"
ok 'and recorded' await more "$changing" 1000
ok 'a second one too' await more page-faults 0
ok 'and a new histogram' await some_values runq

write 'hist = runq'
ok 'an event that is gone is said' reload "'page-faults' is recorded no more"
before=$(count "$steady")
await more "$steady" $((before + 1000))
before=$(count "$steady") gone=$(count "$changing")
await more "$steady" $((before + 1000))
is 'and counts nothing' "$(count "$changing")" "$gone"

write "event = $changing"
ok 'an event may come back' reload "'$changing' is recorded from now on"
ok 'and counts again' await more "$changing" "$gone"

write "event = uprobe:$TMP/hits:nothing_like_it" 'event = page-faults'
ok 'an event that this machine does not have is said and left out' reload "nothing_like_it"
ok 'beside it a new one is recorded' await said "'page-faults' is recorded from now on"

printf 'event = %s\n' nonsense >"$conf.bad"
write "event = page-faults" 'event = nonsense'
ok 'a bad event is refused with its line' reload "hearth.conf:6: unknown event 'nonsense'"
write 'hist = nonsense'
ok 'so is a bad histogram' reload "hearth.conf:5: unknown probe 'nonsense'"

kill $hits
wait $hits
calls=$(truth "$TMP/truth" calls)
has_all() { [[ $(count "$steady") -ge $calls ]]; }
await has_all
seen=$(count "$steady")
ok "the event that stayed has each call, or a loss counts it: $seen of $calls$(lost)" test "$seen" -le "$calls" -a "$((seen + $(dropped)))" -ge "$calls"
is 'and so has the histogram' "$(values "$steady")" "$calls"
is 'the intervals have no gap' \
    "$(sql 'SELECT count(*) FROM interval a WHERE end_ns < (SELECT max(end_ns) FROM interval)
        AND NOT EXISTS (SELECT 1 FROM interval b WHERE b.start_ns = a.end_ns)')" 0

# --- A key that no running recording can change
write 'freq = 199'
ok 'such a key is named, in one line' reload "no recording changes its 'freq' while it runs: it ends, and another one begins"
intervals=$(sql 'SELECT count(*) FROM interval')
more_intervals() { [[ $(sql 'SELECT count(*) FROM interval') -gt $((intervals + 1)) ]]; }
ok 'and a new recording begins' await more_intervals
kill -TERM $daemon
wait $daemon
is 'ends well' $? 0
done_testing
