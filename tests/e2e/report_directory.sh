#!/bin/bash
# A directory of day files as one store: every command reads it, over midnight and over its tiers, and counts each sample
# once, whatever is left of the tiers.
. tests/tap.sh
export TZ=UTC

store=$TMP/store
begin=1795302000 # 2026-11-21 23:00:00: an hour before midnight
build/tests/bench/directory_bench "$store" 2 12 "$begin" >"$TMP/out"
samples=$(awk '/^samples/ { print $2 }' "$TMP/out")
counts() { "$HEARTH" report -i "$store" -f folded "$@" 2>"$TMP/err" | awk '{ sum += $NF } END { print sum + 0 }'; }
number() { "$HEARTH" stat -i "$store" -f json | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
sql() { "$HEARTH" sql -i "$store" "$1"; }
functions() { "$HEARTH" report -i "$store" -f folded "$@" | sort | md5sum; }
# All that must not change with the tiers.
sums() { # WORDS
    is "$1: all samples, once" "$(counts)" "$samples"
    is "$1: of an hour over midnight" "$(counts --since @$((begin + 1800)) --until @$((begin + 5400)))" $((360 * 12))
    is "$1: by function" "$(functions)" "$by_function"
    is "$1: stat" "$(number samples) $(number gaps)" "$samples 0"
    is "$1: sql, sums and samples" "$(sql 'SELECT sum(samples) FROM total; SELECT sum(samples) FROM sample')" \
        "$samples"$'\n'"$samples"
    is "$1: list" "$("$HEARTH" list events -i "$store" | awk 'NR == 2 { print $1 }')" "$samples"
    "$HEARTH" diff "until=@$((begin + 3600))" "since=@$((begin + 3600))" -i "$store" -f json >"$TMP/diff.json" 2>"$TMP/err"
    is "$1: diff" $? 0
}

is 'a file a day and tier' "$(cd "$store" && echo *.db)" \
    '2026-11-21.1h.1.db 2026-11-21.1min.1.db 2026-11-21.full.1.db 2026-11-22.1h.1.db 2026-11-22.1min.1.db 2026-11-22.full.1.db'
by_function=$(functions --since @0 --until @9999999999)
sums 'full'
counts --lines >"$TMP/lines"
is 'lines are known' "$(cat "$TMP/lines") $(grep -c 'addresses and lines' "$TMP/err")" "$samples 0"

printf 'garbage' | dd of="$store/2026-11-21.1min.1.db" conv=notrunc status=none
is 'a damaged file of sums: all samples' "$(counts)" "$samples"
is 'is said' "$("$HEARTH" stat -i "$store" | grep -c '^damaged .*2026-11-21.1min.1.db')" 1
rm "$store/2026-11-21.1min.1.db" "$store"/*.full.1.db # retired, but for minutes that are in the sums of hours
last=$(sql "SELECT end_ns / 1000000000 FROM interval WHERE start_ns < ${begin}000000000 + 3600000000000 ORDER BY 1 DESC LIMIT 1")
is 'of the first day, what was rolled up' "$(counts --until "@$((begin + 3600))")" $(((last - begin) / 10 * 12))
counts --lines --until "@$((begin + 1800))" >"$TMP/lines"
is 'lines are not known any more, and this is said' "$(grep -c 'addresses and lines' "$TMP/err")" 1
"$HEARTH" report -i "$store" -f pprof -o "$TMP/profile.pb.gz" 2>"$TMP/err"
is 'nor addresses' "$? $(grep -c 'addresses and lines' "$TMP/err")" '0 1'

rm "$store"/2026-11-22.*
build/tests/bench/directory_bench "$store" 1 12 $((begin + 86400)) >"$TMP/out"
is 'a gap is shown' "$(number gaps) $("$HEARTH" stat -i "$store" | grep -c '^gaps ')" '1 1'
done_testing
