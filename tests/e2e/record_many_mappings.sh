#!/bin/bash
# More mappings than hearth keeps of a process, and more records of them than the kernel has room for: code that was mapped
# last has its name; so has a program that starts amid the flood, which another user makes.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
# mapper PAGES: maps so many pages of code, none beside another, lists them in a perf map, then runs the last one.
# flood: maps and unmaps such pages, on and on.
cat >"$TMP/many.c" <<'C'
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
// push rbp; mov rbp, rsp; mov ecx, 1000000; 1: dec ecx; jnz 1b; pop rbp; ret
static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xb9, 0x40, 0x42, 0x0f, 0x00, 0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3};
static void *map_code(long number)
{
    void *page = mmap((char *)0x300000000000 + number * 8192, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (page == MAP_FAILED)
        exit(1);
    return page;
}
int main(int count, char **arguments)
{
    long pages = count > 1 ? atol(arguments[1]) : 0;
    void *last = NULL;
    for (long i = 0; !pages; i = (i + 1) % 10000)
        munmap(map_code(i), 4096);
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    FILE *list = fopen(path, "w");
    for (long i = 0; i < pages; i++) {
        last = map_code(i);
        memcpy(last, code, sizeof(code));
        fprintf(list, "%lx 1000 jit_function_%ld\n", (unsigned long)last, i);
    }
    fclose(list);
    puts("mapped");
    fflush(stdout);
    for (;;)
        ((void (*)(void))last)();
}
C
gcc -O1 -o "$TMP/mapper" "$TMP/many.c"
ln "$TMP/mapper" "$TMP/flood"
chmod 755 "$TMP/flood"

"$HEARTH" record -a -F 199 -o "$TMP/x.db" 2>"$TMP/err" &
hearth=$!
tap_children+=("$hearth")
await recording "$TMP"
background "$TMP/mapper" 30000 >"$TMP/mapped"
mapper=$!
at_exit "rm -f /tmp/perf-$mapper.map"
await grep -q mapped "$TMP/mapped"
# Two floods, so that one runs while hearth reads the records of the other's CPU.
for _ in 1 2; do background setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/flood"; done
await sampled "$TMP" flood 50
for program in amid1 amid2 amid3 amid4; do
    cp "$LOADS/nofp/chain" "$TMP/$program"
    background "$TMP/$program" 12 $ENDLESS >/dev/null
done
for program in amid1 amid2 amid3 amid4; do await sampled "$TMP" $program 100; done
await sampled "$TMP" $mapper 200
kill -INT $hearth
wait $hearth
is 'it ends well' $? 0

# The samples of a program by the leaf of their stack: COUNT LEAF
leaves() {
    "$HEARTH" report -i "$TMP/x.db" -e cpu --comm "$1" -f folded 2>/dev/null |
        awk '{ leaf = $0; sub(/ [0-9]+$/, "", leaf); sub(/.*;/, "", leaf); count[leaf] += $NF }
            END { for (leaf in count) print count[leaf], leaf }' | sort -rn >"$TMP/leaves"
}
of() { awk -v leaf="$1" '$2 ~ leaf { sum += $1 } END { print sum + 0 }' "$TMP/leaves"; }
leaves mapper
ok 'code that was mapped last has its name' test "$(of '^jit_function_29999_.j.$')" -ge 100
is 'none is without' "$(of '^.(unknown|jit).')" 0
for program in amid1 amid2 amid3 amid4; do
    leaves $program
    ok "$program, which started amid the flood, has its names" test "$(of '^bottom$')" -ge 50
    is "$program: no code is unknown" "$(of '^.unknown')" 0
done
{ cat "$TMP/err"; "$HEARTH" stat -i "$TMP/x.db" | grep -A3 ^lost; } | sed 's/^/# /'
done_testing
