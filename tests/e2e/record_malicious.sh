#!/bin/bash
# check: 1200 s, long
# Programs and files made to harm whoever reads them: debug information that loops, counts to 2^58 or unpacks to gigabytes,
# perf maps that are FIFOs, devices, links out of their place or have no end. A recording of all of them, and of one sound
# program, ends in time with exit code 0; the sound one's stacks are whole and named, and what was lost is counted.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
chain='main;run;outer;middle;inlined_caller_[i];leaf_'
export CACHE_DIRECTORY=$TMP/cache
mkdir "$TMP/cache"

# The program without debug information, which is what the makers add to; and one sound one with it.
cp "$LOADS/nofp/leaves" "$TMP/good"
objcopy --strip-debug "$LOADS/nofp/leaves" "$TMP/program"
mkdir "$TMP/elf"
ok 'hostile programs are made' python3 tests/e2e/malicious/make_elf.py "$TMP/program" "$TMP/elf"
mkfifo "$TMP/elf/linked.debug"
objcopy --remove-section=.note.gnu.build-id "$TMP/program" "$TMP/elf/linked"
printf 'linked.debug\0\0\0\0\1\2\3\4' >"$TMP/link"
objcopy --add-section .gnu_debuglink="$TMP/link" "$TMP/elf/linked" # to a FIFO: reading it would wait for ever
kinds=$(cd "$TMP/elf" && for file in *; do [[ -x $file && -f $file ]] && echo "$file"; done)
ok 'there are 13 of them' test "$(wc -w <<<"$kinds")" -eq 13

share() { # FILE COMM: samples of it, and those of them whole and named
    grep "^$2;" "$1" | awk '{ n += $NF; if ($0 !~ /;\[(truncated|unwind|stack lost|unknown)/ && $0 !~ /\[[^];]*\+0x/) m += $NF }
        END { print n + 0, m + 0 }'
}

# start COMMAND...: in the background, with less of the CPU than the sound one.
start() {
    background nice -n 15 "$@" >/dev/null 2>&1
    pids+=,$!
}

# Whether each of the processes has samples: STORE
all_sampled() {
    local count=${pids//[^,]/}
    [[ $(sqlite3 "file:$1?mode=ro" "select count(distinct pid) from process_total t join process p on p.id = t.process
        where pid in (${pids#,})") == "${#count}" ]]
}

# record WHAT: all that was started and the sound one, for five seconds and until all have samples.
record() {
    local started recorder
    background "$TMP/good" $ENDLESS >/dev/null 2>&1
    pids+=,$!
    background "$HEARTH" record -F 299 -i 1 -p "${pids#,}" -o "$TMP/$1.db" 2>"$TMP/said"
    recorder=$!
    sleep 5
    await all_sampled "$TMP/$1.db"
    kill -INT $recorder
    started=$SECONDS
    wait $recorder
    is "$1: the recording ends well" $? 0
    ok "$1: and in time" test $((SECONDS - started)) -lt 75
    "$HEARTH" report -i "$TMP/$1.db" -f folded >"$TMP/$1.folded" 2>"$TMP/lost"
    read -r all whole < <(share "$TMP/$1.folded" good)
    echo "# $1: $((SECONDS - started)) s; $all samples of the sound program, $whole whole and named; $(tail -1 "$TMP/said")"
    ok "$1: the sound program has samples" test "$all" -ge 20
    ok "$1: whole and named but for the first of them" test $((100 * whole)) -ge $((95 * all))
    ok "$1: along their chain" test "$(grep '^good;' "$TMP/$1.folded" | grep -cF "$chain")" -ge 1
}

pids=
for kind in $kinds; do start "$TMP/elf/$kind" $ENDLESS; done
record programs
for kind in $kinds; do
    read -r all whole < <(share "$TMP/programs.folded" "$kind")
    ok "programs: $kind has samples" test "$all" -ge 1
done
like 'programs: what was lost is told' "$(<"$TMP/lost")" 'names-(partial|failed)'
ok 'programs: and stands in the store' test "$(sqlite3 "$TMP/programs.db" \
    "select sum(count) from loss where name in ('names-partial', 'names-failed')")" -ge 1
kill "${tap_children[@]}" 2>/dev/null

# A name with control characters, as every format shows it: neither ESC nor BEL, no byte that is not UTF-8, no newline and
# no semicolon of its own.
for format in folded top tree json svg html; do
    "$HEARTH" report -i "$TMP/programs.db" -f "${format/html/flame}" --comm names -o "$TMP/names.$format" 2>/dev/null
    ok "names: $format has some" test -s "$TMP/names.$format"
    ok "names: $format has no control characters, and is UTF-8" python3 -c 'import re, sys
text = open(sys.argv[1], "rb").read().decode("utf-8")
sys.exit(bool(re.search("[\x00-\x08\x0b-\x1f\x7f]", text)))' "$TMP/names.$format"
done
is 'names: a folded line has one count at its end' "$(grep -cvE '^names(;[^;]+)+ [0-9]+$' "$TMP/names.folded")" 0
ok 'names: none breaks out of the page' test "$(grep -c '<b>"' "$TMP/names.html" "$TMP/names.svg" | awk -F: '{ n += $2 } END { print n }')" -eq 0
address=0x$(nm "$TMP/program" | awk '$3 == "leaf_sixty" { print $1 }')
"$HEARTH" symbolize -e "$TMP/elf/names" "$address" >"$TMP/names.symbolize"
ok 'names: symbolize has no control characters' python3 -c 'import re, sys
sys.exit(bool(re.search("[\x00-\x08\x0b-\x1f\x7f]", open(sys.argv[1], "rb").read().decode("utf-8"))))' "$TMP/names.symbolize"
like 'names: they are shown escaped' "$(<"$TMP/names.symbolize")" 'ev'

# --- Code made at run time, and what its makers leave about it.
background python3 tests/e2e/malicious/jit.py sound $ENDLESS >/dev/null 2>&1
pids=,$!
await test -s /tmp/perf-$!.map
for kind in fifo symlink device garbage long lies dump grows; do start python3 tests/e2e/malicious/jit.py $kind $ENDLESS; done
jits=$pids
record jits
ok 'jits: all have samples' test "$(grep -c '^python' "$TMP/jits.folded")" -ge 1
ok 'jits: the one that is sound has its name' grep -q '^python.*;jitted_\[j\]' "$TMP/jits.folded"
is 'jits: nobody leads to /etc/passwd' "$(grep -c 'root:' "$TMP/jits.folded")" 0
kill "${tap_children[@]}" 2>/dev/null
for pid in ${jits//,/ }; do rm -f "/tmp/perf-$pid.map" "/tmp/jit-$pid.dump"; done

# --- A root of its own whose links lead out of it: names that stand outside are not found by them.
mkdir -p "$TMP/root"/{app,proc,tmp} "$TMP/outside"
if gcc -O2 -static -g -o "$TMP/root/app/inside" -I. -D_GNU_SOURCE -fno-optimize-sibling-calls tests/workloads/leaves.c -pthread 2>"$TMP/log"; then
    objcopy --only-keep-debug "$TMP/root/app/inside" "$TMP/outside/inside.debug"
    (cd "$TMP/outside" && objcopy --strip-all --remove-section=.note.gnu.build-id --add-gnu-debuglink=inside.debug "$TMP/root/app/inside")
    ln -s "$TMP/outside/inside.debug" "$TMP/root/app/inside.debug"
    mkdir -p "$TMP/root/usr/lib"
    ln -s "$TMP/outside" "$TMP/root/usr/lib/debug"
    pids=
    start "${apart[@]}" chroot "$TMP/root" /app/inside $ENDLESS
    record roots
    read -r all whole < <(share "$TMP/roots.folded" inside)
    ok 'roots: the program in it has samples' test "$all" -ge 1
    is 'roots: none of them is named by what lies outside' "$(grep '^inside;' "$TMP/roots.folded" | grep -c leaf_)" 0
    rm "$TMP/root/app/inside.debug"
    cp "$TMP/outside/inside.debug" "$TMP/root/app/inside.debug"
    rm -rf "$TMP/cache"/*
    record roots
    ok 'roots: but by what lies inside' grep -q '^inside;.*leaf_' "$TMP/roots.folded"
else
    skip 'roots' 'there is no static libc installed'
fi
done_testing
