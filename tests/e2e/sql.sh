#!/bin/bash
# check: 600 s
# `hearth sql` and `hearth stat` on a recording whose truth is known: one query, a script, every format, and mistakes; and
# plain sqlite3 on the same file.
. tests/tap.sh

store=$TMP/leaves.db
"$HEARTH" record -F 499 -o "$store" -- "$LOADS/fp/leaves" 2 >"$TMP/truth" 2>"$TMP/said" || skip_all 'needs root and a kernel with BPF: to record'
sql() { "$HEARTH" sql -i "$store" "$@"; }
samples=$(grep -oE '[0-9]+ samples' "$TMP/said" | grep -oE '[0-9]+')

# --- The question that every store must answer: the top functions of a process between two times.
pid=$(sqlite3 "$store" "select pid from process where comm = 'leaves'")
since=$(sql "select min(time) from interval") until=$(sql "select max(time) from interval")
top=$(sql "SELECT f.function FROM sample s JOIN stack_frame f ON f.node = s.node AND f.position = 0
    WHERE s.event = 'cpu' AND s.pid = $pid AND s.time BETWEEN '$since' AND '$until'
    GROUP BY f.function ORDER BY sum(s.samples) DESC LIMIT 1")
is 'the top function of a process between two times' "$top" "$("$HEARTH" report -i "$store" -f folded | sed -E 's/_\[[ikj]\]//g' |
    awk '{ n = $NF; $NF = ""; k = split($0, f, ";"); sub(/ *$/, "", f[k]); c[f[k]] += n } END { for (x in c) if (c[x] > m) { m = c[x]; b = x } print b }')"
is 'nothing is in another range' "$(sql "select count(*) from sample where time < '2001-01-01'")" 0
is 'sample sums to the summary' "$(sql 'select sum(samples) from sample')" "$samples"
is 'sqlite3 reads the same sum' "$(sqlite3 "$store" 'select sum(samples) from total')" "$samples"
is 'and the same functions' "$(sqlite3 "$store" 'select count(*), min(name), max(name) from function')" \
    "$(sql 'select count(*), min(name), max(name) from function')"
is 'and the same processes' "$(sqlite3 "$store" 'select * from process')" "$(sql 'select * from process')"

# --- Every query of the help runs.
"$HEARTH" sql -h | awk '/^    SELECT/ { on = 1 } on { printf "%s ", $0 } /;$/ { if (on) print ""; on = 0 }' >"$TMP/queries"
ok 'the help has five queries and more' test "$(wc -l <"$TMP/queries")" -ge 5
while IFS= read -r query; do
    ok "runs: ${query:0:60}" sql "$query"
done <"$TMP/queries"

# --- Scripts
is 'a script, several statements, the last without its semicolon' \
    "$(printf '\n.headers on\nselect 1 as a,\n 2 as b;\n-- nothing;\nselect 3 as c' | sql)" $'a|b\n1|2\nc\n3'
is '.tables' "$(echo .tables | sql | grep -cxE 'sample|stack|stack_frame|histogram')" 4
like '.schema' "$(echo .schema sample | sql)" '^CREATE TABLE sample \(interval INTEGER, .*\);$'
printf 'select 1;\nselec 2;\nselect 3;\n' | sql >"$TMP/out" 2>"$TMP/said"
is 'a script ends at its first mistake' "$? $(cat "$TMP/out")" '1 1'
is 'and says it in one line' "$(grep -c '^hearth: cannot run the query: ' "$TMP/said") $(wc -l <"$TMP/said")" '1 1'

# --- Formats
awkward="select 'a,\"b' as x, 12 as y, null as z, x'00ff' as b, 'tab' || char(9, 27) as t"
is 'list' "$(sql -H -f list "$awkward")" $'x|y|z|b|t\na,"b|12||00ff|tab\\x09\\x1b'
is 'csv' "$(sql -f csv "$awkward")" $'x,y,z,b,t\n"a,""b",12,,00ff,tab\\x09\\x1b'
is 'column' "$(sql -f column "$awkward")" $'x     y   z  b     t\n----  --  -  ----  -----------\na,"b  12     00ff  tab\\x09\\x1b'
is 'json' "$(sql -f json "$awkward" | python3 -c 'import json, sys; print(json.load(sys.stdin))')" \
    "[{'x': 'a,\"b', 'y': 12, 'z': None, 'b': '00ff', 't': 'tab\\\\x09\\\\x1b'}]"
is 'json of no rows' "$(sql -f json 'select 1 where 0' | tr -d ' \n')" '[]'
is 'many rows stay aligned' "$(sql -f column --no-header 'with recursive n(i) as (values (1) union all select i + 1 from n where i < 1200) select i from n' | awk '{ print length }' | sort -u | tr '\n' ' ')" '3 4 '

# --- Mistakes
fails() { # WHAT EXIT-CODE COMMAND...
    local what=$1 code=$2
    shift 2
    "$@" >"$TMP/out" 2>"$TMP/said" </dev/null
    is "$what" "$? $(wc -l <"$TMP/said") $(cut -c1-8 "$TMP/said")" "$code 1 hearth: "
}
fails 'no such store' 1 "$HEARTH" sql -i "$TMP/none.db" 'select 1'
fails 'no such format' 2 sql -f xml 'select 1'
fails 'a query that is not in quotes' 2 sql select 1
fails 'a store cannot be changed' 1 sql 'delete from sample'
before=$(sha256sum <"$store")
for query in "attach '$store' as y" "attach '$TMP/new.db' as y; create table y.t (a)" "vacuum into '$TMP/new.db'" \
    'pragma writable_schema = 1' 'pragma journal_mode = wal' 'create table t (a)' 'create temp table t (a)' 'drop table sample' \
    "select load_extension('x')" "select writefile('$TMP/new.db', 'b')"; do
    fails "no more than reading: ${query/"$TMP"/}" 1 sql "$query"
done
is 'the store is as it was, and no file is new' "$(sha256sum <"$store") $(ls "$TMP"/new.db* 2>/dev/null)" "$before "
is 'what tells of tables is answered' "$(sql 'pragma table_info(loss)' | cut -d'|' -f2 | tr '\n' ' ')" 'interval name count '
fails 'a full disk' 1 bash -c "'$HEARTH' sql -i '$store' 'select * from stack_frame' >/dev/full"
is 'and is not changed by being read' "$(sqlite3 "$store" 'pragma integrity_check')" ok

# --- stat
"$HEARTH" stat -i "$store" >"$TMP/stat"
like 'stat: the events with their samples' "$(cat "$TMP/stat")" "cpu: $(sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$samples") samples"
like 'stat: the host' "$(cat "$TMP/stat")" "host +$(uname -n), Linux $(uname -r)"
json=$("$HEARTH" stat -i "$store" -f json)
stat_of() { python3 -c 'import json, sys; s = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<<"$json"; }
is 'stat -f json: samples' "$(stat_of 's["events"][0]["samples"]')" "$samples"
is 'stat -f json: counts as sqlite3 does' "$(stat_of '[s[k] for k in ("processes", "binaries", "functions", "frames", "intervals")]')" \
    "$(sqlite3 "$store" "select '[' || (select count(*) from process) || ', ' || (select count(*) from binary) || ', ' || (select count(*) from function) || ', ' || (select count(*) from frame) || ', ' || (select count(*) from interval) || ']'")"
is 'stat -f json: bytes' "$(stat_of 's["bytes"]')" "$(stat -c %s "$store")"
fails 'stat of what is no store' 1 "$HEARTH" stat -i /etc/passwd
fails 'stat in no such format' 2 "$HEARTH" stat -i "$store" -f xml
done_testing
