#!/bin/bash
# `hearth list`: what a store holds.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

build/tests/tools/make_sample "$TMP/s.db"
list() { "$HEARTH" list -i "$TMP/s.db" "$@"; }
column() { awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' | paste -sd ' '; }

is 'events, with what was counted of them' "$(list events | sed 1d | sed -E 's/ +$//; s/  +/|/g')" \
    $'|500|2.00 s|2026-11-21 12:00:00|2026-11-21 12:00:10|yes|uprobe:./server:serve|-
|52|525 ms|2026-11-21 12:00:00|2026-11-21 12:00:20|no|cpu|cpu-clock at 99 Hz
|4|5.45 ms|2026-11-21 12:00:00|2026-11-21 12:00:10|yes|blkio|-'
is 'processes of an event, heaviest first' "$(list processes -e cpu | column PID) $(list processes -e cpu | column SAMPLES)" '10 20 45 7'
is 'threads' "$(list threads -e cpu | column TID)" '10 11 20'
is 'of a range' "$(list threads -e cpu --since '2026-11-21 12:00:10' | column SAMPLES)" '20 3 3'
is 'by a glob' "$(list threads 'w*' | column COMM)" worker
is 'binaries, with their build ids' "$(list binaries '*libc*' | sed 1d)" \
    'elf     cc02000000000000000000000000000000000000  /usr/lib/libc.so.6'
list threads 'nobody*' 2>"$TMP/err"
is 'nothing like it: 4' "$? $(wc -l <"$TMP/err")" '4 1'
list thread 2>"$TMP/err"
is 'a wrong subject: 2, and the right one' "$? $(grep -c "did you mean 'threads'" "$TMP/err")" '2 1'
list events -e none 2>"$TMP/err"
is 'a wrong event: 2' "$? $(grep -c "no event 'none'" "$TMP/err")" '2 1'
done_testing
