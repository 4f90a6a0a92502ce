#!/bin/bash
# --collapse of `hearth report` and `hearth diff`: against the same done to the folded stacks, and the sums of all formats.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

build/tests/tools/make_sample "$TMP/sample.db"
# Functions without names are "[FILE+0xOFFSET]", which tells their binary; deep and mixed stacks of three files and the kernel.
awk 'BEGIN { srand(5); split("a.so b.so c.so", files, " "); for (i = 0; i < 600; i++) {
        line = "comm" i % 3 (i % 9 ? "" : ";[truncated]")
        for (d = 0; d < 1 + i % 12; d++) line = line ";[" files[1 + int(3 * rand())] "+0x" int(4 * rand()) 1 "]"
        for (d = 0; d < i % 4; d++) line = line ";fn" int(5 * rand()) "_[k]"
        print line, 1 + i % 17 } }' >"$TMP/all.folded"
build/tests/tools/make_store "$TMP/all.db" <"$TMP/all.folded"
report() { "$HEARTH" report -i "$TMP/all.db" "$@" 2>"$TMP/err"; }
sum() { awk '{ n += $NF } END { print n + 0 }'; }
by_hand() { # the same of folded stacks: FILE and [kernel]_[k], each once where several follow each other
    awk '{ weight = $NF; sub(/ [0-9]+$/, ""); count = split($0, frames, ";"); line = last = frames[1]
        for (i = 2; i <= count; i++) {
            frame = frames[i]
            if (sub(/^\[/, "", frame) && !sub(/\+0x.*/, "", frame)) frame = frames[i]
            if (frame ~ /_\[k\]$/) frame = "[kernel]_[k]"
            if (i == 2 || frame != last) line = line ";" frame
            last = frame
        }
        sums[line] += weight } END { for (line in sums) print line, sums[line] }' "$TMP/all.folded" | LC_ALL=C sort
}
is 'by binary' "$(report -f folded --collapse binary | LC_ALL=C sort)" "$(by_hand)"
is 'a function without a source file stands for its binary' "$(report -f folded --collapse file | sed -E 's/\[([abc].so)\]/\1/g' | LC_ALL=C sort)" \
    "$(by_hand)"
neighbours() { awk '{ sub(/ [0-9]+$/, ""); n = split($0, f, ";"); for (i = 3; i <= n; i++) if (f[i] == f[i - 1]) print }'; }
ok 'functions follow functions of their own binary' test -n "$(sed -E 's/\+0x[0-9]+//g' "$TMP/all.folded" | neighbours)"
for by in binary file; do
    is "by $by: no two equal neighbours" "$(report -f folded --collapse $by | neighbours)" ''
    for key in comm pid tid; do
        roots() { awk '{ weight = $NF; sub(/;.*/, ""); sub(/ [0-9]+$/, ""); s[$0] += weight } END { for (r in s) print r, s[r] }' | sort; }
        whole=$("$HEARTH" report -i "$TMP/sample.db" -f folded --group-by $key 2>"$TMP/err" | roots)
        is "by $by: the sum of each $key" "$("$HEARTH" report -i "$TMP/sample.db" -f folded --group-by $key --collapse $by 2>"$TMP/err" | roots)" "$whole"
    done
done

whole=$(sum <"$TMP/all.folded")
for format in top tree svg; do
    report -f "$format" --collapse binary | tr -d ',' >"$TMP/part"
    ok "$format: the sum, and how it is put together" grep -qzE "collapsed by binary\).*: $whole samples" "$TMP/part"
done
is 'top: the selfs of binaries' "$(report -f top --collapse binary | tr -d , | awk '/%/ && $1 + 0 { n += $1 } END { print n }')" "$whole"
is 'json' "$(report -f json --collapse binary | python3 -c 'import json, sys; p = json.load(sys.stdin); print(p["samples"], sum(p["nodes"]["self"]))')" \
    "$whole $whole"
is 'speedscope' "$(report -f speedscope --collapse file | python3 -c 'import json, sys; print(sum(json.load(sys.stdin)["profiles"][0]["weights"]))')" \
    "$whole"
is 'firefox' "$(report -f firefox --collapse binary | python3 -c 'import json, sys
print(sum(sum(t["samples"]["weight"]) for t in json.load(sys.stdin)["threads"]))')" "$whole"
is 'script: a record for each sample' "$(report -f script --collapse binary | grep -c '^comm')" "$whole"
report -f pprof --collapse binary -o "$TMP/c.pb.gz"
is 'pprof: what comes back is what went in' "$("$HEARTH" report -i "$TMP/c.pb.gz" -f folded 2>"$TMP/err" | sed 's/_\[k\]//g' | LC_ALL=C sort)" \
    "$(by_hand | sed 's/_\[k\]//g' | LC_ALL=C sort)"
is 'a difference: both sides' "$("$HEARTH" diff "$TMP/all.db" "$TMP/all.db" --collapse binary -f folded | awk '{ a += $(NF - 1); b += $NF } END { print a, b }')" \
    "$whole $whole"
is 'functions are chosen before they are put together' "$(report -f folded --focus '^fn3$' --collapse binary | sum)" \
    "$(grep -E ';fn3_\[k\]' "$TMP/all.folded" | sum)"

refused() { # WORDS ARG...
    local words=$1
    shift
    report "$@" >/dev/null
    is "$* is refused, and why" "$? $(grep -c -e "$words" "$TMP/err")" '2 1'
}
refused 'neither binary nor file' --collapse thread
refused 'values by bucket' -f hist --collapse binary
refused 'the lines of one' -f source --collapse file main
done_testing
