#!/bin/bash
# check: 300 s
# libdw reads, in a second job, the debug information that our own reader refuses, with functions, inlined calls and lines. A
# damaged file loses names of its own, and is answered. Both readers give the same for debug information that both can read.
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

# --- Both readers over the same files: at 20 of 20,000 addresses they may differ (tests/bench/symbols.md).
files=("$HEARTH" "$TMP/ODD_NOTHING")
shared=$(ldd "$HEARTH" | awk '$1 ~ /^libc\.so/ { print $3 }')
[[ $shared ]] && files+=("$shared")
if command -v clang++ >/dev/null; then
    clang++ -g -O1 -gdwarf-5 -gz=zlib -o "$TMP/packed" "$sources/nested.cc" 2>/dev/null && files+=("$TMP/packed")
    clang++ -g -O1 -gdwarf-4 -gdwarf64 -o "$TMP/wide" "$sources/nested.cc" 2>/dev/null && files+=("$TMP/wide")
fi
for version in 2 3 4 5; do
    g++ -g -O2 -gdwarf-$version -o "$TMP/nested$version" "$sources/nested.cc" 2>/dev/null && files+=("$TMP/nested$version")
done
for file in "${files[@]}"; do
    held=$("$readers" -v "$file")
    equal=$(sed -nE 's/.*, equal ([0-9]+),.*/\1/p' <<<"$held")
    if [[ ${equal:-0} -ge 19980 ]]; then pass "both readers say the same of ${file##*/}"; else fail "both readers say the same of ${file##*/}" "$held"; fi
done

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
