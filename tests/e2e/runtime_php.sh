#!/bin/bash
# check: 1200 s
# The functions of PHP programs stand in stacks, in the right order, on the CPU and off it, at probes, and named after
# their process has gone: by a program that knows its own stacks.
. tests/tap.sh
. tests/runtimes.sh

php=${PHP:-$(readlink -f /usr/bin/php)}
program=$PWD/tests/workloads/runtimes/chains.php
chains=("$php" -n "$program")
version=$("$php" -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, PHP_ZTS ? "-zts" : "";' 2>/dev/null) || skip_all "$(lacks php-cli)"
case $version in
7.4 | 8.[0-4]) ;;
*) skip_all "the kernel side knows no offsets of PHP $version, which this distribution has" ;;
esac
echo '<?php burn();' >"$TMP/included.php"

chains_are_right recursion by_callback by_sort by_generator by_next by_static by_property by_magic by_string by_method by_destructor \
    by_exception by_include by_eval by_autoload by_partial by_anonymous by_words long_name_
is "$version: no function is without a name" "$(grep -c '\[php\]' "$TMP/folded")" 0

lines_are_right 'end = cpu_seconds() + SECONDS' 6
called=$(grep -n 'usort(' "$program" | cut -d: -f1)
ok "a caller's line is that of its call: $called" grep -q ";by_sort (chains.php:$called)_" "$TMP/folded"

# Nothing but calls: each pair of caller and callee is one of the program's.
"$HEARTH" record -F 999 -i 1 -o "$TMP/x.db" -- "${chains[@]}" calls 2 >"$TMP/truth" 2>"$TMP/said"
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
pairs=$(guests "$TMP/folded" | sed -n 's/^[0-9]* .*main;calls/calls/p' | awk -F';' '{ for (i = 1; i < NF; i++) print $i ">" $(i + 1) }' | sort -u | tr '\n' ' ')
is 'a program that only calls: its pairs, all of them, and no others' "$pairs" 'calls>calls_a calls>cpu_seconds calls_a>calls_b calls_a>calls_c calls_b>calls_c '
read -r whole all < <(guests "$TMP/folded" | awk '/calls_[abc]$/ { all += $1; if (/^[0-9]+ chains.php;main;calls;/) whole += $1 } END { print whole + 0, all + 0 }')
ok "and $whole of $all begin with the script" test "$all" -ge 500 -a $((100 * whole)) -ge $((99 * all))
# A callback that is about to begin or has just ended has a loop that is not its own.
shifted=$(awk '/zend_call_function;chains\.php_/ { n += $NF } END { print n + 0 }' "$TMP/folded")
ok "functions stand at their own loops but in $shifted of $all" test $((100 * shifted)) -le $((3 * all))

# With and without: the native frames are the same, but for the loops, whose cold part has no name in stripped files.
natives() { "$HEARTH" report -i "$1" --no-inline -f folded -o - 2>/dev/null | awk '{ n = split($0, f, ";"); c = $NF; sub(/ [0-9]+$/, "", f[n]); s = ""
    for (i = 1; i <= n; i++) if (f[i] !~ /_\[r\]$/ && f[i] !~ /^(execute_ex|\[php)/) s = s ";" f[i]
    count[s] += c } END { for (s in count) if (count[s] > most) { most = count[s]; best = s } print best }'; }
"$HEARTH" record -F 499 -i 1 --runtimes python -o "$TMP/none.db" -- "${chains[@]}" by_sort 1.2 >"$TMP/truth" 2>"$TMP/said"
"$HEARTH" record -F 499 -i 1 --runtimes php -o "$TMP/x.db" -- "${chains[@]}" by_sort 1.2 >"$TMP/truth" 2>"$TMP/said"
is 'without: no frame is a function of PHP' "$("$HEARTH" report -i "$TMP/none.db" -f folded 2>/dev/null | grep -c '_\[r\]')" 0
is 'with and without, the native frames are the same' "$(natives "$TMP/x.db")" "$(natives "$TMP/none.db")"

# Processes that are short: their functions have names, though nobody can be asked any more.
cat >"$TMP/short.php" <<'END'
<?php
class Work
{
    public function innermost()
    {
        for ($i = 0, $sum = 0; $i < 300000; $i++) {
            $sum += $i & 3;
        }
        return $sum;
    }
}
function outermost()
{
    return (new Work())->innermost();
}
for ($i = 0; $i < 4; $i++) {
    outermost();
}
END
"$HEARTH" record -F 999 -i 1 -o "$TMP/x.db" -- bash -c 'for ((i = 0; i < 60; i++)); do "$0" -n "$1"; done' "$php" "$TMP/short.php" 2>"$TMP/said"
"$HEARTH" report -i "$TMP/x.db" -f folded -o "$TMP/folded" 2>/dev/null
short=$(guests "$TMP/folded" | awk '/outermost|innermost/ { all += $1; if (/ short.php;outermost(;Work::innermost)?$/) good += $1 } END { print good + 0, all + 0 }')
ok "60 short processes: $short samples are right" test "${short#* }" -ge 100 -a $((100 * ${short% *})) -ge $((99 * ${short#* }))

if [[ $(id -u) != 0 ]]; then
    skip 'waits and probes' 'off-cpu takes root'
    done_testing
fi
waits_are_right
probes_are_right "$("$php" -n -r 'preg_match("#/\S*/libc\.so\.6#", file_get_contents("/proc/self/maps"), $found); echo $found[0];')"
done_testing
