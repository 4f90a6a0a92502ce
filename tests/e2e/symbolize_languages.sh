#!/bin/bash
# check: 1200 s, long
# What the compilers and runtimes of other languages make: Go with and without its debug information, Rust's two manglings,
# Python's interpreter, and the code that node and Java make as they run.
. tests/tap.sh

sources=$PWD/tests/e2e/symbolize
chain() { # FILE ADDRESS: in one line, paths cut to their last part
    "$HEARTH" symbolize -e "$1" "$2" | sed -E '/^$/d; s| [^ ]*/([^ /]+:[0-9]+)$| \1|' | tr '\n' '|'
}
# The address of the instruction that holds the number 0x1234567, in a function whose symbol fits the pattern.
marker_of() { # FILE PATTERN
    objdump -d --no-show-raw-insn "$1" | awk -v fits="$2" '/^[0-9a-f]+ <.*>:$/ { inside = $2 ~ fits } inside && /0x1234567/ { sub(":", "", $1); print $1; exit }'
}

if command -v go >/dev/null; then
    export GOCACHE=$TMP/go-cache GOFLAGS=-mod=mod
    expected='main.leaf chain.go:9|main.middle chain.go:13|main.(*server).outer chain.go:20|'
    for mode in exe pie; do
        go build -buildmode=$mode -o "$TMP/go-$mode" "$sources/chain.go"
        marker=$(marker_of "$TMP/go-$mode" 'main.*outer')
        is "Go, $mode: DWARF" "$(chain "$TMP/go-$mode" "$marker")" "$expected"
        go build -buildmode=$mode -ldflags='-s -w' -o "$TMP/go-stripped" "$sources/chain.go"
        ok "Go, $mode: stripped as Go does it" test -z "$(readelf -SW "$TMP/go-stripped" | grep -E 'debug_info| \.symtab ')"
        is "Go, $mode: its own table, with inlined functions" "$(chain "$TMP/go-stripped" "$marker")" "$expected"
        # The table and DWARF agree on all of the program: where DWARF knows a function, and but for how the two write
        # names of generated code.
        objdump -d --no-show-raw-insn "$TMP/go-$mode" | awk '/^ +[0-9a-f]+:/ && NR % 97 == 0 { print $1 }' | tr -d : >"$TMP/addresses"
        for file in "go-$mode" go-stripped; do
            "$HEARTH" symbolize -e "$TMP/$file" <"$TMP/addresses" | sed 's|\./<auto|<auto|; s/\.abi0 / /' |
                awk -v RS= '{ gsub("\n", "|"); print }' >"$TMP/$file.names"
        done
        share=$(paste -d'\t' "$TMP/go-$mode.names" "$TMP/go-stripped.names" |
            awk -F'\t' '$1 !~ /^\?\?/ { all++; same += $1 == $2 } END { print (all > 500 && same >= 0.995 * all) ? "same" : same " of " all }')
        is "Go, $mode: all of it is named as by DWARF" "$share" same
    done
    # Linked with C by the system's linker, which puts Go's table amid other data, and moved when it starts.
    go build -buildmode=pie -ldflags=-linkmode=external -o "$TMP/go-external" "$sources/chain.go"
    marker=$(marker_of "$TMP/go-external" 'main.*outer')
    strip "$TMP/go-external"
    is 'Go, linked with C, stripped' "$(chain "$TMP/go-external" "$marker")" "$expected"
else
    skip 'Go, exe: DWARF' "$(lacks golang-go)"
fi

if command -v rustc >/dev/null; then
    for mangling in legacy v0; do
        flags=()
        outer='chain::outermost::inner::Server::outer' leaf='chain::outermost::inner::leaf' closure="$outer::{{closure}}"
        if [[ $mangling == v0 ]]; then
            flags=(-C symbol-mangling-version=v0)
            outer='<chain::outermost::inner::Server>::outer' leaf='chain::outermost::inner::leaf::<u32>' closure="$outer::{closure#0}"
        fi
        rustc -g -O "${flags[@]}" "$sources/chain.rs" -o "$TMP/rust" 2>"$TMP/said"
        if nm "$TMP/rust" | grep -q "$([[ $mangling == v0 ]] && echo _RN || echo _ZN).*Server5outer"; then
            marker=$(marker_of "$TMP/rust" 'Server5outer')
            got=$(chain "$TMP/rust" "$marker")
            is "Rust, $mangling" "${got#core::ptr::write_volatile*|}" "$leaf chain.rs:8|$closure chain.rs:19|$outer chain.rs:20|"
            strip --strip-debug "$TMP/rust"
            is "Rust, $mangling, without debug information" "$(chain "$TMP/rust" "$marker")" "$outer ??:0|"
        else
            skip "Rust, $mangling" "this rustc does not make it: $(head -1 "$TMP/said")"
        fi
    done
else
    skip 'Rust, legacy' "$(lacks rustc)"
fi

# An address inside a function of a live process, by what /tmp/perf-PID.map says: "START SIZE NAME".
inside() { # PID PATTERN
    local start
    await grep -q "$2" "/tmp/perf-$1.map"
    start=$(awk -v fits="$2" '$0 ~ fits { at = $1 } END { print at }' "/tmp/perf-$1.map")
    printf '%x' $((0x${start#0x} + 4))
}
name_in() { "$HEARTH" symbolize -p "$1" "$2" | sed -n 1p; }

if command -v node >/dev/null; then
    cat >"$TMP/chain.js" <<'END'
function chainLeaf(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
for (let i = 0; i < 20000; i++) chainLeaf(1000);
setInterval(() => chainLeaf(1000), 1000);
END
    (cd "$TMP" && exec node --perf-basic-prof chain.js) &
    tap_children+=($!)
    pid=$!
    at_exit "rm -f /tmp/perf-$pid.map"
    like 'node, its perf map' "$(name_in $pid "$(inside $pid '[*]chainLeaf')")" '^(JS|LazyCompile):[*]chainLeaf .*chain.js:1(:19)? \?\?:0$' # node 18: LazyCompile, no column
    (cd "$TMP" && exec node --perf-prof chain.js) &
    tap_children+=($!)
    pid=$!
    dumped() { read -r address internal line < <("$sources/jit_dump.py" "$TMP/jit-$pid.dump") && [[ $address ]]; }
    await dumped
    # node 20 writes the paths of scripts from memory that was freed, often: then there is no line, and never a wrong one.
    like 'node, its jitdump' "$(name_in $pid "$address")" '^(JS|LazyCompile):[*]chainLeaf .*chain.js:1(:19)? (.*chain.js:1|\?\?:0)$'
    like 'node, its jitdump, with the line' "$(name_in $pid "$internal")" " $line\$"
else
    skip 'node, its perf map' "$(lacks nodejs)"
fi

# The interpreter's own functions, in a process that runs it.
background python3 -c 'import time; print("x", flush=True); time.sleep(100000)' >"$TMP/python"
pid=$!
await test -s "$TMP/python"
# In the program itself or in a library of its.
while read -r python; do
    offset=$(nm -D "$python" 2>/dev/null | awk '$3 == "PyObject_Repr" { print $1 }')
    if [[ $offset ]]; then break; fi
done < <(awk '$6 ~ /python/ { print $6 }' "/proc/$pid/maps" | uniq)
if [[ $offset ]]; then
    start=$(awk -v path="$python" '$6 == path && $3 == "00000000" { sub("-.*", "", $1); print $1; exit }' "/proc/$pid/maps")
    if [[ $(readelf -hW "$python" | awk '/Type:/ { print $2 }') == EXEC ]]; then start=0; fi
    like 'python3, a function of the interpreter' "$(name_in $pid "$(printf '%x' $((0x$start + 0x$offset + 5)))")" '^PyObject_Repr '
else
    skip 'python3, a function of the interpreter' 'this python3 exports none'
fi

# Java 17 and later write a perf map when they are asked to.
if command -v jcmd >/dev/null && command -v javac >/dev/null; then
    cat >"$TMP/Chain.java" <<'END'
public class Chain {
    static int leaf(int n) { int s = 0; for (int i = 0; i < n; i++) s = s * 31 + i; return s; }
    public static void main(String[] a) throws Exception {
        int s = 0;
        for (int i = 0; i < 30000; i++) s += leaf(1000);
        System.out.println(s);
        Thread.sleep(100000000);
    }
}
END
    javac -d "$TMP" "$TMP/Chain.java"
    background java -cp "$TMP" Chain >"$TMP/java"
    pid=$!
    await test -s "$TMP/java"
    jcmd $pid Compiler.perfmap >/dev/null
    at_exit "rm -f /tmp/perf-$pid.map"
    like 'Java, its perf map' "$(name_in $pid "$(inside $pid 'Chain.leaf')")" 'Chain.leaf\(I?.*\) \?\?:0$'
else
    skip 'Java, its perf map' 'there is no JDK here'
fi
done_testing
