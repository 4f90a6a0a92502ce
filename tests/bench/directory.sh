#!/bin/bash
# A day of a daemon, of 2 and of 64 CPUs at 19 Hz, 40 % busy: the size of the directory, the time of a transaction and of an
# hour's roll-up, and of reports of an hour and of the day. The clock runs ahead: some minutes of work.
#
#   tests/bench/directory.sh [HOURS [CPUS...]]
. tests/tap.sh

hours=${1:-24}
cpus=("${@:2}")
[[ ${#cpus[@]} -gt 0 ]] || cpus=(2 64)
begin=1795219200 # 2026-11-21 00:00:00 UTC

# The least CPU time of three, in seconds: other load counts less in it.
seconds_of() {
    local best=999 TIMEFORMAT='%U + %S' took
    for _ in 1 2 3; do
        took=$({ time "$@" >/dev/null 2>"$TMP/err"; } 2>&1) || { cat "$TMP/err" >&2; return 1; }
        best=$(awk -v best="$best" '{ took = $1 + $3; print took < best ? took : best }' <<<"$took")
    done
    echo "$best"
}

for count in "${cpus[@]}"; do
    store=$TMP/$count
    echo "# $count CPUs, load $(cut -d ' ' -f 1 /proc/loadavg)"
    build/tests/bench/directory_bench "$store" "$hours" $((count * 76)) >"$TMP/out"
    is "a store of $hours hours, $count CPUs" $? 0
    sed 's/^/# /' "$TMP/out"
    last=$((begin + hours * 3600))
    for format in flame top; do
        hour=$(seconds_of "$HEARTH" report -i "$store" -f "$format" --since "@$((last - 3600))" -o "$TMP/report")
        all=$(seconds_of "$HEARTH" report -i "$store" -f "$format" -o "$TMP/report")
        ok "reports of $count CPUs, as $format" test -n "$hour" -a -n "$all"
        echo "# $format, CPU s      $hour of an hour, $all of all"
    done
    rm -rf "$store"
done
done_testing
