#!/bin/bash
# check: alone
# kernel.perf_event_max_sample_rate is lowered while a recording samples faster: the kernel then stops the clock of each CPU
# from one tick to the next. The hits that are left out are counted as the loss `throttled`.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
rate=/proc/sys/kernel/perf_event_max_sample_rate
usual=$(<$rate)
at_exit 'echo $usual >$rate'
(echo "$usual" >$rate) 2>/dev/null || skip_all "this kernel's $rate cannot be changed here"
cpu=$(taskset -cp $$ | sed -E 's/.*[-,: ]//')

background taskset -c "$cpu" "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
background "$HEARTH" record -C "$cpu" -F 9999 --max-cpu 100 -i 0.5 -o "$TMP/x.db" 2>/dev/null
recorder=$!
await sampled "$TMP/x.db" burn 100
echo 2000 >$rate
lost() { sqlite3 "file:$TMP/x.db?mode=ro" "select coalesce(sum(count), 0) from loss where name = 'throttled'"; }
has_lost() { [[ $(lost) -ge 2000 ]]; }
ok 'hits that the kernel leaves out are a loss' await has_lost
echo "$usual" >$rate
kill -INT $recorder
wait $recorder
like 'which a report says' "$("$HEARTH" report -i "$TMP/x.db" -f folded 2>&1 >/dev/null)" 'throttled [0-9]+'

# The CPU was busy all the time: what was sampled and what was left out make up the rate.
hits=$(sqlite3 "$TMP/x.db" 'select sum(samples) from total')
wanted=$(sqlite3 "$TMP/x.db" 'select cast((max(end_ns) - min(start_ns)) / 1e9 * 9999 as integer) from interval')
within 'it is as many as there would have been' $((hits + $(lost))) "$wanted" $((wanted / 4))
done_testing
