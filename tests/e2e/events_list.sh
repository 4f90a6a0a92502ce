#!/bin/bash
# check: 600 s
# `hearth list events|probes`: `hearth record -e` takes the names printed.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'tracefs takes root'
list() { "$HEARTH" list "$@" 2>"$TMP/said"; }
calls=$LOADS/nofp/calls

list events >"$TMP/events"
ok 'software events are here' grep -qE '^page-faults +software event +yes$' "$TMP/events"
ok 'tracepoints are listed' grep -qE '^tracepoint:sched:sched_switch ' "$TMP/events"
is 'a glob chooses' "$(list events '*-faults' | sed 1d | cut -d' ' -f1 | tr '\n' ' ')" \
    'page-faults minor-faults major-faults alignment-faults emulation-faults '
list events 'nothing*' >"$TMP/out"
is 'nothing fits: 4' "$? $(cat "$TMP/out")" '4 '
while read -r name _; do
    ok "$name is counted" "$HEARTH" record -e "$name" -c 1000003 -d 0.1 -o "$TMP/x.db"
done < <(awk '$NF == "yes" && !/^tracepoint/ { print $1 }' "$TMP/events")

is 'functions by a glob' "$(list probes "$calls:timed_*")" "uprobe:$calls:timed_call"
is 'USDT probes with their arguments' "$(list probes "usdt:$LOADS/nofp/requests" | sort)" \
    "usdt:$LOADS/nofp/requests:hearth_test:request_begin  arg0:u64 arg1:u64
usdt:$LOADS/nofp/requests:hearth_test:request_end  arg0:u64 arg1:s32"
colons=$TMP/a:b
mkdir "$colons"
cp "$calls" "$colons/calls"
cp "$LOADS/nofp/requests" "$colons/calls:x"
is 'colons in a path' "$(list probes "uprobe:$colons/calls:timed_*")" "uprobe:$colons/calls:timed_call"
is 'the longest path that is a file is meant' "$(list probes "$colons/calls:x:main")" "uprobe:$colons/calls:x:main"
is 'without functions too' "$(list probes "usdt:$colons/calls:x" | grep -c ":x:hearth_test:request_")" 2
ok 'and is recorded' "$HEARTH" record -e "uprobe:$colons/calls:timed_call" -e "usdt:$colons/calls:x:hearth_test:*" -d 0.1 -o "$TMP/colons.db"
is 'a file that is not there is named to its first colon' \
    "$("$HEARTH" record -e "uprobe:$TMP/none:such:f" -d 1 2>&1 | grep -c "cannot open '$TMP/none'")" 1
nm --defined-only "$calls" | awk '$2 ~ /[tT]/ { print $3 }' | sort >"$TMP/nm"
list probes "uprobe:$calls" | cut -d: -f3 | sort >"$TMP/functions"
is 'every function is in the symbol table' "$(comm -23 "$TMP/functions" "$TMP/nm")" ''
ok 'main is there' grep -qx main "$TMP/functions"
background "$calls" 1 1 1 0 "$TMP/never" >/dev/null
await grep -q libc /proc/$!/maps
like 'what a process maps' "$(list probes -p $! 'malloc')" 'uprobe:/.*libc.*:malloc'
like 'functions of the kernel' "$(list probes 'fentry:do_nanosleep')" '^fentry:do_nanosleep$'
list probes >/dev/null
is 'probes of nothing: 2' $? 2
# Each probe of a listing can be attached.
for probe in $(list probes "$calls:*"); do
    [[ $probe == u*:* && $probe != *:_init && $probe != *:_fini ]] || continue
    "$HEARTH" record -e "$probe" -d 0.05 -o "$TMP/x.db" -p $! 2>"$TMP/said" || fail "$probe" "$(cat "$TMP/said")"
done
pass 'each function and USDT probe that is listed can be recorded'
done_testing
