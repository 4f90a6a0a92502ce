#!/bin/bash
# check: 600 s, long
# What a probe's SYMBOL may be, and where it is found: demangled, versioned, chosen when a program is linked (IFUNC), one of
# several names, in a debug file, in MiniDebugInfo, of a program that is linked to a fixed address, in a container. Each is
# counted as often as the program calls it, and the program does what it does without the probe.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
needs() { command -v "$1" >/dev/null; }

# counted EVENT COMMAND...: the number of its hits.
counted() {
    local event=$1
    shift
    "$HEARTH" record -e "$event" -o "$TMP/x.db" -- "$@" >"$TMP/out" 2>"$TMP/said"
    echo $? >"$TMP/status"
    sqlite3 "$TMP/x.db" 'select coalesce(sum(samples), 0) from total'
}

# --- A program that calls each of its functions a number of times of its own.
cat >"$TMP/names.cc" <<'C'
#include <cstdio>
namespace app {
struct server {
    __attribute__((noinline)) int serve(int x) { asm volatile("" : "+r"(x)); return x + 1; }
    __attribute__((noinline)) int serve(const char *x) { asm volatile("" : "+r"(x)); return *x; }
};
template <class T> __attribute__((noinline)) T twice(T x) { asm volatile("" : "+r"(x)); return x + x; }
}
extern "C" {
__attribute__((noinline)) int real_name(int x) { asm volatile("" : "+r"(x)); return x ^ 5; }
int other_name(int) __attribute__((alias("real_name")));
}
__attribute__((noinline)) static int hidden(int x) { asm volatile("" : "+r"(x)); return x * 3; }
int main()
{
    app::server server;
    int sum = 0;
    for (int i = 0; i < 30; i++) sum += server.serve(i);
    for (int i = 0; i < 4; i++) sum += server.serve("x");
    for (int i = 0; i < 50; i++) sum += app::twice(i);
    for (int i = 0; i < 60; i++) sum += real_name(i) + other_name(i);
    for (int i = 0; i < 70; i++) sum += hidden(i);
    printf("%d\n", sum);
}
C
g++ -O2 -g -o "$TMP/names" "$TMP/names.cc"
said=$("$TMP/names")
expect() { # WHAT EVENT COUNT PROGRAM
    is "$1" "$(counted "$2" "$4") $(cat "$TMP/out")" "$3 $said"
}
expect 'a demangled name with its parameters' "uprobe:$TMP/names:app::server::serve(int)" 30 "$TMP/names"
expect 'a demangled name without: all that fit' "uprobe:$TMP/names:app::server::serve" 34 "$TMP/names"
like 'and their number is said' "$(cat "$TMP/said")" ': 2 functions probed'
expect 'a mangled name' "uprobe:$TMP/names:_ZN3app6server5serveEi" 30 "$TMP/names"
expect 'a template' "uprobe:$TMP/names:*app::twice<int>*" 50 "$TMP/names"
expect 'returns' "uretprobe:$TMP/names:app::server::serve(int)" 30 "$TMP/names"
expect 'one name of a function that has two' "uprobe:$TMP/names:other_name" 120 "$TMP/names"
expect 'both names: one probe' "uprobe:$TMP/names:*_name" 120 "$TMP/names"
is 'and one function' "$(grep -c 'functions probed' "$TMP/said")" 0
is 'a listing has both names' "$("$HEARTH" list probes "uprobe:$TMP/names:*_name" | cut -d: -f3 | sort | tr '\n' ' ')" 'other_name real_name '
is 'a static function' "$(counted "uprobe:$TMP/names:*hidden*" "$TMP/names")" 70
start=$(nm "$TMP/names" | awk '$3 == "real_name" { print $1 }')
offset=$(objdump -d --no-show-raw-insn --start-address=0x$start "$TMP/names" | awk '$2 ~ /^ret/ { sub(":", "", $1); print $1; exit }')
expect 'its last instruction by an offset' "uprobe:$TMP/names:real_name+$((0x$offset - 0x$start))" 120 "$TMP/names"
expect 'by its address' "uprobe:$TMP/names:0x$start" 120 "$TMP/names"
g++ -O2 -g -no-pie -o "$TMP/fixed" "$TMP/names.cc"
expect 'a program linked to a fixed address' "uprobe:$TMP/fixed:real_name" 120 "$TMP/fixed"
g++ -O2 -static -o "$TMP/static" "$TMP/names.cc" && expect 'a static program' "uprobe:$TMP/static:real_name" 120 "$TMP/static"

# --- Stripped: what is exported, what a debug file has, what MiniDebugInfo has.
g++ -O2 -g -rdynamic -o "$TMP/exporting" "$TMP/names.cc" && strip -s "$TMP/exporting"
expect 'stripped, by .dynsym' "uprobe:$TMP/exporting:real_name" 120 "$TMP/exporting"
cp "$TMP/names" "$TMP/linked"
objcopy --only-keep-debug "$TMP/names" "$TMP/linked.debug"
strip -s "$TMP/linked"
(cd "$TMP" && objcopy --add-gnu-debuglink=linked.debug linked)
objcopy --remove-section=.note.gnu.build-id "$TMP/linked"
is 'stripped, with a debug file by .gnu_debuglink' "$(counted "uprobe:$TMP/linked:*hidden*" "$TMP/linked")" 70
printf 'x' >>"$TMP/linked.debug"
counted "uprobe:$TMP/linked:hidden" "$TMP/linked" >/dev/null
like 'a debug file of another build is not believed' "$(cat "$TMP/said")" 'which is stripped; install its debug symbols'
id=$(readelf -n "$TMP/names" | awk '/Build ID/ { print $3 }')
mkdir -p "/usr/lib/debug/.build-id/${id:0:2}"
at_exit "rm -f '/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug'; rmdir --ignore-fail-on-non-empty '/usr/lib/debug/.build-id/${id:0:2}'"
objcopy --only-keep-debug "$TMP/names" "/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
cp "$TMP/names" "$TMP/packaged"
strip -s "$TMP/packaged"
is 'stripped, with a debug file by build id' "$(counted "uprobe:$TMP/packaged:*hidden*" "$TMP/packaged")" 70
rm "/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
if needs xz; then
    cp "$TMP/names" "$TMP/mini"
    objcopy --only-keep-debug --strip-debug "$TMP/names" "$TMP/mini.debug"
    xz -k "$TMP/mini.debug"
    strip -s "$TMP/mini"
    objcopy --add-section .gnu_debugdata="$TMP/mini.debug.xz" "$TMP/mini"
    is 'stripped, with MiniDebugInfo' "$(counted "uprobe:$TMP/mini:*hidden*" "$TMP/mini")" 70
else
    skip 'stripped, with MiniDebugInfo' "$(lacks xz-utils)"
fi

# --- libc: versions, functions that the processor chooses, instructions that the kernel must not step over.
cat >"$TMP/copies.c" <<'C'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *(*volatile find)(const char *, int) = strchr;
    void *(*volatile set)(void *, int, size_t) = memset;
    unsigned long sum = 0;
    for (int i = 0; i < 900; i++) {
        char text[300];
        set(text, 'a' + i % 20 + argc, sizeof(text) - 1);
        text[299] = 0;
        text[i % 200] = '!';
        sum = sum * 31 + (unsigned long)(find(text, '!') - text) + (unsigned char)text[250];
    }
    printf("%lu\n", sum);
    return argc > 100 && argv;
}
C
gcc -O2 -fno-builtin -o "$TMP/copies" "$TMP/copies.c"
copied=$("$TMP/copies")
for name in memset strchr; do
    n=$(counted "uprobe:libc:$name" "$TMP/copies")
    ok "$name: as this processor has it ($n)" test "$n" -ge 900 -a "$n" -lt 1100
    is "$name: the program does what it does" "$(cat "$TMP/status" "$TMP/out" | tr '\n' ' ')" "0 $copied "
    like "$name: what was probed is said" "$(cat "$TMP/said")" '1 of several \(IFUNC\), as this processor has it chosen'
done
n=$(counted 'uprobe:libc:mem*' "$TMP/copies")
ok "a glob over functions of vector instructions ($n)" test "$n" -ge 900
is 'and the program does what it does' "$(cat "$TMP/status" "$TMP/out" | tr '\n' ' ')" "0 $copied "
readelf -W --dyn-syms "$(ldd "$TMP/copies" | awk '/libc.so/ { print $3 }')" | awk '/ memcpy@/ { print $8 }' >"$TMP/versions"
if [[ $(wc -l <"$TMP/versions") -ge 2 ]]; then
    ok 'a version of a symbol' "$HEARTH" record -e uprobe:libc:memcpy@GLIBC_2.2.5 -o "$TMP/x.db" -- true
    is 'which is one function' "$(sqlite3 "$TMP/x.db" 'select detail like "memcpy@GLIBC_2.2.5 of %" from event')" 1
    ok 'the version that is linked with now' "$HEARTH" record -e uprobe:libc:memcpy@@GLIBC_2.14 -o "$TMP/x.db" -- true
fi
counted 'uprobe:libc:memcpy@GLIBC_0.1' true >/dev/null
like 'a version that is not there' "$(cat "$TMP/said")" "no function 'memcpy@GLIBC_0.1'"

# --- Another mount namespace: the file that the process sees, not ours of the same path.
mkdir "$TMP/place"
gcc -O2 -o "$TMP/place/app" -x c - <<<'int main(void) { return 0; }'
cat >"$TMP/inside.c" <<'C'
#include <unistd.h>
__attribute__((noinline)) int only_inside(int x) { asm volatile("" : "+r"(x)); return x; }
int main(void) { for (int i = 0;; i++) { only_inside(i); usleep(10000); } }
C
mkdir "$TMP/root"
gcc -O2 -g -o "$TMP/root/app" "$TMP/inside.c"
background "${apart[@]}" sh -c "mount --bind '$TMP/root' '$TMP/place' && exec '$TMP/place/app'"
inside=$!
await runs $inside "$TMP/root/app"
"$HEARTH" record -e "uprobe:$TMP/place/app:only_inside" -p $inside -d 0.6 -o "$TMP/x.db" 2>"$TMP/said"
n=$(sqlite3 "$TMP/x.db" 'select coalesce(sum(samples), 0) from total')
ok "a path as the process sees it ($n, $(head -1 "$TMP/said"))" test "$n" -ge 5
"$HEARTH" record -e uprobe:app:only_inside -p $inside -d 0.6 -o "$TMP/x.db" 2>"$TMP/said"
ok 'a bare name that the process maps' test "$(sqlite3 "$TMP/x.db" 'select coalesce(sum(samples), 0) from total')" -ge 5
if grep -q " $TMP/place/app$" /proc/$inside/maps; then
    like 'what it maps is listed' "$("$HEARTH" list probes -p $inside 'only_*')" "^uprobe:.*/place/app:only_inside$"
else
    skip 'what it maps is listed' 'in a chroot the kernel tells the paths of another mount namespace from the root outside'
fi
done_testing
