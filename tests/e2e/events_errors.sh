#!/bin/bash
# check: 600 s, long
# What cannot be probed is said in one sentence each, that names it and says why; the other events of the recording go on.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
calls=$LOADS/nofp/calls
cp "$calls" "$TMP/stripped"
strip -s "$TMP/stripped"
printf '\177ELF\001\001\001' >"$TMP/bits32"
cat >"$TMP/bits32.s" <<'S'
.globl _start
_start: mov $1, %eax
        int $0x80
S
as --32 -o "$TMP/bits32.o" "$TMP/bits32.s" && ld -m elf_i386 -o "$TMP/bits32" "$TMP/bits32.o"
echo 'no program' >"$TMP/text"
printf '#!/bin/sh\necho\n' >"$TMP/script"
# `only` has nothing but instructions that the kernel takes for jumps and returns; it must not be probed.
cat >"$TMP/avx.s" <<'S'
        .text
        .globl copied, only, main
        .type copied, @function
        .type only, @function
copied: mov $1, %eax
        ret
        .size copied, . - copied
only:   vpor %xmm0, %xmm0, %xmm0
        vmovd %xmm0, %eax
        ret
        .size only, . - only
main:   xor %eax, %eax
        ret
        .section .note.GNU-stack, "", @progbits
S
gcc -o "$TMP/avx" "$TMP/avx.s"
# A USDT note whose first argument is in no register that there is; the others are 77, 1234, in memory, and -2.
cat >"$TMP/odd.s" <<'S'
        .text
        .globl main
main:   sub $24, %rsp
        movl $1234, 8(%rsp)
        mov $2, %eax
        mov $0xfffe, %ebx
990:    nop
        add $24, %rsp
        xor %eax, %eax
        ret
        .section .stapsdt.base, "aG", "progbits", .stapsdt.base, comdat
        .weak _.stapsdt.base
_.stapsdt.base: .space 1
        .section .note.stapsdt, "?", "note"
        .balign 4
        .4byte 992f-991f, 994f-993f, 3
991:    .asciz "stapsdt"
992:    .balign 4
993:    .8byte 990b
        .8byte _.stapsdt.base
        .8byte 0
        .asciz "odd"
        .asciz "probe"
        .asciz "8@%nosuch 8@$77 4@4(%rsp,%rax,2) -2@%bx"
994:    .balign 4
        .section .note.GNU-stack, "", @progbits
S
gcc -o "$TMP/odd" "$TMP/odd.s"

# refused WHAT EVENT PATTERN: alone it ends the recording, beside another event it is left out.
refused() {
    local status
    "$HEARTH" record -e "$2" -o "$TMP/x.db" -- true 2>"$TMP/said" >&2
    status=$?
    like "$1" "$(cat "$TMP/said")" "$3"
    is "$1: one line, and it fails" "$(grep -c . "$TMP/said") $((status == 1 || status == 3))" '1 1'
    "$HEARTH" record -e "$2" -e "uprobe:$calls:timed_call" -o "$TMP/x.db" -- "$calls" 1 5 1 2>"$TMP/said" >/dev/null
    is "$1: the other event goes on" "$? $(sqlite3 "$TMP/x.db" 'select sum(samples) from total')" '0 6'
    like "$1: and it is still said" "$(cat "$TMP/said")" "$3"
}
refused 'a missing symbol' "uprobe:$calls:no_such" "no function 'no_such' in '.*calls'; .hearth list probes"
refused 'a stripped binary' "uprobe:$TMP/stripped:timed_call" "no function 'timed_call' in '.*', which is stripped; install its debug symbols"
refused 'a 32-bit binary' "uprobe:$TMP/bits32:_start" 'a 32-bit file; hearth knows the code of x86-64 only'
refused 'no binary' "uprobe:$TMP/text:main" 'no ELF file'
refused 'no file' "uprobe:$TMP/nothing:main" "cannot open '.*nothing': No such file"
refused 'no library' 'uprobe:libnosuch.so.1:main' "no library and no program 'libnosuch.so.1'"
refused 'an offset outside' "uprobe:$calls:timed_call+0x10000" 'behind the end of that function'
refused 'a resolver whose choice is elsewhere' 'uprobe:libc:time' 'chosen among several when a program is linked'
refused 'an offset amid an instruction' "uprobe:$TMP/avx:copied+2" "copied.0x2 of '.*avx' is amid an instruction"
refused 'an instruction the kernel mistakes' "uprobe:$TMP/avx:only" 'the kernel cannot step over the AVX instruction there'
refused 'a script' "uprobe:$TMP/script:main" 'it is a script; give the path of the program it runs'
refused 'a file without USDT' "usdt:$LOADS/nofp/burn:a:b" 'has no USDT probes'
refused 'a USDT probe it has not' "usdt:$calls:hearth_test:middle" "no USDT probe 'hearth_test:middle'; it has hearth_test:begin, hearth_test:end"
refused 'a missing tracepoint' 'tracepoint:sched:no_such' "no tracepoint 'sched:no_such'"
refused 'a missing function of the kernel' 'fentry:no_such_function' "BTF has no function 'no_such_function'"
[[ -e /sys/bus/event_source/devices/kprobe ]] ||
    refused 'no kprobes' 'kprobe:do_nanosleep' 'this kernel has no kprobes'
[[ -e /sys/bus/event_source/devices/cpu ]] || {
    "$HEARTH" record -e cycles -o "$TMP/x.db" true 2>"$TMP/said"
    is 'no PMU: exit code' $? 3
    like 'no PMU' "$(cat "$TMP/said")" "does not count 'cycles': its PMU has no such counter"
}

# --- What the probe of a return would do to a program.
if command -v go >/dev/null; then
    GOCACHE=$TMP/go-cache GOFLAGS=-p=2 go build -o "$TMP/descend_go" tests/workloads/languages/descend.go
    refused 'the return of a Go function' "uretprobe:$TMP/descend_go:main.descend" 'it is a Go program, which that would crash'
    "$HEARTH" hist "uprobe:$TMP/descend_go:main.descend" -o "$TMP/x.json" -- "$TMP/descend_go" 0.2 2>"$TMP/said" >/dev/null
    is 'nor its latency: exit code' $? 1
    like 'nor its latency' "$(cat "$TMP/said")" 'it is a Go program, which that would crash'
    "$HEARTH" record -e "uprobe:$TMP/descend_go:main.descend" -o "$TMP/x.db" -- "$TMP/descend_go" 0.2 >"$TMP/out" 2>&1
    is 'but its entry' "$? $(sqlite3 "$TMP/x.db" 'select sum(samples) > 20 from total')" '0 1'
else
    skip 'the return of a Go function' "$(lacks golang-go)"
fi
"$HEARTH" record -e "uretprobe:$LOADS/nofp/exceptions:hearth_test::handler" -o "$TMP/x.db" -- "$LOADS/nofp/exceptions" 0.2 2>"$TMP/said" >&2
is 'the return of a C++ function that is not thrown through' "$? $(sqlite3 "$TMP/x.db" 'select sum(samples) > 0 from total')" '0 1'
like 'and a word of warning' "$(cat "$TMP/said")" 'an exception thrown through a function whose return is probed ends the program'

# --- An argument that nobody can read: the probe is counted all the same, and only a histogram of it is refused.
"$HEARTH" record -e "usdt:$TMP/odd:odd:probe" -o "$TMP/x.db" -- "$TMP/odd" 2>"$TMP/said"
is 'a USDT probe with an odd argument is counted' "$? $(sqlite3 "$TMP/x.db" 'select sum(samples) from total')" '0 1'
"$HEARTH" hist "usdt:$TMP/odd:odd:probe" --value arg0 -d 0.2 2>"$TMP/said" >/dev/null
is 'a histogram of that argument: exit code' $? 1
like 'and why' "$(cat "$TMP/said")" "cannot read arg0 .*odd:probe .*'.*odd'.*'8@%nosuch'"
"$HEARTH" hist "usdt:$TMP/odd:odd:probe" --value arg4 -d 0.2 2>"$TMP/said" >/dev/null
is 'of an argument that is not there: exit code' $? 1
like 'and why not' "$(cat "$TMP/said")" "has no arg4; its arguments are '8@%nosuch"
# beside COUNT_SUM_UNMATCHED OPTION...: of the arguments beside it.
beside() {
    local expected=$1
    shift
    "$HEARTH" hist "usdt:$TMP/odd:odd:probe" "$@" -o "$TMP/x.json" -- "$TMP/odd" 2>"$TMP/said"
    is "beside the odd argument: $*" "$? $(python3 -c 'import json, sys; [h] = json.load(open(sys.argv[1])); print(h["count"], h["sum"], h["unmatched"])' "$TMP/x.json")" "0 $expected"
}
beside '1 77 0' --value arg1
beside '1 1234 0' --value arg2
beside '1 -2 0' --value arg3:s64
beside '1 1234 0' --value arg2 --by arg1
"$HEARTH" hist "usdt:$TMP/odd:odd:probe" --value arg1 --by arg0 -d 0.2 2>"$TMP/said" >/dev/null
is 'it cannot be a key either' "$? $(grep -c 'cannot read arg0' "$TMP/said")" '1 1'

# usage WHAT PATTERN ARGUMENT...
usage() {
    local what=$1 pattern=$2
    shift 2
    "$HEARTH" "$@" 2>"$TMP/said" >/dev/null
    is "$what: exit code" $? 2
    like "$what" "$(cat "$TMP/said")" "$pattern"
}
usage 'an unknown event' "unknown event 'cpuu'" record -e cpuu -o "$TMP/x.db" true
usage 'a probe without a symbol' "'libc' names no probe" record -e uprobe:libc -o "$TMP/x.db" true
usage 'half a tracepoint' 'names no tracepoint' record -e tracepoint:sched -o "$TMP/x.db" true
usage 'a USDT probe without its provider' 'names no USDT probe' record -e usdt:libc:x -o "$TMP/x.db" true
usage 'hist without a probe' 'a histogram of what' hist
usage 'a bad key' 'none of comm, pid' hist runq --by name
usage 'one USDT probe alone' 'name two, START,END' hist "usdt:$calls:hearth_test:begin"
usage 'stacks without a store' 'name one with -o FILE.db' hist --stacks off-cpu
usage 'an unknown system call' "no system call 'opn'" hist syscall:opn
usage 'a value of a wait' '--value means nothing' hist runq --value arg0
usage 'an unknown format' "unknown format 'xml'" hist runq -f xml

# --- A library that nobody has loaded yet is probed in its file, and counts when it is.
gcc -shared -fPIC -o "$TMP/libpart.so" -x c - <<<'int part(int x) { return x + 1; }'
gcc -o "$TMP/loads" -x c - -ldl <<C
#include <dlfcn.h>
#include <unistd.h>
int main(void)
{
    while (access("$TMP/go", F_OK) != 0)
        usleep(10000);
    int (*part)(int) = (int (*)(int))dlsym(dlopen("$TMP/libpart.so", RTLD_NOW), "part");
    for (int i = 0; i < 7; i++)
        part(i);
}
C
rm "$TMP/x.db"
background "$TMP/loads"
"$HEARTH" record -e "uprobe:$TMP/libpart.so:part" -p $! -o "$TMP/x.db" 2>/dev/null &
hearth=$!
await recording "$TMP/x.db"
touch "$TMP/go"
wait $hearth
is 'a library that is loaded later' "$(sqlite3 "$TMP/x.db" 'select sum(samples) from total')" 7

# --- A frequency that the kernel does not allow
most_hz=$(cat /proc/sys/kernel/perf_event_max_sample_rate)
"$HEARTH" record -F $((most_hz + 1)) -d 1 -o "$TMP/fast.db" 2>"$TMP/said"
is 'above the kernel limit of samples a second' "$? $(wc -l <"$TMP/said") $(grep -c "refuses -F $((most_hz + 1)) .* it allows now is $most_hz " "$TMP/said")" '2 1 1'
done_testing
