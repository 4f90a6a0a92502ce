#!/bin/bash
# check: 1200 s, long
# How compilers, linkers and packers lay out code and what they say of it: a small binary for each way, built by gcc and by
# clang, each with a build id of its own, and the chain that is expected of it.
. tests/tap.sh

sources=$PWD/tests/e2e/symbolize
whole_chain='leaf chain.c:7|middle chain.c:13|outer chain.c:18|'
nested_chain='outermost::inner::box::lid::close(int) nested.cc:13|void outermost::inner::box::shut<int>(int) nested.cc:19|'

# The chain in one line, paths cut to their last part.
chain() { # FILE [OPTION...]: of the address of the symbol $at
    local file=$1
    "$HEARTH" symbolize -e "$file" "${@:2}" "$(nm "${unstripped:-$file}" | awk -v m="${at:-marker}" '$3 == m { print $1; exit }')" |
        sed -E '/^$/d; s| [^ ]*/([^ /]+:[0-9]+)$| \1|' | tr '\n' '|'
}

# build NAME COMPILER FLAG... SOURCE...: $TMP/NAME
build() {
    local name=$1
    "$2" -g -O1 -Wl,--build-id="0x$(printf 'shape-%s' "$name" | sha1sum | cut -c1-40)" "${@:3}" -o "$TMP/$name"
}

cat >"$TMP/other.c" <<'END'
__attribute__((noinline)) int other(int value)
{
    __asm__ volatile(".globl other_marker\nother_marker:\n nop"); /* line 3 */
    return value + 1;
}
END
sed 's/outer(argc);/outer(argc); extern int other(int); return other(argc);/' "$sources/chain.c" >"$TMP/chain.c"

for cc in gcc clang; do
    cxx=${cc/gcc/g++}
    cxx=${cxx/clang/clang++}

    # A package of two units.
    for version in 4 5; do
        name=package$version-$cc
        mkdir "$TMP/$name"
        (cd "$TMP/$name" && $cc -g -O1 -gsplit-dwarf -gdwarf-$version -c ../chain.c -o chain.o &&
            $cc -g -O1 -gsplit-dwarf -gdwarf-$version -c ../other.c -o other.o &&
            build "$name/program" $cc chain.o other.o)
        is "$cc: two units in .dwo, DWARF $version" "$(chain "$TMP/$name/program")$(at=other_marker chain "$TMP/$name/program")" \
            "${whole_chain}other other.c:3|"
        if [[ $cc$version == gcc5 ]]; then
            "$sources/dwp.py" "$TMP/$name/program.dwp" "$TMP/$name"/*.dwo
        else
            timeout 100 llvm-dwp "$TMP/$name"/*.dwo -o "$TMP/$name/program.dwp"
        fi
        rm "$TMP/$name"/*.dwo
        is "$cc: two units in a .dwp, DWARF $version" "$(chain "$TMP/$name/program")$(at=other_marker chain "$TMP/$name/program")" \
            "${whole_chain}other other.c:3|"
    done

    # No table of address ranges, code in pieces, some of it thrown away by the linker.
    for version in 4 5; do
        build "sections$version-$cc" $cc -gdwarf-$version -ffunction-sections -Wl,--gc-sections "$sources/chain.c"
        objcopy -R .debug_aranges "$TMP/sections$version-$cc"
        is "$cc: a section a function, without .debug_aranges, DWARF $version" "$(chain "$TMP/sections$version-$cc")" "$whole_chain"
        mkdir "$TMP/split-sections$version-$cc"
        (cd "$TMP/split-sections$version-$cc" &&
            $cc -g -O1 -gsplit-dwarf -gdwarf-$version -ffunction-sections -c "$sources/chain.c" -o chain.o &&
            build "split-sections$version-$cc/program" $cc -Wl,--gc-sections chain.o)
        is "$cc: the same in a .dwo, DWARF $version" "$(chain "$TMP/split-sections$version-$cc/program")" "$whole_chain"
        build "types$version-$cc" $cc -gdwarf-$version -fdebug-types-section "$sources/chain.c"
        is "$cc: types in units of their own, DWARF $version" "$(chain "$TMP/types$version-$cc")" "$whole_chain"
        build "wide$version-$cc" $cc -gdwarf-$version -gdwarf64 "$sources/chain.c"
        is "$cc: 64-bit DWARF $version" "$(chain "$TMP/wide$version-$cc")" "$whole_chain"
    done

    # Nested namespaces, classes, templates, lambdas.
    build "nested-$cc" $cxx "$sources/nested.cc"
    like "$cc: nested namespaces" "$(chain "$TMP/nested-$cc")" \
        "^$(sed 's/[(|)]/\\&/g' <<<"$nested_chain")[^|]*operator\(\)[^|]* nested.cc:29\|outermost::inner::v2::run\(int\) nested.cc:31\|$"

    # Link-time optimization, over two files.
    if [[ $cc == gcc ]] || command -v ld.lld >/dev/null; then
        linker=()
        if [[ $cc == clang ]]; then linker=(-fuse-ld=lld); fi
        build "lto-$cc" $cc -flto "${linker[@]}" "$TMP/chain.c" "$TMP/other.c"
        is "$cc: link-time optimization" "$(chain "$TMP/lto-$cc")$(at=other_marker chain "$TMP/lto-$cc")" "${whole_chain}other other.c:3|"
    else
        skip "$cc: link-time optimization" "$(lacks lld)"
    fi

    # dwz moves what several units have in common to partial units, and what several files have to a third file.
    for version in 4 5; do
        if [[ $cc$version == clang5 ]]; then continue; fi # dwz 0.15 refuses its forms
        $cxx -w -g -O1 -gdwarf-$version -Drun=walk -Dmain=second -Dsink=second_sink -c "$sources/nested.cc" -o "$TMP/second.o"
        objcopy --redefine-sym marker=second_marker "$TMP/second.o"
        build "partial$version-$cc" $cxx -gdwarf-$version "$sources/nested.cc" "$TMP/second.o"
        cp "$TMP/partial$version-$cc" "$TMP/single"
        dwz "$TMP/single" 2>/dev/null
        ok "$cc: dwz made partial units, DWARF $version" grep -q DW_TAG_partial_unit <(readelf --debug-dump=info "$TMP/single" 2>/dev/null)
        unstripped=$TMP/partial$version-$cc
        like "$cc: partial units, DWARF $version" "$(chain "$TMP/single")" 'nested.cc:13\|.*shut.*nested.cc:19\|.*nested.cc:29\|.*v2::run.* nested.cc:31\|$'
        like "$cc: partial units, another unit, DWARF $version" "$(at=second_marker chain "$TMP/single")" 'nested.cc:13\|.*shut.*nested.cc:19\|.*nested.cc:29\|.*v2::walk.* nested.cc:31\|$'
        unset unstripped
        build "dwz$version-a-$cc" $cc -gdwarf-$version "$sources/chain.c"
        build "dwz$version-b-$cc" $cc -gdwarf-$version -DOTHER "$sources/chain.c"
        if [[ $version == 5 ]]; then
            cp "$TMP/dwz5-a-$cc" "$TMP/sup-a-$cc"
            cp "$TMP/dwz5-b-$cc" "$TMP/sup-b-$cc"
        fi
        dwz -m "$TMP/common$version-$cc" -M "common$version-$cc" "$TMP/dwz$version-a-$cc" "$TMP/dwz$version-b-$cc" 2>/dev/null
        ok "$cc: dwz found something in common, DWARF $version" test -s "$TMP/common$version-$cc"
        is "$cc: an alternate file, DWARF $version" "$(chain "$TMP/dwz$version-a-$cc")" "$whole_chain"
    done
    if [[ $cc == gcc ]]; then
        dwz -5 -m "$TMP/common-sup" -M common-sup "$TMP/sup-a-gcc" "$TMP/sup-b-gcc" 2>/dev/null
        ok "$cc: dwz made a supplementary file" test -s "$TMP/common-sup"
        is "$cc: a supplementary file of DWARF 5" "$(chain "$TMP/sup-a-gcc")" "$whole_chain"
        cp "$TMP/common5-gcc" "$TMP/common-sup"
        is "$cc: not a file of another checksum" "$(chain "$TMP/sup-a-gcc")" '?? chain.c:7|?? chain.c:13|outer chain.c:18|'
    fi

    # Lines and inlined calls without types and variables.
    build "thin-$cc" $cc -g1 "$sources/chain.c"
    is "$cc: -g1" "$(chain "$TMP/thin-$cc")" "$whole_chain"
done

# gcc puts unlikely code elsewhere, as profile-guided optimizers do.
build cold gcc -O2 "$sources/cold.c"
chains=$(objdump -d --no-show-raw-insn "$TMP/cold" | awk '/^[0-9a-f]+ <.*>:$/ { inside = $2 == "<work.cold>:" } inside && $2 ~ /^(mov|call)/ { print $1 }' | tr -d : |
    "$HEARTH" symbolize -e "$TMP/cold" | sed -E 's| [^ ]*/([^ /]+:[0-9]+)$| \1|; s/^$/;/' | tr '\n' '|')
like 'inlined code in the part of a function that lies elsewhere' "$chains" 'report cold.c:6\|work cold.c:21\|;'
ok 'nothing in it is of another function' test -z "$(tr ';' '\n' <<<"$chains" | grep -vE '^\|?$|work cold.c:[0-9]+\|$')"
strip --strip-debug "$TMP/cold"
is 'the same without debug information' "$(at=work.cold chain "$TMP/cold")" 'work.cold ??:0|'
done_testing
