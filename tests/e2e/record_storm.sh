#!/bin/bash
# check: 900 s
# Forks elsewhere, more than the table of processes holds: who is recorded loses nothing to those who are not.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
cp "$LOADS/fp/leaves" "$TMP/target$$"
background "$TMP/target$$" $ENDLESS
target=$!

loss() { sqlite3 "$1" "select coalesce(sum(count), 0) from loss where name = '$2'"; }

# More forks than the table remembers, all in the first interval; the target is drained after them.
for who in "-p $target" -a; do
    # shellcheck disable=SC2086
    "$HEARTH" record -F 199 -i 1000 $who -d $ENDLESS -o "$TMP/forks.db" 2>"$TMP/said" &
    recorder=$!
    await recording "$TMP/forks.db"
    "$LOADS/fp/forks" 36000 >/dev/null
    kill -INT $recorder
    wait $recorder
    is "$who beside 36,000 forks: no sample is lost for want of room" "$(loss "$TMP/forks.db" processes-full)" 0
    ok "$who: and the target has its own" sampled "$TMP/forks.db" $target
    like "$who: as drained as counted" "$(cat "$TMP/said")" 'hearth: [1-9][0-9]* samples, [0-9]+ stacks, 0 lost'
    rm -f "$TMP/forks.db"
done
done_testing
