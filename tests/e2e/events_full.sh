#!/bin/bash
# More threads wait than the map of counts has room for, drain after drain: each is lost once, and all losses are known.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'off-cpu takes root'
# Room for 16,384 counts is the least there is, and as much as two CPUs get.
[[ $(nproc) -le 2 ]] || skip_all 'the map is larger on a machine of more CPUs'
# The collector is stopped while the threads are made: however slow that is, it finds all of them in one drain.
threads=18000
"$HEARTH" record -e off-cpu -i 0.5 -o "$TMP/x.db" -- "$LOADS/nofp/sleepers" "$threads" 2 stopped >"$TMP/truth" 2>"$TMP/said"
[[ $(truth "$TMP/truth" threads) == "$threads" ]] || skip_all 'this kernel does not let a user have 18,000 threads'
of() { sqlite3 "$TMP/x.db" "SELECT coalesce(sum(count), 0) FROM loss WHERE name = '$1'"; }
samples=$(sqlite3 "$TMP/x.db" 'SELECT sum(samples) FROM total') full=$(of counts-full)
ok "the map was full ($samples samples, $full lost)" test "$full" -gt 0
is 'no sample is lost without a cause' "$(of unaccounted)" 0
ok 'a wait that goes on is no further sample' test $((samples + full)) -lt $((2 * threads))
done_testing
