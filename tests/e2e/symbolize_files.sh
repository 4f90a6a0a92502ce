#!/bin/bash
# check: 600 s
# Files as the process sees them: each program here has the same code at the same place under another name, so that a file
# taken for another one shows. Live (symbolize -p) and recorded.
. tests/tap.sh

if [[ $(id -u) != 0 ]]; then skip_all 'recording and mounting need root'; fi

cat >"$TMP/spin.c" <<'END'
#include <stdio.h>
volatile unsigned long sink;
__attribute__((noinline)) void NAME(void)
{
    for (;;)
        sink = sink * 31 + 1;
}
int main(void)
{
    printf("%lx\n", (unsigned long)&NAME + 4);
    fflush(stdout);
    NAME();
}
END
number=0
program() { # NAME FILE [FLAG...]
    number=$((number + 1))
    gcc -g -O1 -DNAME="$1" -Wl,--build-id="0x$(printf 'files-%d' $number | sha1sum | cut -c1-40)" "${@:3}" "$TMP/spin.c" -o "$2"
}
# Starts a command in the background: its pid in $pid, and the address it prints in $address.
start() {
    : >"$TMP/said"
    "$@" >"$TMP/said" &
    pid=$!
    tap_children+=("$pid")
    await grep . "$TMP/said"
    address=$(head -1 "$TMP/said")
}
name_of() { "$HEARTH" symbolize -p "$1" "${@:3}" "$2" | sed -nE '1s| [^ ]*/([^ /]+:[0-9]+)$| \1|p'; }
# All that a recording of a process says of its innermost frames.
recorded() { "$HEARTH" record -p "$1" -d 1.5 -F 199 -o "$TMP/$1.folded" 2>/dev/null && sed -E 's/ [0-9]+$//; s/.*;//; s/.*\[k\]$//' "$TMP/$1.folded" | grep . | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'; }

# A file in memory alone.
cat >"$TMP/launch.c" <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int from = open(argv[1], O_RDONLY | O_CLOEXEC), to = memfd_create("program", 0);
    if (argc != 2 || sendfile(to, from, 0, 1 << 30) <= 0)
        return 1;
    fexecve(to, argv + 1, environ);
    return 1;
}
END
gcc -O1 "$TMP/launch.c" -o "$TMP/launch"
program in_memory "$TMP/memory"
start "$TMP/launch" "$TMP/memory"
rm "$TMP/memory"
is 'a program that is a memfd' "$(name_of $pid "$address")" 'in_memory spin.c:6'
is 'a program that is a memfd, recorded' "$(recorded $pid)" in_memory
kill $pid

# Replaced while it runs, once as upgrades do it (a new file of that name), once more and deleted.
program before "$TMP/upgraded"
start "$TMP/upgraded"
old=$pid old_address=$address
program after "$TMP/upgraded.new"
background "$HEARTH" record -a -i 0.5 -F 199 -o "$TMP/upgrade.db" 2>/dev/null
recorder=$!
await sampled "$TMP/upgrade.db" $old
mv "$TMP/upgraded.new" "$TMP/upgraded"
start "$TMP/upgraded"
new=$pid
is 'a program that was replaced' "$(name_of $old "$old_address")" 'before spin.c:6'
is 'the one that replaced it' "$(name_of $new "$address")" 'after spin.c:6'
await sampled "$TMP/upgrade.db" $new
rm "$TMP/upgraded"
kill -INT $recorder
wait $recorder
names_of() { # PID: the functions of the program, in what was recorded of it
    "$HEARTH" report -i "$TMP/upgrade.db" -p "$1" -f folded 2>/dev/null | grep -oE 'main;(before|after)( |;)' | tr -d ' ;' | sort -u | tr -d '\n'
}
is 'an upgrade during the recording, the old one' "$(names_of $old)" 'mainbefore'
is 'an upgrade during the recording, the new one' "$(names_of $new)" 'mainafter'
is 'both are deleted' "$(name_of $old "$old_address") $(name_of $new "$address")" 'before spin.c:6 after spin.c:6'
kill $old $new

# A container: in its mount namespace another file stands at the same path, stripped, and its debug file as well.
program outside "$TMP/program"
mkdir "$TMP/debug" "$TMP/inside-debug"
program inside "$TMP/inside"
id=$(readelf -n "$TMP/inside" | sed -nE 's/.*Build ID: //p')
mkdir -p "$TMP/inside-debug/.build-id/${id:0:2}"
objcopy --only-keep-debug "$TMP/inside" "$TMP/inside-debug/.build-id/${id:0:2}/${id:2}.debug"
strip "$TMP/inside"
if "${apart[@]}" true 2>/dev/null; then
    start "${apart[@]}" sh -c "mount --bind '$TMP/inside' '$TMP/program' && mount --bind '$TMP/inside-debug' '$TMP/debug' && exec '$TMP/program'"
    is 'a container: its file, its debug file' "$(name_of $pid "$address" --debug-dir "$TMP/debug")" 'inside spin.c:6'
    kill $pid
    start "$TMP/program"
    is 'the same path outside' "$(name_of $pid "$address" --debug-dir "$TMP/debug")" 'outside spin.c:6'
    kill $pid
else
    skip 'a container: its file, its debug file' 'the kernel has no mount namespaces for this user'
fi

# An overlay, where stat() tells another device and inode than the kernel's mappings have: of a file that was copied up,
# and, with xino, of each file of a second file system.
mkdir "$TMP"/{lower,upper,merged}
program layered "$TMP/lower/program"
mount_overlay() { # OPTIONS: the command for it
    echo "mount -t tmpfs none '$TMP/upper' && mkdir '$TMP/upper/files' '$TMP/upper/work' && mount -t overlay overlay -o \
        lowerdir='$TMP/lower',upperdir='$TMP/upper/files',workdir='$TMP/upper/work'$1 '$TMP/merged'"
}
if "${apart[@]}" sh -c "$(mount_overlay)" 2>/dev/null; then
    start "${apart[@]}" sh -c "$(mount_overlay) && exec '$TMP/merged/program'"
    is 'a file of an overlay' "$(name_of $pid "$address")" 'layered spin.c:6'
    is 'a file of an overlay, recorded' "$(recorded $pid)" layered
    kill $pid
    start "${apart[@]}" sh -c "$(mount_overlay) && chmod 700 '$TMP/merged/program' && exec '$TMP/merged/program'"
    is 'one that the overlay has copied up' "$(recorded $pid)" layered
    kill $pid
    start "${apart[@]}" sh -c "$(mount_overlay ,xino=on) && exec '$TMP/merged/program'"
    is 'one with numbers of the overlay alone' "$(recorded $pid)" layered
    kill $pid
else
    skip 'a file of an overlay' 'the kernel has no overlays'
fi

# Without a build id, two files are told apart all the same.
program first_plain "$TMP/plain" -Wl,--build-id=none
start "$TMP/plain"
first=$pid first_address=$address
program second_plain "$TMP/plain.new" -Wl,--build-id=none
mv "$TMP/plain.new" "$TMP/plain"
start "$TMP/plain"
is 'no build id, the old one' "$(name_of $first "$first_address")" 'first_plain spin.c:6'
is 'no build id, the new one' "$(name_of $pid "$address")" 'second_plain spin.c:6'
kill $first $pid

# A process that is not there.
"$HEARTH" symbolize -p $pid 1 >"$TMP/out" 2>"$TMP/said"
wait $pid 2>/dev/null
"$HEARTH" symbolize -p $pid 1 >"$TMP/out" 2>"$TMP/said"
is 'a process that is gone' "$? $(cat "$TMP/out" "$TMP/said")" "1 hearth: cannot read the mappings of process $pid: there is none"
done_testing
