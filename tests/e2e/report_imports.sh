#!/bin/bash
# Profiles of other tools as input of `hearth report` and `diff`: there and back again, by the tools' own encoders where they
# are here, and by files whose sums are known.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC TMPDIR=$TMP/temporary
mkdir "$TMPDIR"

# Stacks with inlined functions, the kernel, JIT code, marks and addresses without names.
{
    printf '%s\n' 'nginx;main;serve;memcpy_[i];asm_exc_page_fault_[k] 4' 'node;[truncated];[libv8.so+0x10];compute_[j] 2' \
        'my thread;std::map<int, char>::at(int const&);operator new 7' 'idle 3'
    awk 'BEGIN { srand(3); for (i = 0; i < 2000; i++) {
        line = "comm" i % 3
        for (d = 0; d < 1 + i % 90; d++) line = line ";f" int(40 * rand()) (d % 7 == 3 ? "_[i]" : "")
        print line, 1 + i % 17 } }'
} >"$TMP/all"
build/tests/tools/make_store "$TMP/all.db" <"$TMP/all"
report() { "$HEARTH" report -f folded -i "$@" 2>"$TMP/err"; }
sum() { awk '{ n += $NF } END { print n + 0 }'; }
report "$TMP/all.db" >"$TMP/all.folded"
for suffix in folded pb.gz speedscope.json perf.txt; do
    "$HEARTH" report -i "$TMP/all.db" -o "$TMP/again.$suffix"
    is "$suffix: what was written is read again" "$(report "$TMP/again.$suffix" | cksum)" "$(cksum <"$TMP/all.folded")"
done
is 'perf.txt: a record a sample' "$(grep -c ' cpu:$' "$TMP/again.perf.txt")" "$(sum <"$TMP/all.folded")"
if perl -e 1 2>/dev/null; then
    # A reader of its own: what stackcollapse-perf.pl looks at.
    is 'perf.txt: read as other tools read it' "$(perl -ne 'if (/^(\S.+?)\s+(\d+)\/*(\d+)*\s+[\d.]+:/) { $c = $1; @s = () }
        elsif (/^\s*$/) { $n{join ";", $c, reverse @s}++ if defined $c; undef $c }
        elsif (/^\s*(\w+)\s*(.+) \((\S*)\)/) { push @s, $2 }
        END { print "$_ $n{$_}\n" for keys %n }' "$TMP/again.perf.txt" | sort | cksum)" "$(sed 's/_\[[kij]\]//g; s/\[libv8.so+0x10\]/[unknown]/' "$TMP/all.folded" |
        awk '{ n = $NF; sub(/ [0-9]+$/, ""); sum[$0] += n } END { for (s in sum) print s, sum[s] }' | sort | cksum)"
fi
build/tests/tools/make_sample "$TMP/sample.db"
for event in cpu uprobe:./server:serve; do
    stacks() { "$HEARTH" report -i "$TMP/sample.db" -e $event "$@" 2>"$TMP/err"; }
    stacks -f firefox --group-by comm -o "$TMP/out.firefox.json"
    is "firefox, $event: the stacks of all threads" "$(python3 tests/e2e/report_firefox.py "$TMP/out.firefox.json" | sort)" \
        "$(stacks -f folded | sed 's/_\[[kij]\]//g' | sort)"
    stacks -f firefox -o "$TMP/out.firefox.json"
    is "firefox, $event: sums by thread" "$(python3 tests/e2e/report_firefox.py "$TMP/out.firefox.json" | sum)" "$(stacks -f folded | sum)"
    stacks -f script -o "$TMP/out.perf.txt"
    is "script, $event: periods add up to what was measured" "$(awk '/:$/ { n += $(NF - 1) } END { print n }' "$TMP/out.perf.txt")" \
        "$(if [[ $event == cpu ]]; then echo $((52 * 10101010)); else stacks -f folded | sum; fi)"
done
is 'script: threads have their names' "$(awk '/:$/ { print $1, $2 }' "$TMP/out.perf.txt" | sort | uniq -c | awk '{ print $1, $2, $3 }' | paste -sd ,)" \
    '400 server 10/10,100 worker 10/11'
"$HEARTH" report -i "$TMP/all.folded" -o "$TMP/out.firefox.json"
is 'firefox: 2,000 stacks' "$(python3 tests/e2e/report_firefox.py "$TMP/out.firefox.json" | sum)" "$(sum <"$TMP/all.folded")"
gzip -k "$TMP/all.folded"
is 'gzip of it' "$(report "$TMP/all.folded.gz" | cksum)" "$(cksum <"$TMP/all.folded")"
is 'from a pipe' "$(report - <"$TMP/all.folded" | cksum) $(report <(cat "$TMP/all.folded") | cksum)" \
    "$(cksum <"$TMP/all.folded") $(cksum <"$TMP/all.folded")"
is 'any line order' "$(LC_ALL=C sort -R "$TMP/all.folded" | report - | cksum)" "$(cksum <"$TMP/all.folded")"
is 'and CRLF' "$(sed 's/$/\r/' "$TMP/all.folded" | report - | cksum)" "$(cksum <"$TMP/all.folded")"
is 'filters hold' "$(report "$TMP/all.folded" --comm nginx)" 'nginx;main;serve;memcpy_[i];asm_exc_page_fault_[k] 4'
is 'a difference of two formats: nothing' \
    "$("$HEARTH" diff "$TMP/again.pb.gz" "$TMP/again.speedscope.json" -f folded | awk '$(NF - 1) != $NF' | wc -l)" 0
for format in top svg flame json pprof otlp speedscope tree firefox script; do
    ok "as $format" "$HEARTH" report -i "$TMP/all.folded" -f "$format" -o "$TMP/out"
done
awk 'BEGIN { for (i = 0; i < 300; i++) { line = "deep"; for (d = 0; d < 4000; d++) line = line ";f" i "_" d; print line, 1 } }' >"$TMP/deep"
is '1,200,000 frames of 300 stacks' "$(report "$TMP/deep" | cksum)" "$(LC_ALL=C sort "$TMP/deep" | cksum)"

# --- pprof, as Go's own encoder writes it.
if command -v go >/dev/null; then
    go tool pprof -proto -output "$TMP/go.pb.gz" "$TMP/again.pb.gz" >/dev/null 2>&1
    # It leaves samples without a location out, and shortens templates.
    is "pprof's own encoding" "$(report "$TMP/go.pb.gz" | grep -E '^(comm|n)' | cksum)" "$(grep -E '^(comm|n)' "$TMP/all.folded" | cksum)"
else
    skip "pprof's own encoding" "$(lacks golang-go)"
fi

# --- The text of perf script: a comm with a blank, inlined functions, lines, events, a sample without a call chain.
script=tests/golden/imports/perf.script
is 'perf script: the event with the most' "$(report $script -e cpu-clock:uH)" 'Web Content;[libc.so.6+0x2000];main 1
Web Content;[unknown];operator()(int, char const*);copy_line_[i];do_syscall_64_[k] 1'
is 'a tracepoint, JIT' "$(report $script -e sched:sched_switch)" 'node;LazyCompile:~a_[j] 1'
is 'without a chain' "$(report $script -e cycles:P)" 'swapper;load_elf_binary_[k] 1'
is 'its threads' "$(report $script -e cpu-clock:uH -t 813 | sum) $(report $script -e cpu-clock:uH -p 7 | sum)" '2 0'
ok 'and lines' grep -q 'program.c:12' <(report $script -e cpu-clock:uH --lines)

# --- speedscope's frames that open and close.
evented=tests/golden/imports/evented.speedscope.json
is 'speedscope: open and close' "$(report $evented -e time)" 'main thread;a 6500000
main thread;a;b 3500000'
is 'and bytes' "$(report $evented -e bytes)" 'heap;a;b 4
heap;b 5'

# --- Files that are nothing of it.
refused() { # NAME FILE WORDS
    report "$2" >"$TMP/out"
    is "$1: one line, no output" "$? $(wc -l <"$TMP/err") $(wc -c <"$TMP/out") $(grep -c "$3" "$TMP/err")" '1 1 0 1'
}
head -c 300 /dev/urandom | base64 | tr -d '0-9' >"$TMP/noise"
refused 'noise' "$TMP/noise" 'neither a store nor'
refused 'a device without an end' /dev/zero 'a device, not a store'
printf 'main;a 3\nmain;b x\n' >"$TMP/bad"
refused 'a line without a count' "$TMP/bad" 'line 2'
head -c 2000 "$TMP/again.pb.gz" >"$TMP/cut.gz"
refused 'gzip that was cut off' "$TMP/cut.gz" 'damaged'
zcat "$TMP/again.pb.gz" | head -c 3000 >"$TMP/cut"
refused 'pprof that was cut off' "$TMP/cut" 'damaged\|neither'
head -c 3000 "$TMP/again.speedscope.json" >"$TMP/cut"
refused 'JSON that was cut off' "$TMP/cut" 'no whole JSON\|neither'
sed 's/"frame": 1/"frame": 7/' $evented >"$TMP/bad"
refused 'a frame that is not there' "$TMP/bad" 'not in the list'
awk 'BEGIN { line = "deep"; for (d = 0; d < 5000; d++) line = line ";f"; print line, 1 }' >"$TMP/bad"
refused 'a stack that is too deep' "$TMP/bad" '4096 frames'
is 'no temporary store is left' "$(ls "$TMPDIR")" ''

# --- A signal in the middle.
mkfifo "$TMP/fifo"
background "$HEARTH" report -i "$TMP/deep" -f folded -o "$TMP/fifo"
waits() { [[ -n $(ls "$TMPDIR") ]]; }
await waits
kill -TERM "$!"
wait "$!"
is 'SIGTERM ends it, and removes the store' "$? $(ls "$TMPDIR")" '143 '
done_testing
