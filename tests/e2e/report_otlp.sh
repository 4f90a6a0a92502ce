#!/bin/bash
# `hearth report -f otlp`: requests of OTLP profiles, decoded by protoc, held to the rules of receivers, and against the folded
# stacks of each event.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC LC_ALL=C

command -v protoc >/dev/null || skip_all "$(lacks protobuf-compiler)"
decode() { protoc -Itests/e2e --decode=otlp.Request tests/e2e/otlp_1_11.proto; }
check() { python3 tests/e2e/report_otlp.py "$@"; }
# Of a file of a request: every event's stacks.
stacks() { decode <"$1" | check | sort; }
# Of a store: the same, by the folded stacks of these events. STORE EVENTS [OPTION]...
folded() {
    local event store=$1 events=$2
    shift 2
    for event in $events; do
        "$HEARTH" report -i "$store" -e "$event" -f folded "$@" 2>/dev/null | sed "s|^|$event\t|"
    done | sort
}
# NAME FILE STORE EVENTS [OPTION]...: every event has samples.
alike() {
    local name=$1 file=$2
    shift 2
    stacks "$file" >"$TMP/stacks"
    folded "$@" >"$TMP/folded"
    # shellcheck disable=SC2086
    is "$name: the rules hold, and every stack is that of the folded ones, of each event" \
        "$(diff "$TMP/stacks" "$TMP/folded" | head -5; cut -f1 "$TMP/stacks" | uniq)" "$(printf '%s\n' $2 | sort)"
}
otlp() { "$HEARTH" report -f otlp -i "$@" 2>"$TMP/err"; }

# --- A store whose values are known: inlined functions, the kernel, JIT code, marks, code without names, two events.
build/tests/tools/make_sample "$TMP/sample.db"
known='cpu uprobe:./server:serve'
otlp "$TMP/sample.db" -o "$TMP/sample.otlp"
alike 'all of it' "$TMP/sample.otlp" "$TMP/sample.db" "$known"
is 'it was not nothing' "$(wc -l <"$TMP/stacks") $(grep -c '^cpu.* 30$' "$TMP/stacks")" '9 1'
like 'an event without stacks is named' "$(cat "$TMP/err")" 'the store holds blkio too'
otlp "$TMP/sample.db" >"$TMP/again"
ok 'the same bytes again' cmp "$TMP/sample.otlp" "$TMP/again"
mkdir "$TMP/elsewhere" && cp "$TMP/sample.db" "$TMP/elsewhere/x.db"
otlp "$TMP/elsewhere/x.db" >"$TMP/again"
ok 'and of a copy' cmp "$TMP/sample.otlp" "$TMP/again"
is 'the binaries, with their build ids' "$(decode <"$TMP/sample.otlp" | check mappings | sort | sed 's/0\{20,\}$//')" \
    '/opt/lib stripped.so
/usr/bin/server aabb01
/usr/lib/libc.so.6 cc02
[kernel]'

otlp "$TMP/sample.db" -e cpu -o "$TMP/cpu.otlp"
alike '-e chooses one' "$TMP/cpu.otlp" "$TMP/sample.db" cpu
otlp "$TMP/sample.db" --comm worker -o "$TMP/worker.otlp"
alike 'filters hold' "$TMP/worker.otlp" "$TMP/sample.db" "$known" --comm worker
otlp "$TMP/sample.db" --focus '^malloc$' -o "$TMP/focus.otlp"
alike 'so does --focus' "$TMP/focus.otlp" "$TMP/sample.db" "$known" --focus '^malloc$'
otlp "$TMP/sample.db" --no-inline -o "$TMP/inline.otlp"
alike 'without inlined functions' "$TMP/inline.otlp" "$TMP/sample.db" "$known" --no-inline
otlp "$TMP/sample.db" --until '2026-11-21 12:00:10' -o "$TMP/first.otlp"
alike 'a range' "$TMP/first.otlp" "$TMP/sample.db" "$known" --until '2026-11-21 12:00:10'
for key in comm pid unit; do
    otlp "$TMP/sample.db" --group-by $key -o "$TMP/group.otlp"
    alike "by $key" "$TMP/group.otlp" "$TMP/sample.db" "$known" --group-by $key
done
ids() { decode <"$1" | check ids; }
is 'other profiles have other ids' "$(cat <(ids "$TMP/sample.otlp") <(ids "$TMP/first.otlp" | head -1) <(ids "$TMP/worker.otlp") | sort | uniq -d)" ''
is 'the same ones the same' "$(ids "$TMP/cpu.otlp" | comm -23 - <(ids "$TMP/sample.otlp"))" ''

# --- Whose samples they are.
attributes() { decode <"$1" | check attributes | sort; }
is 'a resource for each instance' "$(attributes "$TMP/sample.otlp")" \
    'service.name=node host.name=box process.executable.path=/usr/bin/node
service.name=server.service host.name=box process.executable.path=/usr/bin/server'
id=4f0c11e09a0f$(printf '%052x' 81985529216486895) uid=0e3a7c11-52fd-4a8e-9a51-1f2d3c4b5a17
pod=/kubepods.slice/kubepods-burstable-pod${uid//-/_}.slice/cri-containerd-$id.scope
owned() { # CGROUP EXE: of the processes of node
    cp "$TMP/sample.db" "$TMP/owned.db"
    sqlite3 "$TMP/owned.db" "UPDATE process SET cgroup = '$1', exe = '$2' WHERE pid = 20"
    otlp "$TMP/owned.db" -o "$TMP/owned.otlp"
    attributes "$TMP/owned.otlp" | grep -v 'name=server.service'
}
is 'of a pod' "$(owned "$pod" /usr/bin/node)" \
    "service.name=node host.name=box container.id=${id:0:12} k8s.pod.uid=$uid process.executable.path=/usr/bin/node"
alike 'and its stacks' "$TMP/owned.otlp" "$TMP/owned.db" "$known"
is 'of a container with a name' "$(owned /machine.slice/machine-web.scope /usr/bin/node)" \
    'service.name=web host.name=box container.name=web process.executable.path=/usr/bin/node'
is 'of a login' "$(owned /user.slice/user-0.slice/session-3.scope /usr/bin/node)" \
    'service.name=node host.name=box process.executable.path=/usr/bin/node'
is 'of a thread of the kernel' "$(owned / '')" 'service.name=node host.name=box'
is 'two programs of one unit' "$(owned /system.slice/server.service /usr/bin/node | wc -l
    grep -c 'name=server.service' <(attributes "$TMP/owned.otlp"))" $'0\n2'
is 'two processes of one service are one' "$(sqlite3 "$TMP/owned.db" "UPDATE process SET exe = '/usr/bin/server', cgroup = '/system.slice/server.service'"
    otlp "$TMP/owned.db" -o "$TMP/owned.otlp"
    attributes "$TMP/owned.otlp" | wc -l)" 1
alike 'with the stacks of both' "$TMP/owned.otlp" "$TMP/owned.db" "$known"
sqlite3 "$TMP/owned.db" "UPDATE process SET exe = '/tmp/3 4 5' || char(27) || '\\x1b' || x'c3'; UPDATE thread SET comm = ' 7;' || char(10) || x'ff'"
otlp "$TMP/owned.db" -o "$TMP/owned.otlp"
alike 'names of strangers' "$TMP/owned.otlp" "$TMP/owned.db" "$known"

# --- Large: more samples than a profile may have, more events than a page holds, functions of one name in two places.
{
    awk 'BEGIN { srand(3); for (i = 0; i < 40000; i++) {
        line = "comm" i % 2
        for (d = 0; d < 1 + i % 20; d++) line = line ";f" int(400 * rand()) (d % 7 == 3 ? "_[i]" : "")
        print line, 1 + i % 17 } }'
    for ((i = 1; i <= 20; i++)); do printf '# faults%d\nc;main;touch %d\n' $i $i; done
} | build/tests/tools/make_store "$TMP/large.db"
otlp "$TMP/large.db" -o "$TMP/large.otlp"
is 'nothing is left out' "$(cat "$TMP/err")" ''
alike 'a large one' "$TMP/large.otlp" "$TMP/large.db" "cpu $(printf 'faults%d ' {1..20})"
is 'no profile has more than 16,000' "$(ids "$TMP/large.otlp" | wc -l)" $((20 + ($(grep -c '^cpu' "$TMP/stacks") + 15999) / 16000))
otlp "$TMP/large.db" --comm c -o "$TMP/c.otlp"
alike 'a range without cpu' "$TMP/c.otlp" "$TMP/large.db" "$(printf 'faults%d ' {1..20})" --comm c
otlp "$TMP/large.db" --comm nobody >"$TMP/nobody"
is 'nothing at all is said, and makes no file' "$? $(wc -c <"$TMP/nobody") $(wc -l <"$TMP/err")" '4 0 1'
printf 'c;main;read 5000000\nd;poll 7\n' | build/tests/tools/make_store "$TMP/off.db" off-cpu ns
otlp "$TMP/off.db" -o "$TMP/off.otlp"
alike 'off-cpu: its own type, and no period' "$TMP/off.otlp" "$TMP/off.db" off-cpu
printf 'c;main;alloc 4096\n' | build/tests/tools/make_store "$TMP/bytes.db" uprobe:x:alloc bytes
otlp "$TMP/bytes.db" -o "$TMP/bytes.otlp"
alike 'bytes' "$TMP/bytes.otlp" "$TMP/bytes.db" uprobe:x:alloc
printf 'a;b;c 3\na;d;;e 4\n' >"$TMP/foreign.folded"
otlp "$TMP/foreign.folded" -o "$TMP/foreign.otlp"
alike 'a profile of another tool' "$TMP/foreign.otlp" "$TMP/foreign.folded" samples

# --- What was recorded here.
if [[ $(id -u) == 0 ]]; then
    "$HEARTH" record -F 499 -e cpu -e off-cpu -o "$TMP/real.db" -- "$LOADS/fp/leaves" 1 >/dev/null 2>"$TMP/said"
    is 'recorded' $? 0
    otlp "$TMP/real.db" -o "$TMP/real.otlp"
    alike 'a recording' "$TMP/real.otlp" "$TMP/real.db" 'cpu off-cpu'
else
    skip 'a recording' 'recording takes root'
fi

# --- The checker finds each kind of mistake.
decode <"$TMP/sample.otlp" >"$TMP/text"
refused() { # NAME SCRIPT-OF-SED
    sed "$2" "$TMP/text" >"$TMP/wrong"
    cmp -s "$TMP/text" "$TMP/wrong" || ! check <"$TMP/wrong" >"$TMP/out" 2>&1
    is "the checker refuses $1" "$? $(cmp -s "$TMP/text" "$TMP/wrong" && echo unchanged)" '0 '
}
refused 'a string that nobody names' '/^dictionary/a string_table: "nobody"'
refused 'a string twice' 's/string_table: "serve"/string_table: "main"/'
refused 'no first string' 's/string_table: ""/string_table: "x"/'
refused 'a zero value that is not' '0,/trace_id: "\\000/s//trace_id: "\\001/'
refused 'no time' '/time_unix_nano/d'
refused 'no duration' 's/duration_nano: .*/duration_nano: 0/'
refused 'a time stamp' '0,/stack_index: 1/s//stack_index: 1\n timestamps_unix_nano: 5/'
refused 'two values' '0,/values: 30/s//values: 30\n values: 1/'
refused 'an index beyond its table' '0,/stack_index: 1/s//stack_index: 1000/'
refused 'a key twice' '0,/"host.name"/s//"service.name"/'
refused 'a period that is none' '/^      period: /d'
refused 'a profile without an id' '0,/profile_id/{/profile_id/d}'

if script --version >/dev/null 2>&1; then
    like 'nothing binary for a terminal' "$(script -qec "$HEARTH report -i $TMP/sample.db -f otlp" /dev/null </dev/null)" 'nothing for a terminal'
else
    skip 'nothing binary for a terminal' "$(lacks bsdutils)"
fi
like 'help says which version' "$("$HEARTH" report -h)" 'otlp .*opentelemetry-proto 1\.11'
done_testing
