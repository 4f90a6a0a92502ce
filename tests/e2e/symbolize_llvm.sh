#!/bin/bash
# check: 600 s, long
# Lines and inlined chains as llvm-symbolizer has them, on a libc with its debug file and on what gcc and clang make of C++.
. tests/tap.sh

libc=$(ldd "$HEARTH" | awk '$1 == "libc.so.6" { print $3 }')
cat >"$TMP/inlined.cc" <<'END'
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>
static std::map<std::string, std::vector<int>> table;
int main(int argc, char **argv)
{
    for (int i = 0; i < argc * 100; i++)
        table[std::to_string(i % 7) + argv[0]].push_back(i);
    for (auto &row : table)
        std::sort(row.second.begin(), row.second.end(), [](int a, int b) { return a % 10 < b % 10; });
    std::printf("%zu\n", table.size());
}
END
for cxx in g++ clang++; do
    for level in -O1 -O2 -O3; do
        $cxx -std=gnu++17 -g $level -Wl,--build-id="0x$(printf '%s%s' $cxx $level | sha1sum | cut -c1-40)" "$TMP/inlined.cc" -o "$TMP/inlined"
        ok "$cxx $level, 3000 addresses" tests/bench/symbols.py -n 3000 "$TMP/inlined"
    done
done
if [[ -e /usr/lib/debug/.build-id/$(readelf -n "$libc" | sed -nE 's|.*Build ID: (..)(.*)|\1/\2|p').debug ]]; then
    ok 'libc with its debug file, 3000 addresses' tests/bench/symbols.py -n 3000 "$libc"
else
    skip 'libc with its debug file, 3000 addresses' "$(lacks libc6-dbg)"
fi
done_testing
