#!/bin/bash
# check: 120 s
# One small binary for each way in which names and lines are kept, built by gcc and by clang, each with a build id of its
# own (or tools would take each other's debug files), and the chain that is expected of it.
. tests/tap.sh

source=tests/e2e/symbolize/chain.c
whole_chain='leaf chain.c:7|middle chain.c:13|outer chain.c:18|'

# build NAME COMPILER [FLAG...]: $TMP/NAME, and the address of the marker in $marker.
build() {
    local name=$1 compiler=$2
    shift 2
    "$compiler" -g -O1 -Wl,--build-id="0x$(printf '%s' "$name" | sha1sum | cut -c1-40)" "$@" "$source" -o "$TMP/$name" || return
    marker=$(nm "$TMP/$name" | awk '$3 == "marker" { print $1 }')
}

# The chain in one line, paths cut to their last part.
chain() { # FILE ADDRESS [OPTION...]
    local file=$1 address=$2
    shift 2
    "$HEARTH" symbolize -e "$file" "$@" "$address" | sed -E '/^$/d; s| [^ ]*/([^ /]+:[0-9]+)$| \1|' | tr '\n' '|'
}

for cc in gcc clang; do
    for version in 2 3 4 5; do
        build "dwarf$version-$cc" $cc -gdwarf-$version
        is "$cc: DWARF $version" "$(chain "$TMP/dwarf$version-$cc" "$marker")" "$whole_chain"
    done
    is "$cc: --no-inline" "$(chain "$TMP/dwarf5-$cc" "$marker" --no-inline)" 'outer chain.c:7|'

    for packing in zlib zlib-gnu zstd; do
        build "packed-$packing-$cc" $cc
        objcopy --compress-debug-sections=$packing "$TMP/packed-$packing-$cc"
        is "$cc: sections packed with $packing" "$(chain "$TMP/packed-$packing-$cc" "$marker")" "$whole_chain"
    done

    build "symtab-$cc" $cc
    strip --strip-debug "$TMP/symtab-$cc"
    is "$cc: .symtab" "$(chain "$TMP/symtab-$cc" "$marker")" 'outer ??:0|'
    build "dynsym-$cc" $cc -rdynamic
    strip "$TMP/dynsym-$cc"
    is "$cc: .dynsym" "$(chain "$TMP/dynsym-$cc" "$marker")" 'outer ??:0|'

    # Separate debug files.
    build "by-id-$cc" $cc
    id=$(printf 'by-id-%s' $cc | sha1sum | cut -c1-40)
    mkdir -p "$TMP/debug/.build-id/${id:0:2}"
    objcopy --only-keep-debug "$TMP/by-id-$cc" "$TMP/debug/.build-id/${id:0:2}/${id:2}.debug"
    strip "$TMP/by-id-$cc"
    is "$cc: a debug file by build id" "$(chain "$TMP/by-id-$cc" "$marker" --debug-dir "$TMP/debug")" "$whole_chain"
    build "other-$cc" $cc
    id=$(printf 'other-%s' $cc | sha1sum | cut -c1-40)
    mkdir -p "$TMP/debug/.build-id/${id:0:2}"
    objcopy --only-keep-debug "$TMP/dwarf5-$cc" "$TMP/debug/.build-id/${id:0:2}/${id:2}.debug"
    strip "$TMP/other-$cc"
    is "$cc: not a debug file of another build id" "$(chain "$TMP/other-$cc" "$marker" --debug-dir "$TMP/debug")" '?? ??:0|'

    mkdir -p "$TMP/bin-$cc/.debug" # without a build id, there is the link alone
    $cc -g -O1 -Wl,--build-id=none $source -o "$TMP/bin-$cc/link"
    marker=$(nm "$TMP/bin-$cc/link" | awk '$3 == "marker" { print $1 }')
    objcopy --only-keep-debug "$TMP/bin-$cc/link" "$TMP/bin-$cc/.debug/link.debug"
    strip "$TMP/bin-$cc/link"
    (cd "$TMP/bin-$cc/.debug" && objcopy --add-gnu-debuglink=link.debug ../link)
    is "$cc: a debug file by .gnu_debuglink" "$(chain "$TMP/bin-$cc/link" "$marker")" "$whole_chain"
    printf x >>"$TMP/bin-$cc/.debug/link.debug"
    is "$cc: not a debug file of another CRC" "$(chain "$TMP/bin-$cc/link" "$marker")" '?? ??:0|'

    # Split DWARF: .dwo beside the object, then packed together.
    for version in 4 5; do
        build "split$version-$cc" $cc -gsplit-dwarf -gdwarf-$version -dumpdir "$TMP/split$version-$cc." 2>/dev/null ||
            (cd "$TMP" && cp "$OLDPWD/$source" . && $cc -g -O1 -gsplit-dwarf -gdwarf-$version -c chain.c -o "split$version-$cc.o" &&
                $cc "split$version-$cc.o" -Wl,--build-id="0x$(printf 'split%s-%s' $version $cc | sha1sum | cut -c1-40)" \
                    -o "split$version-$cc")
        marker=$(nm "$TMP/split$version-$cc" | awk '$3 == "marker" { print $1 }')
        is "$cc: split DWARF $version, .dwo" "$(chain "$TMP/split$version-$cc" "$marker")" "$whole_chain"
        dwo=$(readelf --debug-dump=info "$TMP/split$version-$cc" 2>/dev/null | sed -nE 's/.*DW_AT_(GNU_)?dwo_name.*: //p' | head -1)
        dwo=${dwo##*/}
        # No released tool packs gcc's DWARF 5.
        [[ $cc == clang || $version == 4 ]] || continue
        (cd "$TMP" && timeout 20 llvm-dwp "$(find . -name "$dwo" | head -1)" -o "split$version-$cc.dwp")
        find "$TMP" -name "$dwo" -delete
        is "$cc: split DWARF $version, .dwp" "$(chain "$TMP/split$version-$cc" "$marker")" "$whole_chain"
    done

    # dwz moves what two binaries have in common into a third file.
    build "dwz-a-$cc" $cc -gdwarf-4
    a_marker=$marker
    build "dwz-b-$cc" $cc -gdwarf-4 -DOTHER
    dwz -m "$TMP/common-$cc" -M "common-$cc" "$TMP/dwz-a-$cc" "$TMP/dwz-b-$cc" 2>/dev/null
    ok "$cc: dwz found something in common" test -s "$TMP/common-$cc"
    is "$cc: dwz, its alternate file" "$(chain "$TMP/dwz-a-$cc" "$a_marker")" "$whole_chain"

    # MiniDebugInfo: as Fedora's find-debuginfo makes it.
    build "mini-$cc" $cc
    objcopy -S --remove-section .comment "$TMP/mini-$cc" "$TMP/mini-stripped"
    objcopy --only-keep-debug "$TMP/mini-$cc" "$TMP/mini-debug"
    objcopy -S --remove-section .gdb_index --keep-symbol=outer "$TMP/mini-debug" "$TMP/mini-symbols"
    xz -c "$TMP/mini-symbols" >"$TMP/mini.xz"
    objcopy --add-section .gnu_debugdata="$TMP/mini.xz" "$TMP/mini-stripped" "$TMP/mini-$cc"
    is "$cc: MiniDebugInfo" "$(chain "$TMP/mini-$cc" "$marker")" 'outer ??:0|'

    # The procedure linkage table: lazy, with branch tracking, and bound at start.
    printf '#include <stdlib.h>\nint main(int n, char **v) { return v[0] ? abs(atoi(v[0])) + (int)strtol(v[n - 1], 0, 10) : 0; }\n' >"$TMP/plt.c"
    for flags in '-fcf-protection=none -Wl,-z,lazy' '-fcf-protection=full -Wl,-z,lazy,-z,ibtplt' '-Wl,-z,now'; do
        read -ra words <<<"$flags"
        $cc -O1 "${words[@]}" -Wl,--build-id="0x$(printf 'plt%s%s' "$flags" $cc | sha1sum | cut -c1-40)" "$TMP/plt.c" -o "$TMP/plt" 2>/dev/null || continue
        strip "$TMP/plt"
        # objdump knows how far the call of strtol goes, by the name it makes up itself.
        stub=$(objdump -d --no-show-raw-insn "$TMP/plt" | sed -nE 's/^0*([0-9a-f]+) <strtol@plt>:$/\1/p')
        is "$cc: a stub of the linkage table ($flags)" "$(chain "$TMP/plt" "$stub")" 'strtol@plt ??:0|'
    done
done

# A debuginfod server of our own; the client is never asked unless told to. It remembers what it did not get: each try has
# a cache of its own.
if command -v debuginfod >/dev/null; then
    build served gcc
    mkdir -p "$TMP/served-debug"
    objcopy --only-keep-debug "$TMP/served" "$TMP/served-debug/served.debug"
    strip "$TMP/served"
    port=$((20000 + RANDOM % 20000))
    background debuginfod -p $port -d "$TMP/served.sqlite" -F "$TMP/served-debug" >"$TMP/served.log" 2>&1
    export DEBUGINFOD_URLS=http://127.0.0.1:$port/ DEBUGINFOD_TIMEOUT=5
    for try in {1..60}; do
        answer=$(DEBUGINFOD_CACHE_PATH=$TMP/served-$try chain "$TMP/served" "$marker" --debuginfod)
        if [[ $answer == "$whole_chain" ]]; then break; fi
        sleep 0.25
    done
    is 'a debug file from debuginfod' "$answer" "$whole_chain"
    is 'debuginfod is not asked unless told to' "$(DEBUGINFOD_CACHE_PATH=$TMP/served-$try chain "$TMP/served" "$marker")" '?? ??:0|'
    unset DEBUGINFOD_URLS
else
    skip 'a debug file from debuginfod' 'there is no debuginfod server'
fi

for cxx in g++ clang++; do
    $cxx -g -O1 -Wl,--build-id="0x$(printf 'names-%s' $cxx | sha1sum | cut -c1-40)" tests/e2e/symbolize/names.cc -o "$TMP/names-$cxx"
    name_at() { "$HEARTH" symbolize -e "$TMP/names-$cxx" "${@:2}" "$(nm "$TMP/names-$cxx" | awk -v m="$1" '$3 == m { print $1 }')" | sed -E 's| [^ ]*$||' | head -1; }
    is "$cxx: a function of an anonymous namespace" "$(name_at mark_hidden)" 'outer::(anonymous namespace)::hidden(int)'
    is "$cxx: a constructor of a template" "$(name_at mark_constructor)" 'outer::box<int>::box(int)'
    like "$cxx: --no-demangle" "$(name_at mark_constructor --no-demangle)" '^_ZN5outer3boxIiEC[1245]Ei$'
    strip --strip-debug "$TMP/names-$cxx"
    objcopy --redefine-sym evil=$'evil\033[31mname' "$TMP/names-$cxx"
    is "$cxx: Rust, legacy" "$(name_at mark_legacy)" 'core::fmt::Write::write_fmt'
    is "$cxx: Rust, v0" "$(name_at mark_modern)" 'mycrate::foo::bar'
    is "$cxx: D" "$(name_at mark_dlang)" 'app.serve(int)'
    is "$cxx: control characters are escaped" "$(name_at mark_evil)" 'evil\x1b[31mname'
done

# Code without files, in a live process.
gcc -O1 -D_GNU_SOURCE tests/e2e/symbolize/jit.c -o "$TMP/jit"
name_in() { "$HEARTH" symbolize -p "$1" "${@:2}" | sed -n '1p'; }
jit() { # OUTPUT COMMAND...: starts it, waits for the address it prints
    background "${@:2}" >"$1"
    for _ in {1..100}; do
        if [[ -s $1 ]]; then break; fi
        sleep 0.05
    done
}
jit "$TMP/map" "$TMP/jit" map
pid=$! code=$(cat "$TMP/map")
at_exit "rm -f /tmp/perf-$pid.map"
is 'a perf map; the last line wins' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x20)))")" 'LazyCompile:~handle /srv/app.js:12 ??:0'
is 'a perf map with control characters' "$(name_in "$pid" "$(printf '%x' $((0x$code + 256)))")" 'evil\x1b[31m name ??:0'
is 'a perf map does not reach beyond its functions' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x40)))")" '?? ??:0'
jit "$TMP/dump" "$TMP/jit" dump "$TMP"
pid=$! code=$(cat "$TMP/dump")
is 'a jitdump, with its line' "$(name_in "$pid" "$(printf '%x' $((0x$code + 0x20)))")" 'handle app.js:33'
is 'a jitdump whose code has moved' "$(name_in "$pid" "$(printf '%x' $((0x$code + 512)))")" 'moved ??:0'
is 'a jitdump, the place it moved from' "$(name_in "$pid" "$(printf '%x' $((0x$code + 256)))")" 'came to the old place ??:0'
vdso=$(awk '$6 == "[vdso]" { sub("-.*", "", $1); print $1 }' "/proc/$pid/maps")
gettime=$(dd if="/proc/$pid/mem" bs=4096 skip=$((0x$vdso / 4096)) count=2 2>/dev/null >"$TMP/vdso"; nm -D "$TMP/vdso" | awk '/__vdso_clock_gettime$/ || / clock_gettime/ { print $1; exit }')
like 'the vDSO' "$(name_in "$pid" "$(printf '%x' $((0x$vdso + 0x$gettime + 1)))")" 'clock_gettime'
if unshare -pfm --mount-proc true 2>/dev/null; then
    # Its own /tmp and its own pid 1 or 2: the map is found as the process sees it.
    mkdir -p "$TMP/inner"
    cp "$TMP/jit" "$TMP/inner"
    jit "$TMP/inner-map" unshare -pfm --kill-child sh -c "mount --bind $TMP/inner /tmp && exec /tmp/jit map"
    pid=$(pgrep -f "^/tmp/jit map" | tail -1) code=$(cat "$TMP/inner-map")
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

# The kernel.
if [[ $(id -u) == 0 && $(cat /proc/sys/kernel/kptr_restrict) != 2 ]]; then
    address=$(awk '$3 == "do_syscall_64" || $3 == "el0_svc" { print $1; exit }' /proc/kallsyms)
    like 'a function of the kernel' "$("$HEARTH" symbolize -k "$(printf '%x' $((0x$address + 1)))")" '^(do_syscall_64|el0_svc) \?\?:0'
else
    skip 'a function of the kernel' 'this user cannot see the addresses of the kernel'
fi
done_testing
