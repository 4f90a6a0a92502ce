#!/bin/bash
# check: 600 s
# hearth symbolize as a command: what it takes for an address, what it prints, and how it ends.
. tests/tap.sh

gcc -g -O1 -Wl,--build-id=0x2222222222222222222222222222222222222222 tests/e2e/symbolize/chain.c -o "$TMP/chain"
marker=$(nm "$TMP/chain" | awk '$3 == "marker" { print $1 }')
expected="leaf $PWD/tests/e2e/symbolize/chain.c:7
middle $PWD/tests/e2e/symbolize/chain.c:13
outer $PWD/tests/e2e/symbolize/chain.c:18
"
symbolize() { "$HEARTH" symbolize -e "$TMP/chain" "$@" && echo .; }

# Spellings of one address, as other tools print them.
short=$(sed 's/^0*//' <<<"$marker")
for word in "$marker" "$short" "0x$short" "0X${short^^}" "${short^^}"; do
    is "an operand: $word" "$(symbolize "$word")" "$expected
."
done
for line in "$short" "0x$short" "  0x$short  " $'\t'"$short" "$short"$'\r'; do
    is "a line: $(printf '%q' "$line")" "$(printf '%s\n' "$line" | symbolize)" "$expected
."
done
is 'a last line without an end' "$(printf '%s' "$short" | symbolize)" "$expected
."
is 'no input' "$(symbolize </dev/null)" '.'
is 'what is no address has an answer all the same' "$(printf '%s\n' zz "$short" '' -1 10000000000000000 0x | symbolize)" "?? ??:0

$expected
?? ??:0

?? ??:0

?? ??:0

?? ??:0

."
# A program that asks one at a time gets each answer at once.
coproc asked { "$HEARTH" symbolize -e "$TMP/chain"; }
for _ in 1 2 3; do
    echo "$short" >&"${asked[1]}"
    read -r -t 60 first <&"${asked[0]}"
    for _ in 1 2 3; do read -r -t 60 _ <&"${asked[0]}"; done
done
is 'answers come as they are asked for' "$first" "leaf $PWD/tests/e2e/symbolize/chain.c:7"
eval "exec ${asked[1]}>&-"

# Its JSON: an array for operands, an object a line for standard input.
"$HEARTH" symbolize -e "$TMP/chain" -f json "$short" 1 >"$TMP/array"
printf '%s\n' "$short" zz | "$HEARTH" symbolize -e "$TMP/chain" -f json >"$TMP/lines"
cat >"$TMP/check.py" <<'END'
import json, sys
array = json.load(open(sys.argv[1]))
lines = [json.loads(line) for line in open(sys.argv[2])]
frames = [(frame['function'], frame['file'].rsplit('/', 1)[-1], frame['line']) for frame in array[0]['frames']]
assert frames == [('leaf', 'chain.c', 7), ('middle', 'chain.c', 13), ('outer', 'chain.c', 18)], frames
assert array[0]['address'] == '0x' + sys.argv[3], array[0]
assert array[1] == {'address': '0x1', 'frames': []}, array[1]
assert lines[0] == array[0], lines[0]
assert lines[1] == {'address': None, 'frames': []}, lines[1]
END
ok 'JSON' python3 "$TMP/check.py" "$TMP/array" "$TMP/lines" "$short"

# How it ends, and what it says then.
ends() { # WHAT CODE WORDS ARGUMENT...
    "$HEARTH" symbolize "${@:4}" >"$TMP/out" 2>"$TMP/said" </dev/null
    is "$1" "$? $(cat "$TMP/said")" "$2 $3"
}
ends 'nothing to name' 2 'hearth: whose addresses? Give one of -e FILE, -p PID and -k' 1
ends 'two things to name' 2 'hearth: whose addresses? Give one of -e FILE, -p PID and -k' -e "$TMP/chain" -k 1
ends 'no such format' 2 "hearth: unknown format 'xml'; there are text and json" -e "$TMP/chain" -f xml 1
ends 'an operand that is no address' 2 "hearth: 'zz' is not an address; give it in hex, such as 0x401136" -e "$TMP/chain" zz
ends 'no such file' 1 "hearth: cannot open '$TMP/none': No such file or directory" -e "$TMP/none" 1
ends 'a folder' 1 "hearth: cannot open '$TMP': not a regular file" -e "$TMP" 1
ends 'not an ELF file' 1 "hearth: cannot name addresses of '/etc/passwd': not an ELF file, or a damaged one" -e /etc/passwd 1
mkfifo "$TMP/fifo"
ends 'a FIFO' 1 "hearth: cannot open '$TMP/fifo': not a regular file" -e "$TMP/fifo" 1
ends 'no such process' 1 'hearth: cannot read the mappings of process 4194305: there is none' -p 4194305 1
ends 'an address of none of its segments' 0 '' -e "$TMP/chain" ffffffffffff
is 'its answer' "$(cat "$TMP/out")" '?? ??:0'
"$HEARTH" symbolize -e "$TMP/chain" "$short" >/dev/full 2>"$TMP/said"
like 'a full disk' "$? $(cat "$TMP/said")" '^1 hearth: .*No space left'
"$HEARTH" symbolize -e "$TMP/chain" --stats zzz 2>"$TMP/said"
like 'an error is one line, with --stats too' "$? $(cat "$TMP/said")" "^2 hearth: 'zzz' [^"$'\n'"]*$"
done_testing
