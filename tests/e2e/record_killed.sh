#!/bin/bash
# check: 300 s
# SIGKILL ends a recording at moments spread over its life, the first of them while it starts. Afterwards its path has no
# store yet, or a whole one, which can be read and recorded into; and none of its processes is left.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
background "$LOADS/nofp/burn" 1 $ENDLESS
victim=$!

# Prints the faults of a store; nothing: there are none.
faults() { # STORE
    local said
    [[ -e $1 ]] || return 0
    said=$("$HEARTH" stat "$1" 2>&1 >/dev/null)
    case $? in
    0 | 4) ;;
    1) grep -qE '^hearth: .*(ended before it began|it is empty)' <<<"$said" || echo "stat: $said" ;;
    *) echo "stat: $said" ;;
    esac
    [[ ! -s $1 || $(sqlite3 "$1" 'pragma integrity_check' 2>&1) == ok ]] || echo 'not whole'
}
gone() { # PID...
    local pid
    for pid; do
        [[ ! -e /proc/$pid || $(awk '/^State/ { print $2 }' "/proc/$pid/status" 2>/dev/null) =~ ^Z?$ ]] || return 1
    done
}

# Moments in ms, the same in every run; those that 20 does not divide record waits too.
wrong='' stores=0
for moment in 5 20 50 90 140 200 300 450 700 1100; do
    options=(-F 997 -p "$victim")
    ((moment % 20)) && options=(-e off-cpu -e cpu)
    "$HEARTH" record "${options[@]}" -i 0.05 -o "$TMP/x.db" 2>/dev/null &
    recorder=$!
    sleep "$(printf '0.%03d' $((moment % 1000)))"
    ((moment < 1000)) || await sampled "$TMP/x.db" burn || wrong+="$moment ms: no samples "
    mapfile -t children < <(pgrep -P $recorder)
    kill -KILL $recorder
    wait $recorder 2>/dev/null
    await gone "${children[@]}" || wrong+="$moment ms: a process is left: $(ps -o pid=,comm= -p "${children[*]}") "
    found=$(faults "$TMP/x.db")
    wrong+=${found:+"$moment ms: $found "}
    [[ -s $TMP/x.db ]] && stores=$((stores + 1))
done
is 'whenever it is killed, a store is whole and no process is left' "$wrong" ''
ok 'there were stores' test $stores -gt 0
ok 'the last one, in whose path others stood, is recorded into' "$HEARTH" record -d 0.2 -o "$TMP/x.db"
is 'and nothing else is there' "$(cd "$TMP" && echo x.db*)" x.db
done_testing
