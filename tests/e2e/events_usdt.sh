#!/bin/bash
# check: 600 s
# USDT probes as events: each place, whatever its arguments are; with semaphores, in a process that runs already and in one
# started for it, with -p and without; what list says of them.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
sum() { sqlite3 "$TMP/x.db" 'select coalesce(sum(samples), 0) from total'; }

# A program with one probe for each way that compilers and assemblers write an argument, each passed 20 times.
{
    cat <<'C'
#include <unistd.h>
__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n.weak _.stapsdt.base\n.hidden _.stapsdt.base\n"
        "_.stapsdt.base: .space 1\n.size _.stapsdt.base,1\n.popsection\n");
#define PROBE(name, words)                                                                                             \
    __asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"?\",\"note\"\n.balign 4\n.4byte 992f-991f,994f-993f,3\n"    \
                     "991: .asciz \"stapsdt\"\n992: .balign 4\n993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte 0\n"      \
                     ".asciz \"forms\"\n.asciz \"" name "\"\n.asciz \"" words "\"\n994: .balign 4\n.popsection\n")
long global = 7;
int main(int argc, char **argv)
{
    for (int i = 0; i < 20; i++) {
        PROBE("none", "");
        PROBE("constant", "-4@$-9 8@$1");
        PROBE("registers", "8@%rax 4@%eax 2@%ax 1@%al -1@%r8b -2@%r9w -4@%r10d");
        PROBE("memory", "8@(%rsp) -4@-8(%rsp)");
        PROBE("indexed", "8@(%rsp,%rax,8) 4@16(,%rax,4)");
        PROBE("named", "8@global(%rip)");
        PROBE("vector", "8f@%xmm0");
    }
    return argc > 100 && argv;
}
C
} >"$TMP/forms.c"
gcc -O1 -o "$TMP/forms" "$TMP/forms.c"
for name in none constant registers memory indexed named vector; do
    "$HEARTH" record -e "usdt:$TMP/forms:forms:$name" -o "$TMP/x.db" -- "$TMP/forms" 2>"$TMP/said"
    is "arguments: $name" "$? $(sum)" '0 20'
done
"$HEARTH" record -e "usdt:$TMP/forms:*:*" -o "$TMP/x.db" -- "$TMP/forms" 2>"$TMP/said"
is 'all of them by a glob' "$? $(sum)" '0 140'
like 'and their number is said' "$(cat "$TMP/said")" '7 places probed'
is 'in the store too' "$(sqlite3 "$TMP/x.db" 'select substr(detail, 1, 25), unit from event')" '7 USDT probes at 7 places|hits'
is 'a listing has the arguments it can tell' "$("$HEARTH" list probes "usdt:$TMP/forms:forms:registers" | sed 's/.*  //')" \
    'arg0:u64 arg1:u32 arg2:u16 arg3:u8 arg4:s8 arg5:s16 arg6:s32'
is 'and the others' "$("$HEARTH" list probes "usdt:$TMP/forms:forms:vector" | sed 's/.*  //')" 'arg0'

# --- A semaphore: without it raised the probe is not even reached.
program=$LOADS/nofp/calls_semaphore
"$HEARTH" record -e "usdt:$program:hearth_test:begin" -o "$TMP/x.db" -- "$program" 2 20 2 3 >/dev/null 2>&1
is 'with a semaphore, started by hearth' "$(sum)" $((2 * 22 * 4))
rm "$TMP/x.db"
background "$program" 1 20 2 0 "$TMP/go" >/dev/null
"$HEARTH" record -e "usdt:$program:hearth_test:begin" -e "usdt:$program:hearth_test:end" -p $! -o "$TMP/x.db" 2>/dev/null &
hearth=$!
await recording "$TMP/x.db"
touch "$TMP/go"
wait $hearth
is 'with a semaphore, running already, two events' "$(sqlite3 "$TMP/x.db" 'select group_concat(n) from (select sum(samples) n from total group by event)')" 22,22
done_testing
