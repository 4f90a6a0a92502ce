#!/bin/bash
# What `make demo` shows: ten seconds of this machine under a real load (a long query in sqlite3, python3, a compiler
# starting again and again), recorded into a store, then asked for a flame graph and a table.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/demo
seconds=${DEMO_SECONDS:-10}
mkdir -p $out

[[ $(id -u) == 0 ]] || { echo 'hearth: recording takes root: make demo as root' >&2 && exit 3; }

python_load='
import json, time
def parse(n): return [json.loads("{\"a\": [1, 2, 3]}") for _ in range(n)]
def fibonacci(n): return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
end = time.monotonic() + 60
while time.monotonic() < end: parse(2000), fibonacci(18)'
sql_load='with recursive c(x) as (select 1 union all select x + 1 from c where x < 40000000)
  select sum(x * x % 7), count(distinct x % 1000) from c;'
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
sqlite3 :memory: "$sql_load" >/dev/null &
pids+=($!)
python3 -c "$python_load" &
pids+=($!)
(while :; do gcc -O2 -g -I. -D_GNU_SOURCE -c -o $out/compiled.o store/base/options.c; done) &
pids+=($!)

echo "recording the whole machine for $seconds s: sqlite3, python3 and gcc at work"
echo "  build/hearth record -a -d $seconds -o $out/demo.db"
build/hearth record -a -d "$seconds" -o $out/demo.db
build/hearth report -i $out/demo.db -f flame -o $out/flame.html
echo
echo "  build/hearth report -i $out/demo.db -f top | head -25"
build/hearth report -i $out/demo.db -f top -o $out/top.txt
head -25 $out/top.txt | cut -c1-120
echo
echo "the flame graph, to be opened in any browser: $out/flame.html ($(wc -c <$out/flame.html) bytes)"
echo "the store, for more questions: build/hearth report -i $out/demo.db --comm cc1 -f top"
