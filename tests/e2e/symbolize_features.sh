#!/bin/bash
# check: 1200 s, long
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
        (cd "$TMP" && timeout 100 llvm-dwp "$(find . -name "$dwo" | head -1)" -o "split$version-$cc.dwp")
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
    for flags in '-fcf-protection=none -Wl,-z,lazy' '-fcf-protection=full -Wl,-z,lazy,-z,ibtplt' '-Wl,-z,now' '-fuse-ld=gold' \
        '-fuse-ld=lld -Wl,-z,lazy' '-fuse-ld=lld -fcf-protection=full -Wl,-z,force-ibt' '-no-pie -Wl,-z,lazy'; do
        read -ra words <<<"$flags"
        $cc -O1 "${words[@]}" -Wl,--build-id="0x$(printf 'plt%s%s' "$flags" $cc | sha1sum | cut -c1-40)" "$TMP/plt.c" -o "$TMP/plt" 2>"$TMP/said" ||
            { skip "$cc: a stub of the linkage table ($flags)" "$(head -1 "$TMP/said")" && continue; }
        stub=$(objdump -d --no-show-raw-insn "$TMP/plt" | sed -nE '/<main>:/,/^$/s/.*call *([0-9a-f]+).*/\1/p' | head -1)
        strip "$TMP/plt"
        is "$cc: a stub of the linkage table ($flags)" "$(chain "$TMP/plt" "$stub")" 'strtol@plt ??:0|'
    done
done

# Functions that are chosen at start have stubs too, in static programs.
printf '#include <string.h>\nint main(int n, char **v) { (void)n; return (int)strlen(v[0]); }\n' >"$TMP/chosen.c"
gcc -O1 -fno-builtin -static "$TMP/chosen.c" -o "$TMP/chosen"
stub=$(objdump -d --no-show-raw-insn "$TMP/chosen" | sed -nE '/<main>:/,/^$/s/.*call *([0-9a-f]+).*/\1/p' | head -1)
is 'a stub of a function that is chosen at start' "$(chain "$TMP/chosen" "$stub")" 'strlen@plt ??:0|'
libc=$(ldd "$HEARTH" | awk '$1 == "libc.so.6" { print $3 }')
stubs=$(objdump -d --no-show-raw-insn "$libc" | awk '/^[0-9a-f]+ <.*@plt>:/ { print $1 }' | "$HEARTH" symbolize -e "$libc" | grep -c '^[a-z0-9_]*@plt')
is "the stubs of libc" "$stubs" "$(objdump -d --no-show-raw-insn "$libc" | grep -c '^[0-9a-f]* <.*@plt>:')"

# A debuginfod server of our own; the client is never asked unless told to. It remembers what it did not get: each try has
# a cache of its own.
if command -v debuginfod >/dev/null; then
    build served gcc
    mkdir -p "$TMP/served-debug"
    objcopy --only-keep-debug "$TMP/served" "$TMP/served-debug/served.debug"
    strip "$TMP/served"
    port=$((20000 + RANDOM % 10000)) # below those that the kernel gives to clients
    background debuginfod -p $port -d "$TMP/served.sqlite" -F "$TMP/served-debug" >"$TMP/served.log" 2>&1
    export DEBUGINFOD_URLS=http://127.0.0.1:$port/ DEBUGINFOD_TIMEOUT=5
    try=0
    served() { # once it has looked through its folder
        try=$((try + 1))
        answer=$(DEBUGINFOD_CACHE_PATH=$TMP/served-$try chain "$TMP/served" "$marker" --debuginfod)
        [[ $answer == "$whole_chain" ]]
    }
    await served
    is 'a debug file from debuginfod' "$answer" "$whole_chain"
    is 'debuginfod is not asked unless told to' "$(DEBUGINFOD_CACHE_PATH=$TMP/served-$try chain "$TMP/served" "$marker")" '?? ??:0|'
    unset DEBUGINFOD_URLS
else
    skip 'a debug file from debuginfod' 'there is no debuginfod server'
fi
done_testing
