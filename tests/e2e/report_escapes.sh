#!/bin/bash
# check: 300 s
# Names of strangers on a terminal: a thread, a program's folder, a function, a USDT probe and its provider, and a control
# group have names with control sequences of terminals, forged lines and marks that turn the direction of text. No command
# prints these bytes.
. tests/tap.sh

# Whether a file holds nothing but lines of harmless UTF-8; prints the first lines that are not.
harmless() {
    local marks='\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}'
    iconv -f UTF-8 -t UCS-4 "$1" 2>&1 >/dev/null | head -1 | grep . && return 1
    ! LC_ALL=C.UTF-8 grep -aP -m 2 "[\x01-\x1f\x7f-\x{9f}$marks]|^forged" "$1"
}
for bad in $'\e' $'\t' $'\x7f' $'\xc2\x9b' $'\xff' $'\xe2\x80\xae' $'a\nforged'; do
    printf 'a\n%s\n' "$bad" >"$TMP/bad"
    [[ $(harmless "$TMP/bad") != '' ]] || fail 'the test sees what is not harmless' "$bad"
done

# harmless_all NAME WORD COMMAND...: the output of COMMAND, stdout and stderr, is harmless and has WORD in it.
harmless_all() {
    local name=$1 word=$2 line
    shift 2
    "$@" >"$TMP/said" 2>&1 </dev/null
    line=$(harmless "$TMP/said" | cat -v)
    if [[ -n $line ]]; then
        fail "$name" "$line"
    elif ! grep -qF -- "$word" "$TMP/said"; then
        fail "$name" "there is no '$word' in it" "$(head -5 "$TMP/said")"
    else
        pass "$name"
    fi
}

hostile=$'\e]0;own\a\e[31m\xc2\x9b2J\x9b\xe2\x80\xae\xe2\x81\xa6\xff\nforged' # no byte of it is a `:` or a `/`
shown='\x1b]0;own\x07\x1b[31m\x9b2J\x9b\u202e\u2066\xff\x0aforged'
folder=$TMP/$'dir\e[2J\xc2\x9b\xe2\x80\xae\x9b' # no newline: the kernel writes that as \\012 to /proc/PID/maps
mkdir "$folder"
program=$folder/hostile
python3 -c 'import sys
data, hostile = open(sys.argv[1], "rb").read(), sys.argv[3].encode(errors="surrogateescape")
for word in b"function", b"provider", b"probe":
    old = word + b"_whose_name_a_test_replaces"
    assert old in data
    data = data.replace(old, (word[:2] + hostile).ljust(len(old), b"_")[:len(old)])
open(sys.argv[2], "wb").write(data)' "$LOADS/fp/hostile" "$program" "$hostile"
chmod +x "$program"
background "$program" $'x\e[2J\xc2\x9b\x9b\nforged'
pid=$!
await runs $pid "$program"
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=$cgroups/$'hearth\e[31m\xc2\x9b\xe2\x80\xae'$$
if [[ -n $cgroups ]] && mkdir "$group" 2>/dev/null; then
    at_exit 'await rmdir "$group"'
    echo $pid >"$group/cgroup.procs"
fi

# --- Live
store=$TMP/$'s\e[2J\xc2\x9b\n.db'
harmless_all 'record' 'samples' "$HEARTH" record -F 499 -p $pid -d 1 -o "$store"
harmless_all 'record: a report on standard output' 'fu\x1b]0;own\x07' "$HEARTH" record -F 499 -p $pid -d 0.5 -o -
harmless_all 'hist, and what a probe costs' 'us each' "$HEARTH" hist "usdt:$program:*:*" --value arg0 --by comm -p $pid -d 0.3
harmless_all 'list probes of a process: functions' "fu$shown" "$HEARTH" list probes -p $pid
harmless_all 'list probes of a file: USDT' "pr$shown" "$HEARTH" list probes "usdt:$program"
harmless_all 'list events: none of that name' 'no event fits' "$HEARTH" list events "$hostile"
harmless_all 'symbolize' "fu$shown" "$HEARTH" symbolize -e "$program" "0x$(nm "$program" 2>/dev/null | grep -a ' T fu' | cut -d' ' -f1)"
harmless_all 'doctor' 'hearth' "$HEARTH" doctor

# --- Of a store
harmless_all 'stat' 'samples' "$HEARTH" stat -i "$store"
harmless_all 'list processes' 'x\x1b[2J' "$HEARTH" list -i "$store" processes
harmless_all 'list threads' 'x\x1b[2J' "$HEARTH" list -i "$store" threads
harmless_all 'list binaries' 'dir\x1b[2J' "$HEARTH" list -i "$store" binaries
harmless_all 'list store' 'cpu' "$HEARTH" list -i "$store" store
for format in top tree folded json svg; do
    harmless_all "report -f $format" 'own' "$HEARTH" report -i "$store" -f $format
done
harmless_all 'diff' "fu$shown" "$HEARTH" diff "$store" "$store"
for format in column csv json; do
    harmless_all "sql -f $format" 'forged' "$HEARTH" sql -f $format -i "$store" 'select * from function join process join binary limit 50'
done

# --- Faults: one line each, with the hostile name in it
for command in "$hostile" "record --$hostile" "record -p $hostile" "record -e usdt:libc:$hostile" "hist $hostile" "list $hostile" \
    "list probes $hostile" "report -i $hostile" "report --since $hostile" "diff $hostile $hostile" "sql $hostile" "symbolize -e $hostile 1" \
    "unwind-rows $hostile" "doctor $hostile"; do
    IFS=' ' read -r -d '' -a words <<<"$command"
    words[-1]=${words[-1]%$'\n'}
    harmless_all "hearth $(printf %q "${words[0]}") fails in harmless words" 'hearth: ' "$HEARTH" "${words[@]}"
    is 'and in one line' "$(wc -l <"$TMP/said")" 1
done
done_testing
