#!/bin/bash
# check: 900 s, long
# SIGKILL ends the daemon at random moments: its files are whole, each interval that a reader saw before is there, no
# program, link or process is left behind, and the next daemon goes on. `daemon_killed.sh ROUNDS` runs more of them.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
rounds=${1:-8}
home=$TMP/home
printf 'event = cpu\nhist = runq\nfreq = 199\ninterval = 100ms\n' >"$TMP/hearth.conf"
background "$LOADS/nofp/burn" 1 $ENDLESS
RANDOM=${SEED:-$$}
echo "# SEED=${SEED:-$$}"
intervals() { "$HEARTH" sql -i "$home" 'SELECT count(*) FROM interval' 2>/dev/null || echo 0; }
# Of all BPF programs and links that a process holds.
held() { awk '/^(prog|link)_id:/ { print $1 $2 }' /proc/"$1"/fdinfo/* 2>/dev/null | sort -u; }
unloaded() { [[ $(loaded "${programs[@]}") == 0 ]]; }
gone() { # PID...
    local pid
    for pid; do
        [[ ! -e /proc/$pid || $(awk '/^State/ { print $2 }' "/proc/$pid/status" 2>/dev/null) =~ ^Z?$ ]] || return 1
    done
}
begun() { [[ $(intervals) -gt $before ]]; }

wrong='' with_programs=0
for ((round = 1; round <= rounds; round++)); do
    before=$(intervals)
    "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>/dev/null &
    daemon=$!
    ((round % 2)) && { await begun || wrong+="$round: it does not go on "; } # the others are killed while it starts
    sleep "0.$(printf %03d $((RANDOM % 1000)))"
    before=$(intervals)
    mapfile -t children < <(pgrep -P $daemon)
    mapfile -t programs < <(held $daemon | sed -n 's/^prog_id://p')
    kill -KILL $daemon
    wait $daemon 2>/dev/null
    await gone "${children[@]}" || wrong+="$round: a process is left "
    if [[ ${#programs[@]} -gt 0 ]]; then
        with_programs=$((with_programs + 1))
        await unloaded || wrong+="$round: a program is left "
    fi
    rm -rf "$TMP/copy"
    cp -a "$home" "$TMP/copy" 2>/dev/null # sqlite3 would take the WAL away from the next daemon
    for file in "$TMP/copy"/*.db; do
        [[ ! -s $file || $(sqlite3 "$file" 'PRAGMA integrity_check' 2>&1) == ok ]] || wrong+="$round: ${file##*/} is not whole "
    done
    after=$(intervals)
    [[ $after -ge $before ]] || wrong+="$round: $after intervals of $before "
done
is "killed $rounds times: files are whole, intervals there, nothing is left behind" "$wrong" ''
ok 'most were killed while they had programs' test $with_programs -ge $((rounds / 3))
is 'no file was set aside' "$(cd "$home" && find . -name '*.damaged')" ''
done_testing
