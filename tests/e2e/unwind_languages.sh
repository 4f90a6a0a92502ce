#!/bin/bash
# check: 1200 s, long
# Whole stacks with the right names, whatever the program is written in, linked with and living in: Go, Rust, C++ with
# exceptions, static and position independent, musl, threads, coroutines, deep recursion, signal stacks, libraries that
# come and go, programs that ran before hearth, that were replaced on disk, or that see other file systems.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
languages=tests/workloads/languages
chain='main;run;outer;middle;inlined_caller_\[i\];leaf_(sixty|thirty|ten)'

record() { "$HEARTH" record -F 499 -o "$TMP/out.folded" "$@" >"$TMP/truth" 2>"$TMP/log" </dev/null; }

samples() { awk '{ n += $NF } END { print n + 0 }'; }
at_least() { awk -v some="$1" -v all="$2" -v pct="$3" 'BEGIN { exit !(all > 0 && 100 * some >= pct * all) }'; }

# Not what has run before it: before its exec, the command has hearth's name.
own() { grep -vE '^(hearth|sh|bash|ln|timeout|unshare|mount|cp|chroot|first|before);' "$TMP/out.folded" >"$TMP/own"; }

# check_whole WHAT PCT: so many of the stacks are whole.
check_whole() {
    local all whole
    own
    all=$(samples <"$TMP/own")
    whole=$(grep -vE '^[^;]*;\[(truncated|unwind: [^]]*|stack lost)\]' "$TMP/own" | samples)
    echo "# $1: $all samples, $whole whole"
    if at_least "$whole" "$all" "$2" && [[ $all -ge 50 ]]; then
        pass "$1: at least $2 % of the stacks are whole"
    else
        fail "$1: at least $2 % of the stacks are whole" "$(<"$TMP/log")" "$(grep -E '\[(trunc|unwind|stack)' "$TMP/own" | head -5 | cut -c 1-300)"
    fi
}

# check_frames WHAT PCT LEAF STACK: of the samples with LEAF (a pattern) so many have STACK.
check_frames() {
    local leaf named
    own
    leaf=$(grep -E ";$3" "$TMP/own" | samples)
    named=$(grep -E "^[^;]*;$4" "$TMP/own" | samples)
    echo "# $1: $leaf samples in $3, $named of them with the frames they must have"
    if at_least "$named" "$leaf" "$2" && [[ $leaf -ge 30 ]]; then
        pass "$1: they have the frames they must have"
    else
        fail "$1: they have the frames they must have" "$(grep -E ";$3" "$TMP/own" | grep -vE "^[^;]*;$4" | head -3 | cut -c 1-600)"
    fi
}

check() {
    check_whole "$1" "$2"
    check_frames "$@"
}

# run WHAT WHOLE_PCT LEAF STACK COMMAND...
run() {
    local what=$1 pct=$2 leaf=$3 stack=$4
    shift 4
    record -- "${warmed[@]}" "$@"
    check "$what" "$pct" "$leaf" "$stack"
}

if command -v go >/dev/null; then
    GOCACHE=$TMP/go-cache GOFLAGS=-p=2 go build -o "$TMP/descend_go" $languages/descend.go
    run 'Go' 98 'main\.leaf' 'runtime\.goexit[^;]*;(main\.main\.func[^;]*;)?(main\.main\.gowrap[^;]*;)?main\.worker;(main\.descend;){21}main\.leaf' "$TMP/descend_go" 2
    strip -o "$TMP/stripped_go" "$TMP/descend_go"
    record -- "${warmed[@]}" "$TMP/stripped_go" 2
    check 'Go, stripped' 97 '\[stripped_go\+0x[0-9a-f]*\]|main\.leaf' '([^;]*;){20}'
else
    skip 'Go' "$(lacks golang-go)"
fi
if command -v rustc >/dev/null; then
    rustc -O -o "$TMP/descend_rust" $languages/descend.rs
    run 'Rust' 98 'descend::leaf' '_start;.*;descend::main;(descend::descend;){19,21}descend::leaf' "$TMP/descend_rust" 2
else
    skip 'Rust' "$(lacks rustc)"
fi
run 'C++ with exceptions' 98 'hearth_test::handler' '_start;.*;main;hearth_test::attempts.*;.*hearth_test::attempt<.*;hearth_test::handler' \
    "$LOADS/nofp/exceptions" 1

build_leaves() { # OUTPUT COMPILER OPTION...
    local output=$1
    shift
    "$@" -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -fno-optimize-sibling-calls -fomit-frame-pointer -o "$output" tests/workloads/leaves.c
}
for kind in static static-pie; do
    build_leaves "$TMP/leaves-$kind" gcc "-$kind"
    run "$kind" 99 'leaf_' "_start;.*;$chain" "$TMP/leaves-$kind" 1
done
# musl's libc has no call frame information as Debian builds it: the stack ends in the code that has called main, and is
# not called whole.
check_musl() { # WHAT PCT LEAF STACK COMMAND...
    record -- "${warmed[@]}" "${@:5}"
    check_frames "$1" "$2" "$3" "(\[unwind: no rows\];)?[^;]*;$4"
}
for kind in -static -static-pie ''; do
    build_leaves "$TMP/musl$kind" musl-gcc ${kind:+"$kind"} 2>"$TMP/log" || build_leaves "$TMP/musl$kind" musl-gcc -static
    check_musl "musl${kind:+, $kind}" 98 'leaf_' "$chain" "$TMP/musl$kind" 1
done
musl-gcc -std=gnu11 -O2 -g -D_GNU_SOURCE -I. -fno-optimize-sibling-calls -fomit-frame-pointer -o "$TMP/musl-signals" tests/workloads/signals.c
# A handler that has interrupted libc itself has no way out: how often it does depends on what a clock_gettime costs here.
record -- "${warmed[@]}" "$TMP/musl-signals" 3
check_frames 'musl, signals' 98 'in_handler' \
    '((\[unwind: no rows\];)?[^;]*;main;between_signals;((.*;)?interrupted|[^;]*timer_settime[^;]*);(.*;)?|\[unwind: no rows\];([^;]*clock_gettime[^;]*;)+[^;]*;)handler;in_handler'

# Go calls C on another stack, and the frames go on on the goroutine's.
if command -v go >/dev/null; then
    GOCACHE=$TMP/go-cache GOFLAGS=-p=2 CGO_ENABLED=1 go build -o "$TMP/calls_c" $languages/calls_c.go
    record -- "${warmed[@]}" "$TMP/calls_c"
    all=$(grep -E '^calls_c;.*c_leaf' "$TMP/out.folded" | samples)
    whole=$(grep -E '^calls_c;runtime\.goexit[^;]*;runtime\.main;main\.main;main\.caller;.*runtime\.asmcgocall[^;]*;.*c_outer;c_leaf' "$TMP/out.folded" | samples)
    ok "Go calls C: through asmcgocall to the goroutine's first frame ($whole of $all)" at_least "$whole" "$all" 98
    record --unwind=copy -- "$TMP/calls_c"
    all=$(grep -E '^calls_c;.*c_leaf' "$TMP/out.folded" | samples)
    broken=$(grep -E '^calls_c;\[unwind: unreadable stack\];runtime\.asmcgocall[^;]*;.*c_outer;c_leaf' "$TMP/out.folded" | samples)
    ok "copies, which lack the goroutine's stack, end at asmcgocall and say so ($broken of $all)" at_least "$broken" "$all" 98
else
    skip 'Go calls C' "$(lacks golang-go)"
fi
record -- "${warmed[@]}" "$LOADS/nofp/no_return" 1
all=$(grep -E '^no_return;.*no_return( |;)' "$TMP/out.folded" | samples)
marked=$(grep -E '^no_return;(\[unwind: no return address\];no_return|_start;.*;main;no_return)( |;)' "$TMP/out.folded" | samples)
ok "a return address of zero is a broken stack, and marked ($marked of $all)" at_least "$marked" "$all" 98

# What gcc links to every library runs its destructors, and has no CFI: by tables alone the stack is whole.
cat >"$TMP/at_end.c" <<'C'
#include <time.h>
static void __attribute__((noinline)) at_end(void *unused) { while (clock() < CLOCKS_PER_SEC) ; __asm__ volatile(""); }
int __cxa_atexit(void (*)(void *), void *, void *);
extern void *__dso_handle;
static void __attribute__((constructor)) begin(void) { __cxa_atexit(at_end, 0, &__dso_handle); }
C
gcc -O2 -fomit-frame-pointer -fPIC -shared -o "$TMP/at_end.so" "$TMP/at_end.c"
printf '#include <dlfcn.h>\nint main(int c, char **v) { int failed = dlclose(dlopen(v[1], RTLD_NOW)); __asm__ volatile(""); return failed; }\n' >"$TMP/closes.c"
gcc -O2 -o "$TMP/closes" "$TMP/closes.c" -ldl
record --unwind=table -- "${warmed[@]}" "$TMP/closes" "$TMP/at_end.so"
all=$(grep -E '^closes;.*;at_end' "$TMP/out.folded" | samples)
whole=$(grep -E '^closes;_start;.*;main;.*;__do_global_dtors_aux;__cxa_finalize;at_end' "$TMP/out.folded" | samples)
ok "destructors of a library ($whole of $all)" at_least "$whole" "$all" 98

run 'recursion of 400' 99 'bottom' '_start;.*;main;start;(descend;){400}bottom' "$LOADS/nofp/recursion" 400 1
record -- "${warmed[@]}" "$LOADS/nofp/recursion" 2000 1
cut=$(grep -E '^recursion;\[truncated\];(descend;){500,511}bottom' "$TMP/out.folded" | samples)
all=$(grep -E '^recursion;(.*;bottom|\[(unwind|stack lost))' "$TMP/out.folded" | samples) # on the way there no frame is cut
ok 'recursion of 2000 is cut, marked so, and the innermost frames are kept' at_least "$cut" "$all" 97
run 'threads' 99 'burn' '(clone3?|__clone3?|__GI___clone3?|[^;]*clone[^;]*);start_thread;[^;]*;?burn' "$LOADS/nofp/burn" 8 3
run 'coroutines' 99 'in_coroutine_' '[^;]*;coroutine;in_coroutine_[012]' "$LOADS/nofp/coroutines" 1
run 'a signal on its own stack' 99 'in_handler' '_start;.*;main;between_signals;(interrupted|[^;]*timer_settime[^;]*);(.*;)?handler;in_handler' "$LOADS/nofp/signals" 2 altstack
run 'a library that comes and goes' 96 'plugin_leaf' '_start;.*;main;turns;one_turn;plugin_work;plugin_leaf' "$LOADS/nofp/dlopen" 2

cp "$LOADS/nofp/leaves" "$TMP/early"
background "$TMP/early" $ENDLESS >/dev/null
record -p $! -d 2
check 'a program that ran before' 99 'leaf_' "_start;.*;$chain"
# Its file has no executable mapping any more.
background "$LOADS/nofp/moved_text" $ENDLESS >"$TMP/moved"
await grep -q moved "$TMP/moved"
# Its rows are found within the first two seconds, of which a busy machine may take one.
begun=$(date +%s)
"$HEARTH" record -F 499 -i 0.5 -p $! -d 4.5 -o "$TMP/moved.db" 2>"$TMP/log"
"$HEARTH" report -i "$TMP/moved.db" --since @$((begun + 3)) -f folded >"$TMP/out.folded" 2>>"$TMP/log"
check 'text moved to anonymous memory' 95 'moved_leaf' '_start;.*;main;outer;inner;moved_leaf'
cp "$LOADS/nofp/replaced" "$TMP/replaced"
cp "$TMP/replaced" "$TMP/before"
record -- sh -c "timeout 0.7 '$TMP/before' 1; exec '$TMP/replaced' 1"
check 'a program replaced on disk' 98 'after_replacement' '_start;.*;main;after_replacement'

# A file that only the program's own mount namespace has.
mkdir -p "$TMP/inside"
record -- "${apart[@]}" sh -c "mount -t tmpfs none '$TMP/inside' && cp '$LOADS/nofp/leaves' '$TMP/inside/leaves' &&
    ln '$TMP/inside/leaves' '$TMP/inside/first' && timeout 0.7 '$TMP/inside/first' 1; exec '$TMP/inside/leaves' 1"
check 'a file system of its own' 98 'leaf_' "_start;.*;$chain"
mkdir -p "$TMP/root/bin"
cp "$TMP/leaves-static" "$TMP/root/bin/leaves"
ln "$TMP/root/bin/leaves" "$TMP/root/bin/first"
record -- sh -c "timeout 0.7 chroot '$TMP/root' /bin/first 1; exec chroot '$TMP/root' /bin/leaves 1"
check 'another root' 98 'leaf_' "_start;.*;$chain"
done_testing
