#!/bin/bash
# check: 600 s
# A live process: code that no file holds, files that are no longer where they were, namespaces of its own.
. tests/tap.sh

gcc -O1 -D_GNU_SOURCE tests/e2e/symbolize/jit.c -o "$TMP/jit"
name_in() { "$HEARTH" symbolize -p "$1" "${@:2}" | sed -n '1p'; }
jit() { # OUTPUT COMMAND...: starts it, waits for the address it prints
    background "${@:2}" >"$1"
    await test -s "$1"
}
jit "$TMP/map" "$TMP/jit" map
pid=$! code=$(cat "$TMP/map")
at_exit "rm -f /tmp/perf-$pid.map"
is 'a perf map; the last line wins' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x20)))")" 'LazyCompile:~handle /srv/app.js:12 ??:0'
is 'a perf map with control characters' "$(name_in "$pid" "$(printf '%x' $((0x$code + 256)))")" 'evil\x1b[31m name ??:0'
is 'a perf map does not reach beyond its functions' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x40)))")" '?? ??:0'
name_at() { name_in "$pid" "$(printf '%x' $((0x$code + $1)))"; }
is 'perf maps with 0x, CR, tabs, blanks, big digits, and without a last newline' \
    "$(for at in 512 576 640 704 832; do name_at $at; done | tr '\n' ' ')" \
    'with 0x ??:0 tabs ??:0 blanks ??:0 big digits (a.js:1:2) ??:0 no end ??:0 '
is 'lines of a perf map that are none' "$(name_at 768)" '?? ??:0'
map=/tmp/perf-$pid.map
touch -d '2 days ago' "$map"
is 'a perf map that is older than the process' "$(name_at 512)" '?? ??:0'
touch "$map"
is 'the same, written again' "$(name_at 512)" 'with 0x ??:0'
mv "$map" "$TMP/moved.map"
ln -s "$TMP/moved.map" "$map"
is 'a perf map that is a link' "$(name_at 512)" '?? ??:0'
rm "$map"
mkfifo "$map"
is 'a perf map that is a FIFO' "$(name_at 512)" '?? ??:0'
rm "$map"
cp "$TMP/moved.map" "$map"
if chown 12345 "$map" 2>/dev/null; then
    is 'a perf map of another user' "$(name_at 512)" '?? ??:0'
    chown 0 "$map"
    is 'a perf map of root' "$(name_at 512)" 'with 0x ??:0'
else
    skip 'a perf map of another user' 'this user cannot give files away'
fi
jit "$TMP/dump" "$TMP/jit" dump "$TMP"
pid=$! code=$(cat "$TMP/dump")
is 'a jitdump, with its line' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x20)))")" 'handle app.js:33'
is 'a jitdump whose code has moved' "$(name_in "$pid" "$(printf '%x' $((0x$code + 512)))")" 'moved ??:0'
is 'a jitdump, the place it moved from' "$(name_in "$pid" "$(printf '%x' $((0x$code + 256)))")" 'came to the old place ??:0'
if chown 12345 "$TMP/jit-$pid.dump" 2>/dev/null; then
    is 'a jitdump of another user' "$(name_at 32)" '?? ??:0'
else
    skip 'a jitdump of another user' 'this user cannot give files away'
fi
vdso=$(awk '$6 == "[vdso]" { sub("-.*", "", $1); print $1 }' "/proc/$pid/maps")
gettime=$(dd if="/proc/$pid/mem" bs=4096 skip=$((0x$vdso / 4096)) count=2 2>/dev/null >"$TMP/vdso"; nm -D "$TMP/vdso" | awk '/__vdso_clock_gettime$/ || / clock_gettime/ { print $1; exit }')
like 'the vDSO' "$(name_in "$pid" "$(printf '%x' $((0x$vdso + 0x$gettime + 1)))")" 'clock_gettime'
if "${apart[@]}" -pf --mount-proc true 2>/dev/null; then
    # Its own /tmp and its own pid 1 or 2: the map is found as the process sees it.
    mkdir -p "$TMP/inner"
    cp "$TMP/jit" "$TMP/inner"
    jit "$TMP/inner-map" "${apart[@]}" -pf --kill-child sh -c "mount --bind $TMP/inner /tmp && exec /tmp/jit map"
    pid=$(pgrep -P $!) code=$(cat "$TMP/inner-map")
    ok 'a container has its map to itself' test -e "$TMP/inner/perf-1.map"
    is 'a perf map in its own namespaces' "$(name_in "$pid" "$code")" 'LazyCompile:~handle /srv/app.js:12 ??:0'
else
    skip 'a perf map in its own namespaces' 'this user cannot make namespaces'
fi

# A live process whose binary was deleted, and replaced by another.
cat >"$TMP/wait.c" <<'END'
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("%lx\n", (unsigned long)&main); fflush(stdout); return pause(); }
END
gcc -g -O1 -Wl,--build-id=0x1111111111111111111111111111111111111111 "$TMP/wait.c" -o "$TMP/wait"
jit "$TMP/waits" "$TMP/wait"
pid=$! code=$(cat "$TMP/waits")
rm "$TMP/wait"
like 'a deleted binary' "$(name_in "$pid" "$code")" '^main .*/wait.c:3$'
cp /bin/true "$TMP/wait"
like 'a replaced binary' "$(name_in "$pid" "$code")" '^main .*/wait.c:3$'

# What a signal handler and a coroutine return to: callers are looked up one byte before the address they are returned to,
# which lies before the function here. glibc's symbol table is in its debug file; without that, the code alone tells.
cat >"$TMP/returns.c" <<'END'
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>
static ucontext_t back, forth;
static char stack[65536];
#define TELL() printf("%lx\n", (unsigned long)__builtin_return_address(0) - 1)
static void handle(int signal) { (void)signal; TELL(); }
static void work(void) { TELL(); }
int main(void)
{
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
#ifdef COROUTINE
    getcontext(&forth);
    forth.uc_stack.ss_sp = stack;
    forth.uc_stack.ss_size = sizeof(stack);
    forth.uc_link = &back;
    makecontext(&forth, work, 0);
    swapcontext(&back, &forth);
#endif
    fflush(stdout);
    return pause();
}
END
returns_of() { # COMMAND: what hearth calls the addresses that it prints
    rm -f "$TMP/returns-at" # that of the command before
    background "$@" >"$TMP/returns-at"
    local pid=$!
    await test -s "$TMP/returns-at"
    "$HEARTH" symbolize -p "$pid" "${options[@]}" <"$TMP/returns-at" | sed -n '/./s/ .*//p' | tr '\n' ' '
    kill -KILL "$pid"
}
gcc -O1 -fno-omit-frame-pointer -DCOROUTINE "$TMP/returns.c" -o "$TMP/returns"
options=()
is 'what handlers and coroutines return to' "$(returns_of "$TMP/returns")" '__restore_rt __start_context '
options=(--debug-dir "$TMP")
is 'the same without a symbol table' "$(returns_of "$TMP/returns")" '__restore_rt __start_context '
gcc -O1 -static -DCOROUTINE "$TMP/returns.c" -o "$TMP/returns-static"
is 'the same in a static program' "$(returns_of "$TMP/returns-static")" '__restore_rt __start_context '
strip "$TMP/returns-static"
is 'the same in a static program that was stripped' "$(returns_of "$TMP/returns-static")" '__restore_rt __start_context '
if command -v musl-gcc >/dev/null; then
    musl-gcc -O1 -static "$TMP/returns.c" -o "$TMP/returns-musl"
    is 'what handlers return to, musl' "$(returns_of "$TMP/returns-musl")" '__restore_rt '
else
    skip 'what handlers return to, musl' "$(lacks musl-tools)"
fi
done_testing
