#!/bin/bash
# check: 600 s
# Symbol tables: sizes, aliases, symbols without a size, and files of other machines.
. tests/tap.sh

cat >"$TMP/symbols.s" <<'END'
        .text
        .globl _start
        .type _start, @function
_start: nop
        .size _start, 1
        .balign 64
# One place, five names: global before weak before local, then the fewest underscores, then the shortest.
        .globl global_longer, __global, global
        .weak weak
        .type global, @function
        .type global_longer, @function
        .type __global, @function
        .type weak, @function
        .type local, @function
local:
weak:
__global:
global_longer:
global: .fill 16, 1, 0x90
        .size local, 16
        .size weak, 16
        .size __global, 16
        .size global_longer, 16
        .size global, 16
        .balign 64
# A size is where a function ends; a label inside is no function.
        .globl sized
        .type sized, @function
sized:  .fill 8, 1, 0x90
inside: .fill 8, 1, 0x90
        .size sized, 16
        .balign 64
# Without a size: to the next symbol, or to the section's end.
        .globl unsized
        .type unsized, @function
unsized: .fill 16, 1, 0x90
        .balign 64
        .globl last
        .type last, @function
last:   .fill 16, 1, 0x90
# Versions are not part of names.
        .globl versioned_impl
        .type versioned_impl, @function
versioned_impl: .fill 16, 1, 0x90
        .size versioned_impl, 16
        .symver versioned_impl, versioned@@VERS_2, remove
        .section .text.other, "ax"
        .globl apart
        .type apart, @function
apart:  nop
        .size apart, 1
END
echo 'VERS_2 { };' >"$TMP/versions"
gcc -nostdlib -shared -Wl,--version-script="$TMP/versions" "$TMP/symbols.s" -o "$TMP/symbols.so"
place() { nm "$TMP/symbols.so" | awk -v m="$1" '{ sub("@.*", "", $3) } $3 == m { print $1; exit }'; }
name_at() { # SYMBOL OFFSET [FILE]
    "$HEARTH" symbolize -e "${3:-$TMP/symbols.so}" "$(printf '%x' $((0x$(place "$1") + $2)))" | head -1
}
is 'the best of several names' "$(name_at local 4)" 'global ??:0'
is 'the last byte of a size' "$(name_at sized 15)" 'sized ??:0'
is 'a label inside is no function' "$(name_at inside 2)" 'sized ??:0'
is 'behind a size there is no name' "$(name_at sized 16)" '?? ??:0'
is 'without a size, up to the next symbol' "$(name_at unsized 63)" 'unsized ??:0'
is 'the next symbol' "$(name_at last 0)" 'last ??:0'
is 'no version in a name' "$(name_at versioned 3)" 'versioned ??:0'
strip "$TMP/symbols.so" -o "$TMP/stripped.so"
is '.dynsym: a size' "$(name_at sized 15 "$TMP/stripped.so")" 'sized ??:0'
is '.dynsym: without a size, its first byte only' "$(name_at unsized 0 "$TMP/stripped.so") $(name_at unsized 1 "$TMP/stripped.so")" 'unsized ??:0 ?? ??:0'
is '.dynsym: no version in a name' "$(name_at versioned 3 "$TMP/stripped.so")" 'versioned ??:0'

# Programs of other machines: their stores and debug files are looked at here too.
if command -v ld.lld >/dev/null; then
    printf 'extern int far(int);\nint near(int n) { return far(n) + 1; }\n' >"$TMP/far.c"
    for machine in i386 aarch64 riscv64; do
        for version in 4 5; do
            clang --target=$machine-linux-gnu -g -gdwarf-$version -O1 -nostdlib -ffreestanding -fPIC -shared -fuse-ld=lld \
                -Wl,--build-id="0x$(printf '%s-%s' $machine $version | sha1sum | cut -c1-40)" tests/e2e/symbolize/chain.c -o "$TMP/$machine"
            marker=$(nm "$TMP/$machine" | awk '$3 == "marker" { print $1 }')
            is "$machine, DWARF $version" "$("$HEARTH" symbolize -e "$TMP/$machine" "$marker" | sed -E '/^$/d; s| [^ ]*/([^ /]+:[0-9]+)$| \1|' | tr '\n' '|')" \
                'leaf chain.c:7|middle chain.c:13|outer chain.c:18|'
        done
        llvm-strip "$TMP/$machine"
        is "$machine, symbols alone" "$("$HEARTH" symbolize -e "$TMP/$machine" "$marker" | head -1)" 'outer ??:0'
    done
    for protection in none standard; do
        clang --target=aarch64-linux-gnu -O1 -nostdlib -ffreestanding -fPIC -shared -fuse-ld=lld -mbranch-protection=$protection "$TMP/far.c" -o "$TMP/far"
        stub=$(llvm-objdump -d "$TMP/far" | sed -nE 's/.*bl\t(0x)?([0-9a-f]+).*/\2/p' | head -1)
        llvm-strip "$TMP/far"
        is "aarch64, a stub of the linkage table, branch protection $protection" "$("$HEARTH" symbolize -e "$TMP/far" "$stub" | head -1)" 'far@plt ??:0'
    done
else
    skip 'i386, DWARF 4' "$(lacks lld)"
fi
done_testing
