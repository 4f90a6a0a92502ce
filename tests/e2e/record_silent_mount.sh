#!/bin/bash
# A program on a FUSE file system whose server stops answering, as a file server does that is switched off: then open(),
# stat(), read() and close() wait for ever, some of them through SIGKILL. While the server answers, names, rows and probes
# are as those of any file. When the server is silent, no command waits for it: a recording ends in its time and on ^C,
# keeps the samples, counts the files that it could not open and says so in one line.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
[[ -c /dev/fuse ]] || skip_all 'this kernel has no FUSE (/dev/fuse)'
export CACHE_DIRECTORY=$TMP/cache
mkdir "$TMP/cache" "$TMP/far"
cp "$LOADS/nofp/leaves" "$TMP/program"
"$HEARTH" record -F 999 -o "$TMP/kept.db" -- "$LOADS/nofp/many_stacks" 1 8 2>/dev/null >&2
python3 tests/e2e/mounts/silent_fs.py "$TMP/far" "$TMP/program" "$TMP/kept.db" >"$TMP/said" 2>&1 &
server=$!
at_exit 'kill -TERM "$server"; wait "$server"; umount -l "$TMP/far" 2>/dev/null'
await grep -q mounted "$TMP/said" || skip_all "this kernel mounts no FUSE file system: $(tail -1 "$TMP/said")"
background "$TMP/far/program" "$ENDLESS" >/dev/null
program=$!
await runs "$program" "$TMP/far/program"

# within_time SECONDS COMMAND...: the exit code in $code, 137 where the command took longer; the output in $TMP/out and err.
within_time() {
    timeout -s KILL "$@" >"$TMP/out" 2>"$TMP/err"
    code=$?
}
folded() { "$HEARTH" report -i "$1" -f folded 2>"$TMP/lost"; }
count() { grep -cE "$1" "$2"; }
silent='does not answer'
whole='^program;.*main;run;outer;middle;inlined_caller_\[i\];leaf_'

# --- While the server answers.
within_time 120 "$HEARTH" record -p "$program" -i 1 -d 2 -o "$TMP/well.db"
is 'a program on FUSE is recorded' "$code" 0
folded "$TMP/well.db" >"$TMP/well.folded"
ok 'its stacks are whole and named' test "$(count "$whole" "$TMP/well.folded")" -ge 2
is 'and nothing is said to be without an answer' "$(count "$silent" "$TMP/err")" 0
within_time 120 "$HEARTH" record --unwind=copy -p "$program" -i 1 -d 1 -o "$TMP/copied.db"
folded "$TMP/copied.db" >"$TMP/copied.folded"
ok 'copied stacks are whole and named, too' test "$(count "$whole" "$TMP/copied.folded")" -ge 1
within_time 120 "$HEARTH" hist "uprobe:$TMP/far/program:outer" -p "$program" -d 1 -f json -o "$TMP/well.json"
is 'a probe is put on its file, not on a copy of it' "$code" 0
ok 'and counts its calls' grep -qE '"count": ?[1-9]' "$TMP/well.json"
"$HEARTH" report -i "$TMP/kept.db" -f folded >"$TMP/kept.folded" 2>/dev/null
within_time 60 "$HEARTH" report -i "$TMP/far/kept.db" -f folded
is 'a store on it is read whole, whatever its blocks are said to be' "$code $(cksum <"$TMP/out")" "0 $(cksum <"$TMP/kept.folded")"

# --- The server stops answering in the middle of a recording that has opened the file.
background "$HEARTH" record -p "$program" -i 1 -o "$TMP/falls.db" 2>"$TMP/falls.err"
recorder=$!
await sampled "$TMP/falls.db" program 20
kill -USR1 "$server"
await sampled "$TMP/falls.db" program 60
started=$SECONDS
kill -INT "$recorder"
wait "$recorder"
is 'a recording in whose time it falls silent ends well' $? 0
ok 'and in time' test $((SECONDS - started)) -lt 40
folded "$TMP/falls.db" >"$TMP/falls.folded"
ok 'with names and rows that it had before' test "$(count "$whole" "$TMP/falls.folded")" -ge 2

# --- The server is silent from the start, for each way of unwinding.
rm -rf "$TMP/cache"/*
for unwind in auto fp copy; do
    within_time 60 "$HEARTH" record --unwind=$unwind -p "$program" -i 1 -d 2 -o "$TMP/$unwind.db"
    is "$unwind: the recording ends in time" "$code" 0
    is "$unwind: it says so in one line" "$(count "$silent" "$TMP/err")" 1
    folded "$TMP/$unwind.db" >"$TMP/$unwind.folded"
    ok "$unwind: it has the samples" test "$(count '^program;.*\[program\+0x[0-9a-f]+\]' "$TMP/$unwind.folded")" -ge 1
    ok "$unwind: the loss is counted" test "$(sqlite3 "$TMP/$unwind.db" \
        "select sum(count) from loss where name = 'files-unanswered'")" -ge 1
    like "$unwind: and told by the report" "$(<"$TMP/lost")" 'files-unanswered [1-9]'
done
for signal in INT TERM; do
    whose=-a
    [[ $signal == INT ]] || whose="-p $program"
    # shellcheck disable=SC2086 # two words
    background "$HEARTH" record $whose -i 1 -o "$TMP/$signal.db" 2>/dev/null
    recorder=$!
    await sampled "$TMP/$signal.db" program
    started=$SECONDS
    kill -$signal "$recorder"
    wait "$recorder"
    is "SIG$signal ends a recording with ${whose%% *}" $? 0
    ok "SIG$signal: in time" test $((SECONDS - started)) -lt 40
done

# --- Other commands that would read the file.
within_time 60 "$HEARTH" hist "uprobe:$TMP/far/program:outer" -p "$program" -d 1
is 'a probe on a silent file is refused' "$code" 1
is 'in one line' "$(count "$silent" "$TMP/err"), $(wc -l <"$TMP/err")" '1, 1'
within_time 60 "$HEARTH" list probes -p "$program"
is 'the probes of its process are listed, those of other files' "$code" 0
is 'and a line says why its own are not' "$(count "$silent" "$TMP/err")" 1
ok 'of which there are some' grep -q ':/.*/libc\.so' "$TMP/out"
address=0x$(awk -v file="$TMP/far/program" '$NF == file && $2 ~ /x/ { sub(/-.*/, "", $1); print $1; exit }' "/proc/$program/maps")
within_time 60 "$HEARTH" symbolize -p "$program" "$address"
is 'addresses of its process are looked up' "$code" 0
is 'and a line says why they have no names' "$(count "$silent" "$TMP/err")" 1
within_time 60 "$HEARTH" symbolize -e "$TMP/far/program" 0x1000
is 'the file itself cannot be read' "$code" 1
within_time 60 "$HEARTH" record -d 1 -o "$TMP/command.db" -- "$TMP/far/program" 1
ok 'a command that cannot be started ends in time' test "$code" -ne 137

# --- The server answers again.
kill -USR2 "$server"
within_time 120 "$HEARTH" record -p "$program" -i 1 -d 2 -o "$TMP/again.db"
folded "$TMP/again.db" >"$TMP/again.folded"
ok 'when it answers again, stacks are whole and named' test "$(count "$whole" "$TMP/again.folded")" -ge 2

# --- It goes while a command is being started, and the recording no longer waits for that.
kill -USR1 "$server"
background "$HEARTH" record -i 1 -o "$TMP/late.db" -- "$TMP/far/program" 1 2>"$TMP/err"
recorder=$!
waits_no_more() { [[ $(sqlite3 "file:$TMP/late.db?mode=ro" 'select count(*) from interval') -ge 1 ]]; }
await waits_no_more
kill -TERM "$server"
wait "$recorder"
is 'a command that cannot be started, late' $? 127
like 'is said, and why' "$(grep -c . "$TMP/err"): $(grep "cannot run '$TMP/far/program': " "$TMP/err")" '^[1-9]: .'
done_testing
