#!/bin/bash
# check: 300 s
# libdw reads, in a second job, the debug information that our own reader refuses, with functions, inlined calls and lines, split
# units and files from debuginfod too. A damaged file loses names of its own, and is answered. Both readers give the same for debug
# information that both can read.
. tests/tap.sh

sources=$PWD/tests/e2e/symbolize
readers=${HEARTH%/*}/tests/bench/two_readers
echo 'extern void outer(void); int main(void) { outer(); return 0; }' >"$TMP/main.c"

chain() { "$HEARTH" symbolize -e "$1" "$address" | sed '/^$/d' | tr '\n' '|'; } # FILE

# --- Debug information that our own reader refuses. The code is the same in all files.
for kind in NOTHING FORM ATTRIBUTE ABBREV DEPTH VERSION; do
    gcc -D"ODD_$kind" -Wl,--build-id -o "$TMP/ODD_$kind" "$TMP/main.c" "$sources/odd.S"
    address=$(nm "$TMP/ODD_$kind" | awk '$3 == "marker" { print $1 }')
    is "$kind: functions, inlined calls and lines" "$(chain "$TMP/ODD_$kind")" 'leaf odd.c:6|outer odd.c:18|'
done
refused() { "$readers" "$1" | sed -E 's/.*refused ([0-9]+ [0-9]+),.*/\1/'; }
is 'sound debug information is refused by neither' "$(refused "$TMP/ODD_NOTHING")" '0 0'
for kind in FORM ATTRIBUTE ABBREV DEPTH; do
    is "$kind: our own reader refuses one unit, libdw none" "$(refused "$TMP/ODD_$kind")" '1 0'
done
is 'VERSION: both refuse the unit of a version to come' "$(refused "$TMP/ODD_VERSION")" '1 1'

# --- The same debug information from a debuginfod server, of which libdebuginfod reads the files itself.
address=$(nm "$TMP/ODD_FORM" | awk '$3 == "marker" { print $1 }')
number=$(readelf -n "$TMP/ODD_FORM" | awk '/Build ID/ { print $3 }')
mkdir -p "$TMP/served/buildid/$number"
objcopy --only-keep-debug "$TMP/ODD_FORM" "$TMP/served/buildid/$number/debuginfo"
strip -o "$TMP/stripped" "$TMP/ODD_FORM"
is 'without its debug file it has no name' "$(chain "$TMP/stripped")" '?? ??:0|'
if ldconfig -p 2>/dev/null | grep -q libdebuginfod; then
    named=$(DEBUGINFOD_CACHE_PATH=$TMP/fetched DEBUGINFOD_URLS=file://$TMP/served "$HEARTH" symbolize --debuginfod -e "$TMP/stripped" "$address")
    is 'libdw reads a debug file from debuginfod' "$(sed '/^$/d' <<<"$named" | tr '\n' '|')" 'leaf odd.c:6|outer odd.c:18|'
else
    skip 'libdw reads a debug file from debuginfod' 'libdebuginfod is not installed'
fi

# --- Split units, in .dwo files and in a package, whose entries our own reader refuses: they are nested too deeply. libdw reads
# them from memory. The code is that of a program which is not split, and so each address must be named alike.
{
    cat "$sources/nested.cc"
    echo 'static inline __attribute__((always_inline)) void innermost(int *a) { __asm__ volatile("nop" : : "r"(a)); }'
    echo 'void deep(int *a) {'
    for ((i = 0; i < 600; i++)); do echo "{ int v$i = *a; a = &v$i;"; done
    echo 'innermost(a);'
    for ((i = 0; i < 600; i++)); do echo -n '}'; done
    echo '}'
} >"$TMP/deep.cc"
for version in 4 5; do
    g++ -g -O1 -gdwarf-$version -o "$TMP/joined$version" "$TMP/deep.cc"
    (cd "$TMP" && g++ -g -O1 -gdwarf-$version -gsplit-dwarf -o split$version deep.cc)
    nm "$TMP/joined$version" | awk 'NF == 3 && $2 ~ /[tT]/ { print $1 }' >"$TMP/starts"
    addresses=$(python3 -c 'import sys; print(*(hex(int(line, 16) + i) for line in open(sys.argv[1]) for i in range(0, 400, 7)))' "$TMP/starts")
    # shellcheck disable=SC2086 # words
    for kind in joined split; do "$HEARTH" symbolize -e "$TMP/$kind$version" $addresses >"$TMP/$kind"; done
    is "DWARF $version: split units that our own reader refuses are named as others are" "$(diff "$TMP/joined" "$TMP/split" | head -5)" ''
    ok 'with the call that is nested most deeply' grep -q innermost "$TMP/split"
    is 'our own reader refuses the unit' "$("$readers" "$TMP/split$version" | sed -E 's/.*refused ([0-9]+) [0-9]+, left ([0-9]+),.*/\1 \2/')" '1 0'
done
python3 "$sources/dwp.py" "$TMP/split5.dwp" "$TMP"/split5*.dwo
mkdir "$TMP/away" && mv "$TMP"/split5*.dwo "$TMP/away"
# shellcheck disable=SC2086 # words
"$HEARTH" symbolize -e "$TMP/split5" $addresses >"$TMP/split"
is 'the same with a package' "$(diff "$TMP/joined" "$TMP/split" | head -5)" ''
(cd "$TMP" && g++ -g -O2 -gsplit-dwarf -o split "$sources/nested.cc")
is 'libdw, alone, says that the half is missing' "$(refused "$TMP/split")" '0 1'

# --- Both readers over what is installed here and what the compilers make. Each difference stands in a table, with its reason.
mkdir "$TMP/made"
cp "$TMP"/ODD_* "$TMP"/split* "$TMP/made"
for version in 2 3 4 5; do
    g++ -g -O2 -gdwarf-$version -o "$TMP/made/nested$version" "$sources/nested.cc" 2>/dev/null
done
if command -v clang++ >/dev/null; then
    clang++ -g -O1 -gdwarf-5 -gz=zlib -o "$TMP/made/packed" "$sources/nested.cc" 2>/dev/null
    clang++ -g -O1 -gdwarf-4 -gdwarf64 -o "$TMP/made/wide" "$sources/nested.cc" 2>/dev/null
fi
hold() { # NAME FOLDER...
    local name=$1 held
    shift
    if held=$(O=${HEARTH%/*} tests/bench/two_readers.sh "$@"); then pass "$name"; else fail "$name" "$held"; fi
    echo "# $(tail -1 <<<"$held")"
}
hold 'what the compilers make: each difference of the two readers is explained' "$TMP/made"
is 'libdw reads all that our own reader refuses, but for a version to come' "$(O=${HEARTH%/*} tests/bench/two_readers.sh "$TMP/made" | sed -n 's/.*names-partial: //p')" \
    '7 binaries with our own reader alone, 1 with libdw'
READERS_FILES=40 READERS_BYTES=1500000 READERS_SECONDS=20 hold 'so it is with a sample of what is installed' "$LOADS" /usr/bin /usr/lib/*-linux-gnu
# shellcheck disable=SC2046 # words
held=$("$readers" "$HEARTH" $(ldd "$HEARTH" | awk '$1 ~ /^libc\.so/ { print $3 }'))
is 'and of hearth and libc' "$(grep -c 'refused' <<<"$held")" "$(grep -c 'equal 20000,' <<<"$held")"

# --- Damage: the sound file, with bytes of its debug information changed by chance. hearth answers for each.
cat >"$TMP/damage.py" <<'END'
import random, subprocess, sys
program, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
sections = {}
for line in subprocess.run(['readelf', '-SW', program], capture_output=True, text=True, check=True).stdout.splitlines():
    words = line.replace('[ ', '[').split()
    if len(words) > 5 and words[1].startswith('.debug_'):
        sections[words[1]] = int(words[4], 16), int(words[5], 16)
sound = open(program, 'rb').read()
for number in range(count):
    chance = random.Random(number)
    bytes_ = bytearray(sound)
    for _ in range(1 + number % 6):
        start, length = sections[chance.choice(['.debug_info', '.debug_abbrev', '.debug_line'])]
        bytes_[start + chance.randrange(length)] = chance.choice([0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)])
    open(f'{folder}/{number}', 'wb').write(bytes_)
END
mkdir "$TMP/damaged"
python3 "$TMP/damage.py" "$TMP/ODD_NOTHING" "$TMP/damaged" 25
answered=0 named=0 started=$SECONDS
for ((i = 0; i < 25; i++)); do
    answer=$("$HEARTH" symbolize -e "$TMP/damaged/$i" "$address" 2>"$TMP/said")
    [[ $? == 0 && $answer ]] && answered=$((answered + 1))
    [[ $answer =~ outer|leaf|marker ]] && named=$((named + 1))
done
echo "# $answered of 25 damaged files answered, $named named, in $((SECONDS - started)) s"
is 'each damaged file is answered' "$answered" 25
ok 'and nearly all have a name' test "$named" -ge 22
done_testing
