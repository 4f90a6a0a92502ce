#!/bin/bash
# check: 600 s, long
# Histograms of values: of either sign, of any size, of arguments wherever they stand; the same live, stored, drawn and by
# SQL; and what cannot be read soundly is refused.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
values=$LOADS/nofp/values

# hist PROBE OPTION...: of 100 calls, live and as the store has it.
hist() {
    "$HEARTH" hist "$@" -f json -o "$TMP/x.db" -- "$values" 2>"$TMP/said" | grep -v '^truth' >"$TMP/x.json" &&
        "$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/stored.hist.json" 2>>"$TMP/said"
}
of_json() { python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
facts='"%(count)d %(sum)d %(min)d %(max)d %(p50)d %(p99)d" % rows[0], [(b["low"], b["high"], b["count"]) for b in rows[0]["buckets"]]'

# values_are WHAT FACTS: both.
values_are() {
    is "$1" "$(of_json "$TMP/x.json" "$facts")" "$2"
    is "$1, stored" "$(of_json "$TMP/stored.hist.json" "$facts")" "$2"
}

# --- Of either sign
hist "uretprobe:$values:as_int" --value retval:s32
values_are 'an int below zero' "('100 200 -1 5 -1 5', [(-1, 0, 50), (5, 6, 50)])"
"$HEARTH" report -i "$TMP/x.db" -f hist >"$TMP/text" 2>/dev/null
like 'in text' "$(tr -s ' ' <"$TMP/text")" 'count 100, sum 200, min -1, max 5, .*\[-1, 0\) 50 \|@.*\[4, 8\) 50 \|@'
"$HEARTH" report -i "$TMP/x.db" -f hist -o "$TMP/x.hist.svg" 2>/dev/null
like 'in SVG' "$(cat "$TMP/x.hist.svg")" '>\[-1, 0\): 50<.*>\[5, 6\): 50<'
is 'by SQL' "$("$HEARTH" sql -i "$TMP/x.db" 'SELECT low, high, sum(count) FROM histogram GROUP BY 1, 2 ORDER BY 1' | tr '\n' ' ')" '-1|0|50 5|6|50 '
is 'and in plain sqlite3' "$(sqlite3 "$TMP/x.db" 'SELECT sum(count), sum(sum), min(min), max(max) FROM histogram_total')" '100|200|-1|5'
hist "uretprobe:$values:as_long" --value retval:s64
values_are 'a long below zero' "('100 4450 -11 100 -11 100', [(-11, -10, 50), (96, 104, 50)])"
hist "uprobe:$values:ten" --value arg2:s64 --by arg0:s64
is 'by a value with a sign' "$(of_json "$TMP/stored.hist.json" 'sorted((r["by"], r["sum"], r["min"], r["max"]) for r in rows)')" \
    "[('-100', -5100, -102, -102), ('100', 5100, 102, 102)]"

# --- A sum that no 64 bits hold
hist "uretprobe:$values:huge" --value retval
huge=$((10 << 30))
values_are 'the sum of huge values' "('100 $(python3 -c 'print(50 * 2**63 + 500 * 2**30)') $huge 9223372036854775808 $((huge + (1 << 30) - 1)) 9223372036854775808', [($huge, $((huge + (1 << 30))), 50), (9223372036854775808, 10376293541461622784, 50)])"
is 'in plain sqlite3 too' "$(sqlite3 "$TMP/x.db" "SELECT count(*) FROM histogram_total WHERE sum = CAST('$(python3 -c 'print(50 * 2**63 + 500 * 2**30)')' AS BLOB)")" 1
hist "uretprobe:$values:as_long" --value retval
is 'a value below zero, taken without a sign' "$(of_json "$TMP/stored.hist.json" 'rows[0]["sum"] == 50 * 100 + 50 * (2**64 - 11), rows[0]["max"] == 2**64 - 11')" '(True, True)'

# --- With stacks, their buckets are the same
"$HEARTH" hist "uprobe:$values:ten" --value arg1:s64 --stacks -i 0.1 -o "$TMP/x.db" -- "$values" >/dev/null 2>&1
"$HEARTH" report -i "$TMP/x.db" -f hist --by comm -o "$TMP/x.hist.json" 2>/dev/null
is 'the values beside stacks' "$(of_json "$TMP/x.hist.json" 'rows[0]["count"], rows[0]["sum"], rows[0]["min"], rows[0]["max"]')" '(100, 0, -103, 103)'
for range in '..0:50' '0..:50' '-103..-100:50' '-5..5:0' '-200..200:100'; do
    "$HEARTH" report -i "$TMP/x.db" -f json "--bucket=${range%:*}" >"$TMP/x.json" 2>/dev/null || echo '{"samples": 0}' >"$TMP/x.json"
    is "--bucket ${range%:*}" "$(of_json "$TMP/x.json" 'rows["samples"]')" "${range#*:}"
done
"$HEARTH" hist "uretprobe:$values:huge" --value retval --stacks -o "$TMP/x.db" -- "$values" >/dev/null 2>&1
is 'a sum beside stacks that has no room is said to be that or more' \
    "$(sqlite3 "$TMP/x.db" 'SELECT value = -1 FROM total')" 1
like 'and is about right' "$("$HEARTH" report -i "$TMP/x.db" -f hist --by comm 2>/dev/null)" 'sum about (4[5-9][0-9]|5[01][0-9])(,[0-9]{3}){6}, '

# --- Arguments of a USDT probe have the size and the sign of its note
hist "usdt:$values:hearth_test:noted" --value arg0
values_are 'a USDT argument with a sign' "('100 -200 -7 3 -7 3', [(-7, -6, 50), (3, 4, 50)])"
hist "usdt:$values:hearth_test:noted" --value arg1
values_are 'one of a byte without' "('100 10050 1 200 1 200', [(1, 2, 50), (192, 208, 50)])"
hist "usdt:$values:hearth_test:noted" --value arg1 --by arg0
is 'by one with a sign' "$(of_json "$TMP/stored.hist.json" 'sorted((r["by"], r["sum"]) for r in rows)')" "[('-7', 10000), ('3', 50)]"

# --- Arguments on the stack
for number in 5 6 9; do
    hist "uprobe:$values:ten" --value "arg$number:s64"
    is "argument $number" "$(of_json "$TMP/stored.hist.json" 'rows[0]["count"], rows[0]["min"], rows[0]["max"], rows[0]["sum"]')" "(100, -10$number, 10$number, 0)"
done
hist "uprobe:$values:ten" --by arg8:s64
is 'calls by one of the stack' "$(of_json "$TMP/stored.hist.json" 'sorted((r["by"], r["count"], r["unmatched"]) for r in rows)')" "[('-108', 50, 0), ('108', 50, 0)]"

# refuses WHAT WORDS PROBE OPTION...: in one line
refuses() {
    "$HEARTH" hist "${@:3}" -- "$values" >/dev/null 2>"$TMP/said"
    is "$1" "$? $(wc -l <"$TMP/said") $(grep -c -- "$2" "$TMP/said")" '2 1 1'
}
mapfile -t places < <(objdump -d --disassemble=ten "$values" | sed -n '/<ten>:/,$ s/^ *\([0-9a-f]*\):.*/0x\1/p')
offset=$((places[1] - places[0]))
refuses 'arguments behind the entry' 'cannot read the arguments of ten' "uprobe:$values:ten+$offset" --value arg1
refuses 'arguments at a return' 'has no arguments any more' "uretprobe:$values:as_int" --value retval:s32 --by arg0
cat >"$TMP/optimized.c" <<'C'
static __attribute__((noinline)) int work(int a, int b) { __asm__ volatile("" : "+r"(a)); return a + b; }
int main(void) { int s = 0; for (int i = 0; i < 100; i++) s += work(i, 3); return s & 0; }
C
if gcc -O2 -g -o "$TMP/optimized" "$TMP/optimized.c" && nm "$TMP/optimized" | grep -q 'work\.constprop'; then
    refuses 'arguments that the compiler has changed' 'the compiler has changed' "uprobe:$TMP/optimized:work.constprop*" --value arg1
else
    skip 'arguments that the compiler has changed' 'this compiler leaves them alone'
fi
if command -v go >/dev/null; then
    printf 'package main\n//go:noinline\nfunc work(a, b int) int { return a * b }\nfunc main() { println(work(3, 7)) }\n' >"$TMP/g.go"
    GOCACHE=$TMP/go-cache GOFLAGS=-trimpath go build -o "$TMP/g" "$TMP/g.go" 2>/dev/null
    refuses 'arguments of Go' 'Go passes arguments by a convention of its own' "uprobe:$TMP/g:main.work" --value arg1
else
    skip 'arguments of Go' "$(lacks golang-go)"
fi
done_testing
