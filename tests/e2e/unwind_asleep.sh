#!/bin/bash
# check: 300 s
# Before the first sample hearth makes rows of programs that run and of processes that were named, and of a program that
# sleeps only where the events record sleeping threads. A sleeper that wakes later gets its rows then.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
export CACHE_DIRECTORY=$TMP/cache
mkdir -m 700 "$CACHE_DIRECTORY"

cat >"$TMP/program.c" <<'EOF'
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wake(int number)
{
    (void)number;
}

__attribute__((noinline)) static unsigned long work(double seconds)
{
    struct timespec now;
    unsigned long turns = 0;
    do {
        for (int i = 0; i < 100000; i++)
            __asm__ volatile("" : "+r"(turns));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((double)now.tv_sec + (double)now.tv_nsec / 1e9 < seconds);
    return turns;
}

int main(int argc, char **argv)
{
    signal(SIGUSR1, wake);
    if (argc > 2)
        pause();
    return work(atof(argv[1])) == 1;
}
EOF
declare -A id # build ids of no other program
for name in asleep awake; do
    id[$name]=$(head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n')
    gcc -O2 -fomit-frame-pointer -Wl,--build-id=0x"${id[$name]}" -o "$TMP/$name" "$TMP/program.c"
done
has_rows() { [[ -n $(find "$CACHE_DIRECTORY/rows" -name "*${id[$1]}*") ]]; }
lacks_rows() { ! has_rows "$1"; }
forget() { rm -rf "$CACHE_DIRECTORY/rows"; }
is_asleep() { grep -q '^State:.S' "/proc/$1/status" && [[ $(readlink "/proc/$1/exe") == "$TMP/asleep" ]]; }

background "$TMP/awake" $ENDLESS
background "$TMP/asleep" 1 sleeping
sleeper=$!
await is_asleep $sleeper
sleep 1.5 # long enough to count as asleep

ok 'the machine is recorded' "$HEARTH" record -a -d 1 -o "$TMP/machine.db"
ok 'a program that runs has rows' has_rows awake
ok 'one that sleeps has none' lacks_rows asleep

ok 'the sleeper is recorded alone' "$HEARTH" record -p $sleeper -d 0.1 -o "$TMP/alone.db"
ok 'a process that was named has rows' has_rows asleep
forget
background "$HEARTH" record -a -e off-cpu -d $ENDLESS -o "$TMP/waits.db"
waits=$!
ok 'where waits are recorded, one that sleeps has rows' await has_rows asleep
kill -INT $waits
wait $waits
forget

background "$HEARTH" record -a -F 199 -d $ENDLESS -o "$TMP/woken.folded"
recording=$!
await has_rows awake
kill -USR1 $sleeper
wait $sleeper
kill -INT $recording
wait $recording
is 'woken it is recorded' $? 0
ok 'and has rows then' has_rows asleep
whole=$(awk '/^asleep;/ { all += $NF; if (/^asleep;_start;.*;main;work/ || /;main;work;/) some += $NF } END { print all ? 100 * some / all : 0 }' "$TMP/woken.folded")
within 'three of four of its stacks are whole, and more' "$whole" 100 25
done_testing
