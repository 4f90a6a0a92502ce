#!/bin/bash
# check: 600 s
# Binaries that lie or change under hearth: unwind rows of random bytes, a file that is cut off while it runs. The
# recording goes on, and no stack that is not marked leads anywhere but along the true chain of calls.
. tests/tap.sh

chain='main;run;outer;middle;inlined_caller_[i];leaf_'

# Stacks of COMM in FILE that carry no mark, reach the start of the program, and are not the true chain.
wrong() { grep "^$2;" "$1" | grep -vE ';\[(unwind|truncated|unknown)' | grep ';_start;' | grep -vF "$chain" | grep -F ';leaf_'; }

# --- .eh_frame of random bytes, with seeds that make the test the same each time.
cp "$LOADS/nofp/leaves" "$TMP/whole"
read -r offset bytes < <(readelf -SW "$TMP/whole" | awk '$0 ~ / \.eh_frame / { sub(/.*PROGBITS/, ""); print $2, $3 }')
offset=$((16#$offset)) bytes=$((16#$bytes))
ok 'there are rows to damage' test "$bytes" -gt 100
for seed in 1 2 3; do
    cp "$TMP/whole" "$TMP/damaged$seed"
    python3 -c 'import random, sys
path, offset, count, seed = sys.argv[1], *map(int, sys.argv[2:])
with open(path, "r+b") as file:
    file.seek(offset)
    file.write(random.Random(seed).randbytes(count))' "$TMP/damaged$seed" "$offset" "$bytes" $seed
    objcopy --remove-section=.note.gnu.build-id "$TMP/damaged$seed" "$TMP/d$seed" # or the rows of the whole file are known
    ok "rows of random bytes ($seed) are no reason to fail" "$HEARTH" record -F 499 -o "$TMP/d$seed.folded" -- "$TMP/d$seed" 1
    ok 'its samples are there' grep -q "^d$seed;" "$TMP/d$seed.folded"
    is 'no stack along a wrong chain is taken for whole' "$(wrong "$TMP/d$seed.folded" "d$seed")" ''
done

# --- A library is cut off while it runs: its process dies of that, the recording does not.
mkdir "$TMP/cut"
cp "$LOADS/nofp/dlopen" "$LOADS/nofp/plugin.so" "$TMP/cut/"
mv "$TMP/cut/dlopen" "$TMP/cut/cut$$" # names of their own: others may be running the same loads
cp "$LOADS/fp/burn" "$TMP/other$$"
background "$TMP/cut/cut$$" $ENDLESS >/dev/null 2>&1
victim=$!
background "$TMP/other$$" 1 $ENDLESS
"$HEARTH" record -F 499 -i 0.5 -d $ENDLESS -o "$TMP/cut.db" 2>"$TMP/said" &
recorder=$!
await sampled "$TMP/cut.db" cut$$ 50
truncate -s 600 "$TMP/cut/plugin.so"
wait $victim 2>/dev/null
ok 'a library cut off is the end of its program' test $? -ge 128
before=$(sqlite3 "file:$TMP/cut.db?mode=ro" "select sum(samples) from process_total t join process p on p.id = t.process where comm = 'other$$'")
await sampled "$TMP/cut.db" other$$ $((before + 100))
kill -INT $recorder
wait $recorder
is 'a library cut off while it is recorded is no reason to fail' $? 0
is 'the store is whole' "$(sqlite3 "$TMP/cut.db" 'pragma integrity_check')" ok
ok 'and has the samples of the others, afterwards too' sampled "$TMP/cut.db" other$$ $((before + 100))
done_testing
