#!/bin/bash
# check: 900 s, long
# What somebody else does to a store while it is written, or gives it to write, does not end the recording: a lock, a disk
# that fills up, more names than memory holds. All is stored, or counted as lost; and nothing is left behind.
. tests/tap.sh
. tests/apart.sh

stored() { sqlite3 "$1" 'select coalesce(sum(samples), 0) from total'; }
intervals() { [[ $(sqlite3 "file:$1?mode=ro" 'select count(*) from interval' 2>/dev/null) -ge $2 ]]; }
said_samples() { sed -nE 's/^hearth: ([0-9]+) samples, .*/\1/p' "$TMP/said"; }
said_lost() { sed -nE 's/^hearth: .* ([0-9]+) lost, .*/\1/p' "$TMP/said"; }
not_stored() { sqlite3 "$1" "select coalesce(sum(count), 0) from loss where name = 'not-stored'"; }
has_said() { grep -q "$1" "$TMP/said"; }

# --- A lock. Whoever may read the store may lock all of its -shm file; while that is held, nothing can be appended.
cat >"$TMP/lock.py" <<'P'
import fcntl, os, sys, time
os.setgroups([]), os.setgid(65534), os.setuid(65534)
file = os.open(sys.argv[1], os.O_RDONLY)
while True:
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        time.sleep(0.001)
time.sleep(100000)
P
touch "$TMP/said"
"$HEARTH" record -F 499 -i 0.2 -o "$TMP/busy.db" -- "$LOADS/fp/burn" 1 $ENDLESS >/dev/null 2>"$TMP/said" &
recorder=$!
await sampled "$TMP/busy.db" burn 50
background python3 "$TMP/lock.py" "$TMP/busy.db-shm"
locker=$!
await has_said "samples wait in memory"
before=$(sqlite3 "file:$TMP/busy.db?mode=ro" 'select max(id) from interval')
like 'a lock is said' "$(cat "$TMP/said")" "^hearth: cannot write the store .*busy"
ok 'and the recording goes on' kill -0 $recorder
kill $locker
await intervals "$TMP/busy.db" $((before + 3))
kill -INT $recorder
wait $recorder
is 'it is said once, then there is the summary' "$(wc -l <"$TMP/said")" 2
is 'nothing is lost of what waited' "$(stored "$TMP/busy.db") $(said_lost)" "$(said_samples) 0"
is 'each interval is as it was drained' \
    "$(sqlite3 "$TMP/busy.db" 'select count(*) from interval a join interval b on b.id = a.id + 1 where b.start_ns != a.end_ns')" 0
is 'the store is whole' "$(sqlite3 "$TMP/busy.db" 'pragma integrity_check')" ok

# --- A disk that fills up, and has room again.
mkdir "$TMP/full"
if mount -t tmpfs -o size=112k tmpfs "$TMP/full" 2>/dev/null; then
    at_exit "umount '$TMP/full'"
    "$HEARTH" record -F 1999 -i 0.2 -o "$TMP/full/x.db" -- "$LOADS/fp/many_stacks" $ENDLESS 14 >/dev/null 2>"$TMP/said" &
    recorder=$!
    tap_children+=("$recorder")
    await has_said 'No space left'
    ok 'a full disk does not end a recording, nor its command' kill -0 $recorder
    mount -o remount,size=64m "$TMP/full"
    before=$(sqlite3 "file:$TMP/full/x.db?mode=ro" 'select max(id) from interval')
    await intervals "$TMP/full/x.db" $((before + 3))
    kill -INT $recorder
    wait $recorder
    is 'when there is room again, all of it is stored' "$(stored "$TMP/full/x.db") $(said_lost)" "$(said_samples) 0"

    # To the end.
    rm -f "$TMP"/full/*
    mount -o remount,size=112k "$TMP/full"
    "$HEARTH" record -F 1999 -i 0.2 -o "$TMP/full/x.db" -- "$LOADS/fp/many_stacks" 3 14 >/dev/null 2>"$TMP/said"
    is 'the exit code is that of the command' $? 0
    mount -o remount,size=64m "$TMP/full"
    is 'what is said to be stored is what is stored' "$(said_samples)" "$(stored "$TMP/full/x.db")"
    ok 'the rest is said to be lost' test "$(said_lost)" -gt 0
    rm -f "$TMP"/full/*
    mount -o remount,size=112k "$TMP/full"
    background "$LOADS/fp/many_stacks" $ENDLESS 14
    "$HEARTH" record -F 1999 -i 0.2 -d 3 -o "$TMP/full/x.db" 2>"$TMP/said"
    is 'without a command it is a failure' $? 1
    kill $!
else
    skip 'a disk that is full' 'no privilege to mount'
fi
(ulimit -f 100 && exec "$HEARTH" record -F 1999 -i 0.2 -d $ENDLESS -o "$TMP/limited.db" 2>"$TMP/said")
is 'a limit on file sizes is a failure, no signal' "$? $(grep -c '^hearth: cannot write' "$TMP/said")" '1 1'

# --- More words than the memory for them holds: functions of 14,000 letters, programs with paths of 4,000.
python3 - "$TMP" <<'P'
import subprocess, sys
folder, functions = sys.argv[1], 700
with open(folder + "/long.c", "w") as out:
    for i in range(functions):
        out.write("__attribute__((noinline)) void f%d_%s(volatile unsigned *x) { for (int i = 0; i < 30000; i++) *x += i; }\n" % (i, "A" * 14000))
    out.write("#include <time.h>\nint main(void) { volatile unsigned x = 0; while (clock() < 5 * CLOCKS_PER_SEC / 2) {\n")
    for i in range(functions):
        out.write("f%d_%s(&x);\n" % (i, "A" * 14000))
    out.write("} }\n")
subprocess.check_call(["gcc", "-O1", "-fno-omit-frame-pointer", "-o", folder + "/long", folder + "/long.c"])
P
"$HEARTH" record -F 1999 -i 1 -o "$TMP/long.db" -- "$TMP/long" 2>"$TMP/said"
is 'long names of functions do not end a recording' "$(grep -c 'hearth: [0-9]* samples' "$TMP/said")" 1
ok 'there are more of them than memory holds' \
    test "$(sqlite3 "$TMP/long.db" 'select sum(length(name)) from function')" -gt $((8 << 20))
is 'and none is missing' "$(sqlite3 "$TMP/long.db" "select count(*) from frame f join binary b on b.id = f.binary
    where b.path like '%/long' and not exists (select 1 from frame_line l where l.frame = f.id)")" 0

cat >"$TMP/many.py" <<'P'
import os, sys
os.chdir(sys.argv[1])
for i in range(15):
    os.mkdir("d" * 240)
    os.chdir("d" * 240)
os.rename(sys.argv[2], "p")
for i in range(2400):
    name = "p%d" % i
    os.rename("p%d" % (i - 1) if i else "p", name)
    os.waitpid(os.posix_spawn("./" + name, [name], {}), 0)
P
cat >"$TMP/brief.c" <<'P'
#include <unistd.h>
int main(void) { return usleep(1); }
P
gcc -O1 -static -o "$TMP/brief" "$TMP/brief.c"
mkdir "$TMP/deep"
"$HEARTH" record -e off-cpu -i 100 -o "$TMP/paths.db" -- python3 "$TMP/many.py" "$TMP/deep" "$TMP/brief" 2>"$TMP/said"
is 'long paths do not end a recording' $? 0
ok 'there are more of them than memory holds' \
    test "$(sqlite3 "$TMP/paths.db" 'select sum(length(exe)) from process')" -gt $((8 << 20))
is 'and no sample is lost' "$(said_lost) $(stored "$TMP/paths.db")" "0 $(said_samples)"

# --- Stores that nobody sees are gone when their report is written, also into a pipe that nobody reads.
mkdir "$TMP/unseen"
TMPDIR=$TMP/unseen "$HEARTH" record -d 0.2 -o - 2>/dev/null | true
TMPDIR=$TMP/unseen "$HEARTH" hist runq -d 0.2 2>/dev/null | true
TMPDIR=$TMP/unseen "$HEARTH" record -d 0.2 -o "$TMP/x.folded" 2>/dev/null
is 'nothing is left in TMPDIR' "$(ls -A "$TMP/unseen")" ''

# --- Those that a killed command has left go with the next one; a file system that is mounted there is not looked at.
old_folder() { # FOLDER
    mkdir -m 700 "$1"
    : >"$1/recording.db"
    touch -d '1 hour ago' "$1"
}
old_folder "$TMP/unseen/hearth-tmp-killed"
mkdir "$TMP/unseen/hearth-tmp-mounted"
TMPDIR=$TMP/unseen "${apart[@]}" bash -c '
    mount -t tmpfs -o mode=700 none "$TMPDIR/hearth-tmp-mounted" && : >"$TMPDIR/hearth-tmp-mounted/recording.db" &&
        touch -d "1 hour ago" "$TMPDIR/hearth-tmp-mounted" && "$0" record -d 0.2 -o "$1" 2>/dev/null
    ls "$TMPDIR/hearth-tmp-mounted"
    umount "$TMPDIR/hearth-tmp-mounted"' "$HEARTH" "$TMP/x.folded" >"$TMP/mounted" 2>/dev/null
is 'a store that a killed command left is gone' "$(ls -A "$TMP/unseen")" hearth-tmp-mounted
is 'one on a mount stays' "$(cat "$TMP/mounted")" recording.db
done_testing
