#!/bin/bash
# --focus, --ignore and --hide of `hearth report` and `hearth diff`: against the same done to the folded stacks, and the sums of
# all formats.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

# Stacks of seven functions, 2 to 9 deep, some of them recursive, some below a mark; the weights tell them apart.
awk 'BEGIN { srand(7); for (i = 0; i < 400; i++) {
        line = "comm" i % 3 (i % 9 ? "" : ";[truncated]")
        for (d = 0; d < 2 + i % 8; d++) line = line ";" substr("abcdefg", 1 + int(7 * rand()), 1) "_fn"
        print line, 1 + i % 17 } }' >"$TMP/all.folded"
build/tests/tools/make_store "$TMP/all.db" <"$TMP/all.folded"
report() { "$HEARTH" report -i "$TMP/all.db" "$@" 2>"$TMP/err"; }
sum() { awk '{ n += $NF } END { print n + 0 }'; }
# The same of folded stacks: KIND REGEX. The first frame is the comm.
by_hand() {
    awk -v kind="$1" -v regex="$2" '{
        weight = $NF; sub(/ [0-9]+$/, ""); count = split($0, frames, ";"); line = frames[1]; found = 0
        for (i = 2; i <= count; i++) {
            if (frames[i] ~ regex) found = 1
            if (kind != "hide" || frames[i] !~ regex) line = line ";" frames[i]
        }
        if (kind == "hide" || (kind == "focus") == found) sums[line] += weight
    } END { for (line in sums) print line, sums[line] }' "${3:-$TMP/all.folded}" | LC_ALL=C sort
}
for kind in focus ignore hide; do
    for regex in '^c_fn$' 'a|g' '[bd]_' 'truncated' '_fn$'; do
        is "--$kind $regex" "$(report -f folded "--$kind" "$regex" | LC_ALL=C sort | cksum)" "$(by_hand "$kind" "$regex" | cksum)"
    done
done
is 'what is focused on and what is ignored are all' \
    "$(($(report -f folded --focus '^e' | sum) + $(report -f folded --ignore '^e' | sum)))" "$(sum <"$TMP/all.folded")"
is 'hiding loses nothing' "$(report -f folded --hide . | sum)" "$(sum <"$TMP/all.folded")"
by_hand focus '^c' >"$TMP/1" && by_hand ignore '^a' "$TMP/1" >"$TMP/2"
is 'all three: each as of the whole names' "$(report -f folded --focus '^c' --ignore '^a' --hide '^[cd]' | LC_ALL=C sort | cksum)" \
    "$(by_hand hide '^[cd]' "$TMP/2" | cksum)"

whole=$(by_hand focus '^c' | sum)
for format in top tree svg; do
    report -f "$format" --focus '^c' | tr -d ',' >"$TMP/part"
    ok "$format: the sum, and which part this is" grep -qzE "only stacks with \^c\).*: $whole samples" "$TMP/part"
done
is 'json' "$(report -f json --focus '^c' | python3 -c 'import json, sys; p = json.load(sys.stdin); print(p["samples"], sum(p["nodes"]["self"]))')" \
    "$whole $whole"
is 'speedscope' "$(report -f speedscope --focus '^c' | python3 -c 'import json, sys; print(sum(json.load(sys.stdin)["profiles"][0]["weights"]))')" \
    "$whole"
report -f pprof --focus '^c' -o "$TMP/c.pb.gz" && report -f pprof -o "$TMP/all.pb.gz"
ok 'pprof has fewer stacks' test "$(gzip -dc "$TMP/c.pb.gz" | wc -c)" -lt "$(gzip -dc "$TMP/all.pb.gz" | wc -c)"
is 'a difference: both sides' "$("$HEARTH" diff "$TMP/all.db" "$TMP/all.db" --focus '^c' -f folded | awk '{ a += $(NF - 1); b += $NF } END { print a, b }')" \
    "$whole $whole"

refused() { # WORDS ARG...
    local words=$1
    shift
    report "$@" >/dev/null
    is "$* is refused, and why" "$? $(grep -c "$words" "$TMP/err")" '2 1'
}
refused 'no extended regular expression' --focus '('
refused 'for stacks' -f hist --focus a
refused 'pprof keeps frames' -f pprof --hide a -o "$TMP/x.pb.gz"
report --focus '^nothing' >/dev/null
is 'nothing left is said' $? 4
done_testing
