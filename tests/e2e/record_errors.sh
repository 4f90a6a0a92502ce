#!/bin/bash
# check: 600 s
# A command that fails prints one line that begins with "hearth: ", exits with the code that README.md gives for it, and
# destroys nothing.
. tests/tap.sh

# fails WHAT EXIT-CODE COMMAND...
fails() {
    local what=$1 code=$2 status
    shift 2
    timeout 100 "$@" >"$TMP/out" 2>"$TMP/said"
    status=$?
    if [[ $status == "$code" && $(wc -l <"$TMP/said") == 1 && $(cat "$TMP/said") == "hearth: "* ]]; then
        pass "$what"
    else
        fail "$what" "exit code $status, expected $code; it said:" "$(cat "$TMP/said")"
    fi
}

# --- Usage
fails 'no such option' 2 "$HEARTH" record --no-such-option
fails 'no such command' 2 "$HEARTH" recrod
fails 'no such event' 2 "$HEARTH" record -e no-such-event -d 1 -o "$TMP/x.db"
fails 'a rate that is no number' 2 "$HEARTH" record -F fast
fails 'a rate of nothing' 2 "$HEARTH" record -F 0 -d 1 -o "$TMP/x.db"
fails 'a rate beyond the kernel' 2 "$HEARTH" record -F 100000000 -d 1 -o "$TMP/x.db"
fails 'a duration that is no number' 2 "$HEARTH" record -d soon
fails 'a negative duration' 2 "$HEARTH" record -d -1 -o "$TMP/x.db"
fails 'an interval of nothing' 2 "$HEARTH" record -i 0 -d 1 -o "$TMP/x.db"
fails 'a PID that is no number' 2 "$HEARTH" record -p me -d 1 -o "$TMP/x.db"
fails 'a CPU that is not there' 2 "$HEARTH" record -C 4000 -d 1 -o "$TMP/x.db"
fails 'a user that is not there' 2 "$HEARTH" record -u no-such-user -d 1 -o "$TMP/x.db"
fails 'an output of no known kind' 2 "$HEARTH" record -d 1 -o "$TMP/x.unknown"
fails '-F and -c together' 2 "$HEARTH" record -F 99 -c 1000 -d 1 -o "$TMP/x.db"
is 'none of them left a file' "$(find "$TMP" -name 'x*')" ''
"$HEARTH" record -F 499 -o "$TMP/earlier.db" -- "$LOADS/fp/leaves" 0.3 >"$TMP/out" 2>/dev/null
before=$(sha256sum <"$TMP/earlier.db")
fails 'a recording that cannot begin' 2 "$HEARTH" record -F 100000000 -d 1 -o "$TMP/earlier.db"
is 'leaves the store of an earlier one alone' "$(sha256sum <"$TMP/earlier.db")" "$before"

# --- Targets that are not there
fails 'a PID that does not exist' 1 "$HEARTH" record -p 4194304 -d 1 -o "$TMP/x.db"
fails 'a thread that does not exist' 1 "$HEARTH" record -t 4194304 -d 1 -o "$TMP/x.db"
fails 'a control group that does not exist' 1 "$HEARTH" record -G /no/such/group -d 1 -o "$TMP/x.db"

# --- Privileges. Nobody may not be able to reach the tree, so the binary is copied.
cp "$HEARTH" "$TMP/hearth"
mkdir -m 777 "$TMP/nobodys"
fails 'no privilege' 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/hearth" record -d 1 -o "$TMP/nobodys/x.db"
like 'it says which is missing or what to do' "$(cat "$TMP/said")" '(CAP_|root|sudo|doctor)'
fails 'no privilege, for a command of ones own' 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/hearth" \
    record -o "$TMP/nobodys/x.db" -- touch "$TMP/nobodys/started"
ok 'and the command was not run' test ! -e "$TMP/nobodys/started"

# --- Outputs
fails 'a folder that does not exist' 1 "$HEARTH" record -d 1 -o "$TMP/no/such/folder/x.db"
fails 'a report in a folder that does not exist' 1 "$HEARTH" record -d 1 -o "$TMP/no/such/folder/x.folded"
mkdir "$TMP/folder.db"
fails 'a folder in the place of the store' 1 "$HEARTH" record -d 1 -o "$TMP/folder.db"
echo 'these are my notes' >"$TMP/notes.db"
fails 'a file that is no store' 1 "$HEARTH" record -d 1 -o "$TMP/notes.db"
is 'and it is left as it was' "$(cat "$TMP/notes.db")" 'these are my notes'
sqlite3 "$TMP/other.db" 'create table mine (x); insert into mine values (42)'
fails 'the database of another program' 1 "$HEARTH" record -d 1 -o "$TMP/other.db"
is 'and it is left as it was' "$(sqlite3 "$TMP/other.db" 'select x from mine')" 42

# --- Too few descriptors: with each limit another open() fails first, and the message is the same.
for limit in 8 20 40 80; do
    prlimit --nofile=$limit:$limit "$HEARTH" record -d 0.1 -o "$TMP/few.db" 2>"$TMP/said"
    is "$limit descriptors: fails in one line that names the limit" \
        "$? $(wc -l <"$TMP/said") $(grep -c '^hearth: .*oo many open files (EMFILE); raise `ulimit -n`$' "$TMP/said")" '1 1 1'
done
prlimit --nofile=256: "$HEARTH" record -e 'tracepoint:sched:*' -e 'tracepoint:block:*' -e 'tracepoint:irq:*' -d 0.1 -o "$TMP/few.db" 2>"$TMP/said"
is 'a low soft limit is no limit' "$? $(grep -c EMFILE "$TMP/said")" '0 0'
is 'and stays that of the command' \
    "$(prlimit --nofile=256: "$HEARTH" record -o "$TMP/few.db" -- bash -c 'ulimit -n' 2>/dev/null)" 256
# --- Without CAP_SYSLOG, /proc/kallsyms shows no addresses, unless kptr_restrict is 0 and everybody may see them.
hides="setpriv --bounding-set -syslog --inh-caps -syslog"
if [[ -z $($hides grep -m 1 ' _stext$' /proc/kallsyms | grep -v '^0*0 ') ]]; then
    $hides "$HEARTH" record -F 997 -o "$TMP/few.db" -- "$LOADS/fp/leaves" 0.3 >"$TMP/out" 2>"$TMP/said"
    is 'kernel frames without names are said, in one line' "$(grep -c '^hearth: .*kernel frames have no names.*kptr_restrict' "$TMP/said")" 1
else
    skip 'kernel frames without names are said' 'this kernel shows its addresses to all'
fi
"$HEARTH" record -F 997 -o "$TMP/few.db" -- "$LOADS/fp/leaves" 0.3 >"$TMP/out" 2>"$TMP/said"
is 'and not where they have names' "$(grep -c 'kernel frames' "$TMP/said")" "$(awk '!/^0+ /{ exit } END { print /^0+ / }' /proc/kallsyms)"
is 'the summary of each command begins with a small letter' \
    "$("$HEARTH" help | grep -E '^  [a-z-]+ +' | grep -vE '^  [a-z-]+ +[a-z]')" ''
full() { TMPDIR=$TMP "$HEARTH" "$@" >/dev/full 2>"$TMP/said"; }
for command in --version help 'record -h' doctor 'list events' 'list probes libc:mall*' 'hist runq -d 0.1' "record -F 997 -o - -- $LOADS/fp/leaves 0.3"; do
    # shellcheck disable=SC2086
    full $command
    like "$command: a full disk behind standard output is said in one line" \
        "$? $(grep -c '^hearth: cannot write the output: No space left on device' "$TMP/said") $(cat "$TMP/said")" '^1 1 '
done

# --- A full disk, before the recording and in the middle of it. mount needs a privilege of its own.
mkdir "$TMP/full"
if mount -t tmpfs -o size=64k tmpfs "$TMP/full" 2>/dev/null; then
    at_exit "umount '$TMP/full'"
    dd if=/dev/zero of="$TMP/full/filler" bs=1k count=60 2>/dev/null
    fails 'a disk that is full' 1 "$HEARTH" record -d 1 -o "$TMP/full/x.db"
    rm -f "$TMP"/full/x.db*
    TMPDIR=$TMP "$HEARTH" record -F 997 -o "$TMP/full/x.json" -- "$LOADS/fp/many_stacks" 1 >"$TMP/out" 2>"$TMP/said"
    is 'a report on a disk that is full fails' $? 1
    kept=$(sed -n "s/^hearth: .*; the recording is kept in '\(.*\)'$/\1/p" "$TMP/said")
    ok 'what was recorded for it is kept' "$HEARTH" report -i "$kept" -f folded -o "$TMP/kept.folded"
    rm -f "$TMP"/full/*
    mount -o remount,size=112k "$TMP/full"
    timeout 100 "$HEARTH" record -F 1999 -i 0.2 -o "$TMP/full/x.db" -- "$LOADS/fp/many_stacks" 4 14 >"$TMP/out" 2>"$TMP/said"
    is 'a disk that fills up is no fault of the command' $? 0
    is 'in three lines: when it is full, what that came to, and the summary' "$(grep -c '^hearth: ' "$TMP/said") $(wc -l <"$TMP/said")" '3 3'
    like 'the reason is said' "$(cat "$TMP/said")" '(full|space)'
    mount -o remount,size=8m "$TMP/full"
    is 'the store is whole' "$(sqlite3 "$TMP/full/x.db" 'pragma integrity_check')" ok
    ok 'and keeps what was collected' test "$(sqlite3 "$TMP/full/x.db" 'select sum(samples) from total')" -gt 0
else
    skip 'a disk that is full' 'no privilege to mount'
fi
done_testing
