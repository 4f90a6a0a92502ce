#!/bin/bash
# check: 600 s
# Reading binaries without harm, as whoever hearth runs: an ordinary user, root where there is no user nobody, root of a user
# namespace, two at once, and where the kernel refuses what it takes: then nothing is read, and a sentence says why.
. tests/tap.sh

program=$TMP/program
cp "$LOADS/nofp/leaves" "$program"
address=0x$(nm "$program" | awk '$3 == "leaf_sixty" { print $1 }')
chmod 755 "$program"
cp "$HEARTH" "$TMP/hearth" # where others may run it

is 'as who we are' "$("$TMP/hearth" symbolize -e "$program" "$address" | head -1 | cut -d' ' -f1)" leaf_sixty
if [[ $(id -u) == 0 ]]; then
    is 'as an ordinary user' "$(setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/hearth" symbolize -e "$program" "$address" |
        head -1 | cut -d' ' -f1)" leaf_sixty
    is 'as an ordinary user, the kernel' "$(setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/hearth" symbolize -k \
        0xffffffff81000000 2>&1 >/dev/null | grep -c '^hearth: .*run as root')" 1
    echo 'root:x:0:0::/:/bin/sh' >"$TMP/passwd"
    is 'without a user nobody' "$("${apart[@]}" sh -c 'mount --bind "$1/passwd" /etc/passwd && "$1/hearth" symbolize -e "$2" "$3"' \
        sh "$TMP" "$program" "$address" | head -1 | cut -d' ' -f1)" leaf_sixty
else
    skip 'as another user' 'needs root'
fi
if unshare -U -r true 2>/dev/null; then
    is 'as root of a user namespace without a uid 65534' "$(unshare -U -r "$TMP/hearth" symbolize -e "$program" "$address" |
        head -1 | cut -d' ' -f1)" leaf_sixty
else
    skip 'as root of a user namespace' 'this kernel has none for us'
fi

# A container whose profile refuses seccomp itself: 1 is EPERM, 0x7fff0000 is to allow.
cat >"$TMP/refuse.py" <<'PYTHON'
import ctypes, os, sys
library = ctypes.CDLL('libseccomp.so.2')
library.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(0x7fff0000)))
number = library.seccomp_syscall_resolve_name(b'seccomp')
if library.seccomp_rule_add(context, ctypes.c_uint32(0x00050001), number, 0) or library.seccomp_load(context):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
PYTHON
python3 "$TMP/refuse.py" "$TMP/hearth" symbolize -e "$program" "$address" >"$TMP/out" 2>"$TMP/said"
is 'where seccomp is refused: exit code 3' $? 3
like 'where seccomp is refused: a sentence' "$(<"$TMP/said")" '^hearth: cannot read binaries in a process that can do no harm: .*allow'
is 'where seccomp is refused: one line' "$(wc -l <"$TMP/said")" 1
is 'where seccomp is refused: nothing was read' "$(wc -c <"$TMP/out")" 0

like 'where seccomp is refused: doctor knows' "$(python3 "$TMP/refuse.py" "$TMP/hearth" doctor 2>&1 | grep -i seccomp)" 'container'

if [[ $(id -u) == 0 ]]; then
    python3 "$TMP/refuse.py" "$TMP/hearth" record -o "$TMP/none.db" -- true 2>"$TMP/said"
    is 'where seccomp is refused: no recording either' $? 3
    ok 'where seccomp is refused: and no store' test ! -e "$TMP/none.db"
    export CACHE_DIRECTORY=$TMP/cache # of both
    mkdir "$TMP/cache"
    ln "$program" "$TMP/a"
    ln "$program" "$TMP/b"
    "$HEARTH" record -F 299 -o "$TMP/a.folded" -- "$TMP/a" 2 >/dev/null 2>&1 &
    first=$!
    "$HEARTH" record -F 299 -o "$TMP/b.folded" -- "$TMP/b" 2 >/dev/null 2>&1
    is 'two at once: the second ends well' $? 0
    wait $first
    is 'two at once: and the first' $? 0
    for one in a b; do
        ok "two at once: $one has whole, named stacks" grep -q '_start;.*main;run;outer;middle;inlined_caller_\[i\];leaf_sixty' "$TMP/$one.folded"
        # What the command did before its exec has hearth's name.
        is "two at once: $one has only its own samples" "$(cut -d';' -f1 "$TMP/$one.folded" | grep -vx hearth | sort -u | tr '\n' ' ')" "$one "
    done
    is 'two at once: no file is left half written' "$(find "$TMP/cache" -name '.new*' | wc -l)" 0
else
    skip 'recordings' 'recording takes root'
fi
done_testing
