#!/bin/bash
# `hearth report` from outside: formats by name and by suffix, ranges and filters, exit codes, what is said and where; and
# what pprof, a JSON parser and an XML parser make of the files.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

build/tests/tools/make_sample "$TMP/s.db"
report() { "$HEARTH" report -i "$TMP/s.db" "$@"; }
sum() { awk '{ s += $NF } END { print s + 0 }'; }
# fails_with CODE WORDS ARG...: the exit code, one line on stderr, nothing on stdout.
fails_with() {
    local code=$1 words=$2 got
    shift 2
    report "$@" >"$TMP/out" 2>"$TMP/err"
    got=$?
    if [[ $got == "$code" && ! -s $TMP/out && $(wc -l <"$TMP/err") == 1 && $(cat "$TMP/err") == "hearth: "*"$words"* ]]; then
        pass "report $*: $code, and why"
    else
        fail "report $*: $code, and why" "exit $got" "$(cat "$TMP/err")" "$(head -3 "$TMP/out")"
    fi
}

# Every folded line that goes in comes out, for all kinds of frames.
cat >"$TMP/in.folded" <<'END'
a b;main;x:y 1
nginx;[truncated];serve;do_syscall_64_[k];inl_[i] 5
nginx;main 1
nginx;main;serve 4
nginx;main;serve;[libfoo.so+0x10] 2
nginx;main;serve;inner_[i];inner again_[i];leaf 3
node;[unwind: no rows];compute_[j];[unknown] 2
node;main;[jit]_[j] 1
nostack 7
END
build/tests/tools/make_store "$TMP/in.db" <"$TMP/in.folded"
is 'folded in, folded out' "$("$HEARTH" report -i "$TMP/in.db" -f folded)" "$(cat "$TMP/in.folded")"

# Whatever the stacks: 3,000 at random, up to 40 deep, from 200 functions.
awk 'BEGIN {
    srand(7)
    while (count < 3000) {
        line = "comm" int(3 * rand())
        for (depth = int(40 * rand()); depth > 0; depth--) line = line ";f" int(200 * rand()) (rand() < 0.1 ? "_[k]" : "")
        if (!(line in seen)) { seen[line]; count++; print line, 1 + int(1000 * rand()) }
    }
}' >"$TMP/random.folded"
build/tests/tools/make_store "$TMP/random.db" <"$TMP/random.folded"
"$HEARTH" report -i "$TMP/random.db" -o "$TMP/random.out.folded"
ok 'random stacks in, the same out' cmp <(LC_ALL=C sort "$TMP/random.folded") <(LC_ALL=C sort "$TMP/random.out.folded")

is 'all samples' "$(report -f folded 2>/dev/null | sum)" 52
is 'which event was chosen is said' "$(report -f folded 2>&1 >/dev/null | head -1)" \
    "hearth: this is 'cpu'; the store holds uprobe:./server:serve, blkio too: choose with -e"
is 'the losses are said on stderr, not in the data' "$(report -e cpu -f folded 2>&1 >/dev/null)" \
    'hearth: lost in that range: stack-cut 6, counts-full 2; `hearth stat` tells more'
is 'a process' "$(report -f folded -p 10 2>/dev/null | sum)" 45
is 'several' "$(report -f folded -p 10,20 2>/dev/null | sum)" 52
is 'a thread' "$(report -f folded -t 11 2>/dev/null | sum)" 8
is 'a user' "$(report -f folded -u 1000 2>/dev/null | sum)" 7
is 'a cgroup' "$(report -f folded -G /system.slice 2>/dev/null | sum)" 45
is 'a comm, by glob' "$(report -f folded --comm 'w*' 2>/dev/null | sum)" 8
is 'from a time' "$(report -f folded --since '2026-11-21 12:00:10' 2>/dev/null | sum)" 26
is 'up to a time' "$(report -f folded --until @1795262410 2>/dev/null | sum)" 26
is 'in another zone' "$(TZ=Asia/Tokyo report -f folded --since '2026-11-21 21:00:10' 2>/dev/null | sum)" 26
is 'an event and its slow part' "$(report -f folded -e uprobe:./server:serve --bucket 10ms.. 2>/dev/null | sum)" 1600000000
is 'the store as an operand' "$("$HEARTH" report "$TMP/s.db" -f folded 2>/dev/null | sum)" 52
is './hearth.db is the default' "$(cd "$TMP" && cp s.db hearth.db && "$HEARTH" report -f folded 2>/dev/null | sum)" 52
like 'top without a format' "$(report)" 'SELF +SELF% +TOTAL'

fails_with 4 "nothing of 'cpu' in that range" -p 99
like 'an empty range says what there is' "$(cat "$TMP/err")" 'holds 2026-11-21 12:00:00 to 2026-11-21 12:00:20'
fails_with 4 "nothing of 'cpu' in that range" --until 2020-01-01
fails_with 2 'it holds cpu, uprobe:./server:serve, blkio' -e off-cpu
fails_with 2 "did you mean 'folded'" -f foldet
fails_with 2 'does not keep on which CPU' -C 0
fails_with 2 'is not a time' --since later
fails_with 2 'is not after' --since -1h --until -2h
fails_with 2 "has no buckets" --bucket 1ms..
fails_with 2 'not a list of ids' -p x
fails_with 2 "there is no user" -u 'no such user'
fails_with 2 'cannot tell the format' -o "$TMP/x.bmp"
fails_with 2 "unknown option '--sinc'; did you mean '--since'" --sinc now
fails_with 1 'cannot write' -o /nonexistent/x.svg
"$HEARTH" report -i "$TMP/none.db" 2>"$TMP/err"
is 'a store that is not there' "$? $(wc -l <"$TMP/err")" '1 1'
echo 'no store at all, though long enough to look like one' >"$TMP/text.db"
"$HEARTH" report -i "$TMP/text.db" 2>"$TMP/err"
is 'a file that is no store' "$? $(wc -l <"$TMP/err")" '1 1'

# A file is there whole or not at all.
report -o "$TMP/kept.folded" 2>/dev/null
before=$(cksum <"$TMP/kept.folded")
report -o "$TMP/kept.folded" -p 99 2>/dev/null
is 'a report that fails leaves the old one' "$(cksum <"$TMP/kept.folded")" "$before"
is 'and nothing beside it' "$(cd "$TMP" && echo kept*)" kept.folded
(umask 027 && report -o "$TMP/mode.svg")
is 'the file is as readable as others' "$(stat -c %a "$TMP/mode.svg")" 640
# otlp is one write, larger than the buffer: no other one follows that could say why it failed.
awk 'BEGIN { for (i = 0; i < 5000; i++) printf "c;main;function%d 1\n", i }' | build/tests/tools/make_store "$TMP/large.db"
for format in folded otlp; do
    "$HEARTH" report -i "$TMP/large.db" -f $format -o /dev/full 2>"$TMP/err"
    is "a full disk, $format" "$? $(<"$TMP/err")" "1 hearth: cannot write '/dev/full': No space left on device"
    "$HEARTH" report -i "$TMP/large.db" -f $format 2>"$TMP/err" >/dev/full
    is "a full disk behind stdout, $format" "$? $(<"$TMP/err")" '1 hearth: cannot write the output: No space left on device'
done
if command -v script >/dev/null; then
    like 'nothing binary for a terminal' "$(script -qec "$HEARTH report -i $TMP/s.db -f pprof" /dev/null </dev/null)" 'nothing for a terminal'
else
    skip 'nothing binary for a terminal' 'no script(1) here'
fi
mkfifo "$TMP/pipe"
report -f folded -o "$TMP/pipe" 2>/dev/null &
is 'a pipe is written to, not replaced' "$(sum <"$TMP/pipe")" 52

like 'help lists the formats' "$("$HEARTH" report -h)" 'speedscope +a file for speedscope.s viewer \(\.speedscope\.json'

# Other programs read what we write.
report -o "$TMP/s.pb.gz" 2>/dev/null
if command -v go >/dev/null; then
    raw=$(cd "$TMP" && go tool pprof -raw s.pb.gz 2>&1)
    top=$(cd "$TMP" && go tool pprof -top -sample_index=samples -nodecount=100 s.pb.gz 2>&1)
    like 'pprof: 52 samples' "$top" 'of 52 total'
    like 'pprof: serve has 30 itself, 38 in all' "$top" '30 57\.69% [^ ]+ +38 73\.08%  serve'
    like 'pprof: the main binary, its build id, all named' "$raw" $'1: 0x10000/0x12000/0x0 /usr/bin/server aabb01[0]+ \\[FN\\]\\[FL\\]\\[LN\\]\\[IN\\]'
    like 'pprof: an inlined chain, innermost first' "$raw" 'is_digit /src/text.h:3(:0)? s=0[^a-z]+parse_number /src/parse.c:20(:0)? s=0[^a-z]+parse /src/parse.c:99'
    like 'pprof: time is samples by period' "$raw" '30  303030300: [0-9 ]+'
    like 'pprof: threads by comm' "$raw" 'comm:\[worker\]'
    like 'pprof: the losses are in the file' "$raw" 'lost: stack-cut 6, counts-full 2'
    like 'pprof: by comm' "$(cd "$TMP" && go tool pprof -tags -sample_index=samples s.pb.gz 2>&1)" '37.*server'
else
    skip 'pprof reads the file' "$(lacks golang-go)"
fi

report -o "$TMP/s.json" && report -o "$TMP/s.speedscope.json" 2>/dev/null && report -o "$TMP/s.svg"
report -e uprobe:./server:serve -f hist -o "$TMP/h.json" 2>/dev/null
report -e blkio -o "$TMP/h.hist.svg" 2>/dev/null
cat >"$TMP/check.py" <<'END'
import json, sys, xml.dom.minidom
folder = sys.argv[1]
full = json.load(open(folder + "/s.json"))
nodes = full["nodes"]
assert sum(nodes["self"]) == full["samples"] == 52
assert all(parent < i for i, parent in enumerate(nodes["parent"]) if i)
assert len(nodes["parent"]) == len(nodes["frame"]) == len(nodes["self"])
stacks = {}
for i, weight in enumerate(nodes["self"]):
    path, at = [], i
    while at:
        path.insert(0, full["frames"][nodes["frame"][at]]["name"])
        at = nodes["parent"][at]
    if weight:
        stacks[tuple(path)] = stacks.get(tuple(path), 0) + weight
scope = json.load(open(folder + "/s.speedscope.json"))
profile, frames = scope["profiles"][0], scope["shared"]["frames"]
assert scope["$schema"] == "https://www.speedscope.app/file-format-schema.json"
assert profile["type"] == "sampled" and profile["unit"] == "none" and profile["startValue"] == 0
assert len(profile["samples"]) == len(profile["weights"]) and sum(profile["weights"]) == profile["endValue"] == 52
assert all(0 <= f < len(frames) for s in profile["samples"] for f in s) and all("name" in f for f in frames)
cut = lambda name: name.replace(" [inlined]", "").replace(" [kernel]", "").replace(" [jit]", "")
assert {tuple(cut(frames[f]["name"]) for f in s): w for s, w in zip(profile["samples"], profile["weights"])} == stacks
hist = json.load(open(folder + "/h.json"))[0]
assert hist["count"] == sum(b["count"] for b in hist["buckets"]) == 500
assert hist["buckets"][0]["low"] <= hist["p50"] < hist["buckets"][0]["high"]
assert hist["buckets"][1]["low"] <= hist["p99"] < hist["buckets"][1]["high"]
bars = [r for r in xml.dom.minidom.parse(folder + "/h.hist.svg").getElementsByTagName("rect") if r.getAttribute("class") == "bar"]
counts = [int(b.getElementsByTagName("title")[0].firstChild.data.split(": ")[1].replace(",", "")) for b in bars]
assert counts == [3, 1] and [b.getAttribute("height") for b in bars] == ["136.0", "45.3"], counts
svg = xml.dom.minidom.parse(folder + "/s.svg")
titles = [t.firstChild.data for t in svg.getElementsByTagName("title")]
assert "serve (server): 30 samples, 57.69%" in titles and "all: 52 samples, 100.00%" in titles
END
ok 'json, speedscope, hist and svg parse, and say the same' python3 "$TMP/check.py" "$TMP"

# The heat map as a drawing: by -f and FILE, by FILE alone and by -f alone one text; it says its sums and counts.
report -e blkio -f heatmap -o "$TMP/over.svg"
report -e blkio -o "$TMP/h.heatmap.svg"
ok 'a heat map is svg as FILE is named' cmp "$TMP/over.svg" "$TMP/h.heatmap.svg"
is 'and by its own format' "$(report -e blkio -f heatmap-svg | cmp - "$TMP/over.svg" && echo same)" same
is 'its cells, and the title' "$(python3 -c '
import sys, xml.dom.minidom
svg = xml.dom.minidom.parse(sys.argv[1])
titles = [t.firstChild.data for t in svg.getElementsByTagName("title")]
print(titles[0], sorted(titles[1:]), len(svg.getElementsByTagName("desc")))' "$TMP/over.svg")" \
    "blkio on box over time: 4 values, sum 5.45 ms, p50 at most 164 us, p99 at most 5.24 ms ['12:00:00, [147 us, 164 us): 3', '12:00:00, [4.72 ms, 5.24 ms): 1'] 1"

if browser=$(command -v chromium || command -v chromium-browser); then
    report -e blkio -f heatmap -o "$TMP/heatmap.html"
    timeout -k 5 100 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$TMP/browser" --enable-logging=stderr \
        --virtual-time-budget=5000 --dump-dom "file://$TMP/heatmap.html" 2>"$TMP/browser.log" >"$TMP/dom"
    is 'the heat map is drawn, with all values, and without a word from the browser' "$(grep -c 'data-values="4"' "$TMP/dom") $(grep -ci console "$TMP/browser.log")" '1 0'
else
    skip 'the heat map is drawn' 'no chromium here'
fi

# One stack of 160 frames among 1,200 short ones makes the picture no higher; that it is cut is said.
awk 'BEGIN { line = "c"; for (i = 0; i < 160; i++) line = line ";d" i; print line, 1; print "c;main;work", 1200 }' |
    build/tests/tools/make_store "$TMP/deep.db"
"$HEARTH" report -i "$TMP/deep.db" -f svg >"$TMP/deep.svg"
is 'svg: a few deep stacks are cut' "$(grep -oE 'height="[0-9]+" view' "$TMP/deep.svg" | grep -oE '[0-9]+' | awk '{ print $1 < 1000 }') $(grep -oE \
    '[0-9.]+% of it in stacks deeper' "$TMP/deep.svg")" '1 0.08% of it in stacks deeper'

# On a terminal a table has the terminal's size, and says what is left; in a pipe it is whole.
if command -v script >/dev/null; then
    printf 'c;main;%s_%s 5\n' "$(printf 'x%.0s' {1..300})" end >"$TMP/wide.folded"
    for i in {1..90}; do echo "c;main;f$i $i"; done >>"$TMP/wide.folded"
    build/tests/tools/make_store "$TMP/wide.db" <"$TMP/wide.folded"
    on_terminal() { # COMMAND...
        script -qec "stty rows 24 cols 100; $*" /dev/null </dev/null | tr -d '\r' | sed 's/\xe2\x80\xa6/~/g'
    }
    on_terminal "'$HEARTH' report -i '$TMP/wide.db'" >"$TMP/terminal"
    on_terminal "'$HEARTH' diff '$TMP/wide.db' '$TMP/wide.db'" >"$TMP/terminal_diff"
    for table in terminal terminal_diff; do
        is "a table on a $table: its height, its width, and that there is more" \
            "$(awk '/%/ && length($0) > 100 { wide = 1 } END { print NR < 24, wide + 0 }' "$TMP/$table") $(grep -c '^\.\.\. 7[0-9] more functions' "$TMP/$table")" '1 0 1'
    done
    is 'in a pipe it is whole' "$("$HEARTH" report -i "$TMP/wide.db" | grep -cE ' f[0-9]+ |x_end')" 91
else
    skip 'a table on a terminal' "$(lacks bsdutils)"
fi

# A picture of a part says so, in every format that has a place for words.
for format in top tree svg flame json speedscope; do
    report -e cpu -p 10,11 --comm 'se*' --threads --no-inline -f "$format" >"$TMP/part" 2>/dev/null
    ok "$format says the filters" \
        grep -qF 'cpu on box (only comm se*, only pid 10,11, by thread, without inlined functions)' "$TMP/part"
done
is 'and the values' "$(report -e uprobe:./server:serve --bucket 1ms.. 2>/dev/null | head -1 | grep -o '(only.*above)')" \
    '(only values of 983 us and above)'
is 'of a whole there is nothing to say' "$(report -e cpu | head -1 | grep -cE 'only|\(by')" 0
done_testing
