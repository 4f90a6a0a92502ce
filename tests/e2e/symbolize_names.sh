#!/bin/bash
# check: 600 s
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

# Every name of a program of templates, lambdas and operators, as binutils says it.
for cxx in g++ clang++; do
    $cxx -std=gnu++17 -g -O1 -Wl,--build-id="0x$(printf 'templates-%s' $cxx | sha1sum | cut -c1-40)" tests/e2e/symbolize/templates.cc -o "$TMP/templates"
    # gcc 14 gives one function of a lambda two names, its own and that of an older ABI: an address with one name is asked for.
    symbols=$(nm "$TMP/templates" | awk '$2 ~ /[tTwW]/ && $3 ~ /^_Z.*app/ { line[$1] = $0; names[$1]++ }
        END { for (at in line) if (names[at] == 1) print line[at] }')
    ok "$cxx: there are names to compare" test "$(wc -l <<<"$symbols")" -ge 4
    is "$cxx: names of templates, lambdas, operators" \
        "$(awk '{ print $1 }' <<<"$symbols" | "$HEARTH" symbolize --no-inline -e "$TMP/templates" | grep . | sed -E 's| [^ ]*$||')" \
        "$(awk '{ print $3 }' <<<"$symbols" | c++filt)"
done

# Symbols of any spelling: a function each, called so by objcopy. What is not mangled is not touched, what is mangled is
# demangled once, and what could harm a terminal is escaped.
given=('main.(*server).outer' 'go.shape.int_0[...].run-fm' 'ada__text_io__put_line__2' '__solver_MOD_step' '$s4main3fooyyF' '_$s4main3barSiyF'
    '_ZN3app4workEi.isra.0' '_ZN3app4workEi.cold' '_ZNbroken' '_R' '_D' '_Z' '_ZN4_ZN13abc1xE' 'caml_main__fun_1234' '-[View draw:]'
    'größe' $'turn\xe2\x80\xaeround' $'bad\xff\xfebytes' $'tab\there' $'line\nfeed' $'delete\x7f' $'c1\xc2\x9bm' 'a;b c' '<script>')
wanted=('main.(*server).outer' 'go.shape.int_0[...].run-fm' 'ada__text_io__put_line__2' '__solver_MOD_step' '$s4main3fooyyF' '_$s4main3barSiyF'
    'app::work(int) [clone .isra.0]' 'app::work(int) [clone .cold]' '_ZNbroken' '_R' '_D' '_Z' '_ZN1::abc::x' 'caml_main__fun_1234' '-[View draw:]'
    'größe' 'turn\u202eround' 'bad\xff\xfebytes' 'tab\x09here' 'line\x0afeed' 'delete\x7f' 'c1\x9bm' 'a;b c' '<script>')
renames=()
for i in "${!given[@]}"; do
    echo "__attribute__((noinline)) void function_$i(void) { __asm__ volatile(\"nop\" ::\"i\"($i)); }"
    renames+=(--redefine-sym "function_$i=${given[i]}")
done >"$TMP/spelled.c"
{
    echo 'int main(void) {'
    for i in "${!given[@]}"; do echo "function_$i();"; done
    echo 'return 0; }'
} >>"$TMP/spelled.c"
gcc -O1 "$TMP/spelled.c" -o "$TMP/spelled"
nm "$TMP/spelled" | sed -nE 's/^([0-9a-f]+) T function_([0-9]+)$/\2 \1/p' | sort -n | awk '{ print $2 }' >"$TMP/places"
objcopy "${renames[@]}" "$TMP/spelled"
mapfile -t got < <("$HEARTH" symbolize -e "$TMP/spelled" <"$TMP/places" | grep . | sed 's/ ??:0$//')
for i in "${!given[@]}"; do is "the name ${wanted[i]}" "${got[i]}" "${wanted[i]}"; done
mapfile -t places <"$TMP/places"
"$HEARTH" symbolize -f json -e "$TMP/spelled" "${places[@]}" >"$TMP/spelled.json"
python3 -c '
import json, sys
for answer in json.load(open(sys.argv[1])):
    print(answer["frames"][0]["function"])' "$TMP/spelled.json" >"$TMP/spelled.names"
is 'the same names in JSON' "$(cat "$TMP/spelled.names")" "$(printf '%s\n' "${wanted[@]}")"
done_testing
