#!/bin/bash
# check: 60 s
# Names of every language, as people write them; names from strangers, made harmless.
. tests/tap.sh

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
done_testing
