#!/bin/bash
# check: 600 s
# The kernel, its modules and its BPF programs: this machine's, and one made of files, whose vmlinux and module are stand-ins
# with code in the places where a kernel has its own.
. tests/tap.sh

chain() { # FOLDER ADDRESS
    "$HEARTH" symbolize -k --root "$1" "$2" | sed -E '/^$/d; s| [^ ]*/([^ /]+:[0-9]+)$| \1|' | tr '\n' '|'
}
address_in() { nm "$1" | awk -v m="$2" '$3 == m { print $1 }'; }
id_of() { printf '%s' "$1" | sha1sum | cut -c1-40; }
note_of() { # the build id as the kernel shows it: note header, "GNU", the id
    printf '\4\0\0\0\24\0\0\0\3\0\0\0GNU\0'
    printf "$(sed 's/../\\x&/g' <<<"$1")"
}

for cc in gcc clang; do
    root=$TMP/root-$cc modules=usr/lib/debug/lib/modules/1.2.3-test/kernel/drivers
    mkdir -p "$root"/{proc/sys/kernel,sys/kernel,sys/module/a_module/sections,sys/module/a_module/notes,usr/lib/debug/boot,$modules}
    echo 1.2.3-test >"$root/proc/sys/kernel/osrelease"
    {
        printf '%s\n' 'ffffffff92000000 T _text' 'ffffffff92000000 T named_by_kallsyms' 'ffffffff93000000 T _etext'
        printf '%s\t[%s]\n' 'ffffffffc0401000 t named_by_kallsyms' a_module 'ffffffffc0500000 t named_by_kallsyms' a_module \
            'ffffffffc0600000 t other' no_debug 'ffffffffc0700000 t bpf_prog_0123456789abcdef_count' bpf
    } >"$root/proc/kallsyms"

    # The kernel itself, moved when it started.
    $cc -g -O1 -static -Wl,--build-id="0x$(id_of "vmlinux-$cc")" tests/e2e/symbolize/chain.c -o "$root/usr/lib/debug/boot/vmlinux-1.2.3-test"
    note_of "$(id_of "vmlinux-$cc")" >"$root/sys/kernel/notes"
    text=$(readelf -lW "$root/usr/lib/debug/boot/vmlinux-1.2.3-test" | awk '$1 == "LOAD" && /R E/ { print $3; exit }')
    marker=$(printf '%x' $((0xffffffff92000000 + 0x$(address_in "$root/usr/lib/debug/boot/vmlinux-1.2.3-test" marker) - text)))
    is "$cc: vmlinux, lines and inlined functions" "$(chain "$root" "$marker")" 'leaf chain.c:7|middle chain.c:13|outer chain.c:18|'
    note_of "$(id_of "other-$cc")" >"$root/sys/kernel/notes"
    is "$cc: not a vmlinux of another build id" "$(chain "$root" "$marker")" 'named_by_kallsyms ??:0|'

    # A module: its file is called a-module.ko, its sections are apart from each other, its debug information is relocated
    # as it is read.
    for version in 4 5; do
        $cc -g -gdwarf-$version -O1 -fno-pic -I. -c tests/e2e/symbolize/module.c -o "$TMP/module.o"
        ld -r --build-id="0x$(id_of "module$version-$cc")" "$TMP/module.o" -o "$TMP/a-module.ko"
        objcopy --only-keep-debug "$TMP/a-module.ko" "$root/$modules/a-module.ko"
        echo 0xffffffffc0401000 >"$root/sys/module/a_module/sections/.text"
        echo 0xffffffffc0500000 >"$root/sys/module/a_module/sections/.init.text"
        note_of "$(id_of "module$version-$cc")" >"$root/sys/module/a_module/notes/.note.gnu.build-id"
        marker=$(printf '%x' $((0xffffffffc0401000 + 0x$(address_in "$TMP/a-module.ko" marker))))
        is "$cc: a module, DWARF $version" "$(chain "$root" "$marker")" \
            'leaf [a_module] chain.c:7|middle [a_module] chain.c:13|outer [a_module] chain.c:18|'
        init=$(printf '%x' $((0xffffffffc0500000 + 0x$(address_in "$TMP/a-module.ko" init_marker))))
        is "$cc: another section of the module, DWARF $version" "$(chain "$root" "$init")" 'begin [a_module] module.c:7|'
    done
    objcopy --compress-debug-sections=zlib "$root/$modules/a-module.ko"
    mv "$root/$modules/a-module.ko" "$root/$modules/a_module.ko.debug"
    is "$cc: a module, by another name, packed" "$(chain "$root" "$init")" 'begin [a_module] module.c:7|'
    note_of "$(id_of "module-other-$cc")" >"$root/sys/module/a_module/notes/.note.gnu.build-id"
    is "$cc: not a module's file of another build id" "$(chain "$root" "$marker")" 'named_by_kallsyms [a_module] ??:0|'
    is "$cc: a module without a debug file" "$(chain "$root" ffffffffc0600004)" 'other [no_debug] ??:0|'
    is "$cc: a BPF program" "$(chain "$root" ffffffffc0700004)" 'bpf_prog_0123456789abcdef_count [bpf] ??:0|'
done
is 'an address as the kernel writes it' "$(chain "$root" 'other+0x4/0x10')" 'other [no_debug] ??:0|'
is 'the same, of a caller, with its module' "$(echo '  ? other+0x4/0x10 [no_debug]' | "$HEARTH" symbolize -k --root "$root")" 'other [no_debug] ??:0'
for word in 'nothing+0x4' 'other+' 'other+0x4z' '+0x4'; do
    is "not an address: $word" "$(echo "$word" | "$HEARTH" symbolize -k --root "$root")" '?? ??:0'
done
"$HEARTH" symbolize --root "$TMP" -e "$HEARTH" 0 >/dev/null 2>"$TMP/said"
is '--root is for kernels' "$? $(cat "$TMP/said")" '2 hearth: --root is for the addresses of a kernel; give -k'
mkdir -p "$TMP/hidden/proc"
echo '0000000000000000 T _text' >"$TMP/hidden/proc/kallsyms"
"$HEARTH" symbolize -k --root "$TMP/hidden" 1 >/dev/null 2>"$TMP/said"
is 'a kernel that hides its addresses' "$? $(cut -d, -f2- "$TMP/said")" '3  the kernel hides its addresses; run as root, with kernel.kptr_restrict below 2'

# The one that runs.
if [[ $(id -u) == 0 && $(cat /proc/sys/kernel/kptr_restrict) != 2 ]]; then
    address=$(awk '$3 == "do_syscall_64" || $3 == "el0_svc" { print $1; exit }' /proc/kallsyms)
    like 'a function of the kernel' "$("$HEARTH" symbolize -k "$(printf '%x' $((0x$address + 1)))")" '^(do_syscall_64|el0_svc) '

    # Kept in a cache, as a recording does; a name that is changed there shows where it comes from.
    mkdir -m 700 "$TMP/cache"
    kept() { "$HEARTH" symbolize -k --cache "$TMP/cache" "$(printf '%x' $((0x$1 + 1)))"; }
    is 'the same, to be kept' "$(kept "$address")" "$("$HEARTH" symbolize -k "$(printf '%x' $((0x$address + 1)))")"
    is 'what root alone may see, root alone may read' "$(stat -c %a "$TMP/cache/kernel.symbols")" 600
    sed -i 's/\x00do_syscall_64\x00/\x00XX_syscall_64\x00/; s/\x00el0_svc\x00/\x00XX0_svc\x00/' "$TMP/cache/kernel.symbols"
    like 'the kernel is not asked again' "$(kept "$address")" '^XX'
    chmod 666 "$TMP/cache/kernel.symbols"
    like 'unless others may write there' "$(kept "$address")" '^(do_syscall_64|el0_svc) '
    truncate -s 1000 "$TMP/cache/kernel.symbols"
    like 'or it is damaged' "$(kept "$address")" '^(do_syscall_64|el0_svc) '
    background "$HEARTH" record -a -d $ENDLESS -o "$TMP/record.db" 2>/dev/null
    recorder=$!
    await recording "$TMP/record.db"
    # By the tag of one of its own: those of others may go at any time. Another hearth has one of the same name.
    tag=$(grep -hoP '^prog_tag:\s*\K[0-9a-f]+' /proc/$recorder/fdinfo/* | head -1)
    grep -P "bpf_prog_${tag:-none}_" /proc/kallsyms >"$TMP/programs"
    ok 'a recording has BPF programs' test -s "$TMP/programs"
    while read -r place _ name _; do
        answer=$("$HEARTH" symbolize -k "$(printf '%x' $((0x$place + 1)))")
        grep -q "^$place .* $name" /proc/kallsyms || continue # it went meanwhile
        is 'a BPF program of this kernel' "$answer" "$name [bpf] ??:0"
        is 'younger than what is kept' "$(kept "$place")" "$name [bpf] ??:0"
    done <"$TMP/programs"
    kill -INT "$recorder"
    wait "$recorder"
    if setpriv --reuid 65534 --clear-groups --inh-caps=-all true 2>/dev/null; then
        # What is hidden from this user: everything, or nothing where the kernel says so.
        shown=$(setpriv --reuid 65534 --clear-groups --inh-caps=-all awk '$1 !~ /^0+$/ { print 0; exit }' /proc/kallsyms)
        setpriv --reuid 65534 --clear-groups --inh-caps=-all "$HEARTH" symbolize -k "$address" >/dev/null 2>&1
        is 'whoever may not see addresses is told' $? "${shown:-3}"
    fi
else
    skip 'a function of the kernel' 'this user cannot see the addresses of the kernel'
fi
done_testing
