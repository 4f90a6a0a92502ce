#!/bin/bash
# check: 600 s
# `hearth daemon`: it records into a directory of day files, which every report reads; one daemon a directory; its file is
# read again at SIGHUP; what it wrote before it was killed is there.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
folded() { "$HEARTH" report -i "$home" -f folded "$@" 2>/dev/null; }
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
daemon() {
    "$HEARTH" daemon -c "$conf" -o "$home" 2>>"$TMP/said" &
    daemon=$!
    tap_children+=("$daemon")
}
has() { folded -e "${2:-cpu}" | grep -qE "^$1"; } # COMM [EVENT]
said() { grep -qE "$1" "$TMP/said"; }
end() {
    kill -TERM "$daemon"
    wait $daemon
}

printf '# a test\nevent = cpu\nhist = runq\nfreq = 99\ninterval = 500ms\n' >"$conf"
background "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
burn=$!
daemon
ok 'what runs is reported from the directory while it is written' await has 'burn;'
is 'the file is of the UTC day' "$(cd "$home" && ls -- *.full.*.db | sed 's/\..*//' | sort -u | tail -1)" "$(date -u +%F)"
like 'its histogram too' "$("$HEARTH" report -i "$home" -f hist -e runq 2>/dev/null)" 'runq'
is 'the directory is its own' "$(stat -c %a "$home")" 700

"$HEARTH" daemon -c "$conf" -o "$home" 2>"$TMP/second"
is 'a second one is refused' "$? $(grep -cE "^hearth: .*$home" "$TMP/second") $(wc -l <"$TMP/second")" '1 1 1'
is 'intervals begin on multiples of the period' \
    "$(sql 'SELECT count(*) FROM interval WHERE id > 1 AND start_ns % 500000000 > 250000000')" 0

# --- The file is read again
echo 'evnt = cpu' >"$conf.bad"
cp "$conf" "$conf.good"
cp "$conf.bad" "$conf"
kill -HUP $daemon
ok 'a bad file is refused with its line' await said "hearth.conf:1: unknown key 'evnt'; did you mean 'event'"
count=$(sql "SELECT sum(samples) FROM sample WHERE comm = 'burn'")
more() { [[ $(sql "SELECT sum(samples) FROM sample WHERE comm = 'burn'") -gt $count ]]; }
ok 'and the old one goes on' await more
echo 'event = nonsense' >"$conf"
kill -HUP $daemon
ok 'a file by which nothing can be recorded is refused too' await said "hearth.conf:1: unknown event 'nonsense'"
count=$(sql "SELECT sum(samples) FROM sample WHERE comm = 'burn'")
ok 'and what was recorded before is recorded on' await more
{ cat "$conf.good"; echo 'event = page-faults'; } >"$conf"
kill -HUP $daemon
background "$LOADS/nofp/storm" $ENDLESS 5 >/dev/null
ok 'a new event is recorded' await has '' page-faults
ok 'and the others go on' await has 'burn;'
end
is 'ends well' $? 0

# --- Killed, and started again
daemon
count=$(sql "SELECT sum(samples) FROM sample WHERE comm = 'burn'")
ok 'the next one goes on' await more
before=$(sql 'SELECT count(*) FROM interval')
kill -KILL $daemon
wait $daemon 2>/dev/null
is 'killed: every interval is there' "$([[ $(sql 'SELECT count(*) FROM interval') -ge $before ]] && echo yes)" yes
for file in "$home"/*.db; do is "and ${file##*/} is whole" "$(sqlite3 "$file" 'PRAGMA integrity_check')" ok; done
daemon
count=$(sql "SELECT sum(samples) FROM sample WHERE comm = 'burn'")
ok 'it goes on after that, in the same directory' await more
end
is 'and ends well' $? 0
kill $burn

# --- Refused
is 'one file has all of the day' "$(cd "$home" && ls -- *.full.*.db | sed 's/\.full.*//' | sort | uniq -c | awk '$1 > 1')" ''

refused() { # WHAT WORDS ARGUMENT...
    "$HEARTH" daemon "${@:3}" >/dev/null 2>"$TMP/out"
    is "refused: $1" "$? $(wc -l <"$TMP/out") $(grep -cF -- "$2" "$TMP/out")" '2 1 1'
}
refused 'a file that is not there' "cannot read '$TMP/none.conf'" -c "$TMP/none.conf" -o "$home"
refused 'a bad file at the start' "hearth.conf.bad:1: unknown key 'evnt'" -c "$conf.bad" -o "$home"
refused 'an operand' "unexpected operand 'x'" -c "$conf" -o "$home" x
refused 'a size that is none' "'much' is no size" -c "$conf" --keep-bytes much
done_testing
