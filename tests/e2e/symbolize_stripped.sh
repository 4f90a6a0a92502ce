#!/bin/bash
# A stripped program: each function is one frame, named by its start in the file. The truth is the symbol table that was
# stripped off.
# shellcheck source=tests/tap.sh
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
# The unstripped program has the same build id: where it was recorded before, the names that were kept of it are those of the
# stripped one too.
export CACHE_DIRECTORY=$TMP/cache
mkdir "$CACHE_DIRECTORY"
program=$LOADS/nofp/chain
cp "$program" "$TMP/bare"
strip "$TMP/bare"
# Where the code lies in the file, less its address.
shift_bytes=$(readelf -lW "$program" | awk '$1 == "LOAD" && /R E/ { print $2, $3; exit }' | { read -r offset address; echo $((offset - address)); })
nm "$program" | awk 'NF == 3 && $2 ~ /^[tT]$/ { print $1, $3 }' | while read -r address name; do
    printf '%x %s\n' $((16#$address + shift_bytes)) "$name"
done >"$TMP/truth"

"$HEARTH" record -F 199 -o "$TMP/bare.db" -- "$TMP/bare" 12 1 2>"$TMP/err" >/dev/null
"$HEARTH" report -i "$TMP/bare.db" -e cpu --comm bare -f folded 2>/dev/null >"$TMP/folded"
# Of each stack with the twelve: the frames of the program, in the words of its symbol table.
awk 'NR == FNR { name[$1] = $2; next }
     { sub(/ [0-9]+$/, ""); split($0, frames, ";"); text = ""
       for (i = 1; i in frames; i++)
           if (match(frames[i], /^\[bare\+0x[0-9a-f]+\]$/)) {
               at = substr(frames[i], 9, length(frames[i]) - 9)
               text = text " " (at in name ? name[at] : "no-function:" at)
           }
       print text }' "$TMP/truth" "$TMP/folded" | grep ' f1 ' | sort | uniq -c | sort -rn >"$TMP/stacks"
is 'each frame is a function of the symbol table, in the order of the calls' "$(awk 'NR == 1 { $1 = ""; print }' "$TMP/stacks")" \
    " _start main f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 bottom"
is 'none is an address inside a function' "$(grep -c no-function "$TMP/stacks")" 0
"$HEARTH" report -i "$TMP/bare.db" -e cpu --comm bare -f top 2>/dev/null >"$TMP/top"
bottom=$(awk '$2 == "bottom" { print $1 }' "$TMP/truth")
is 'one function is one row' "$(grep -c "\[bare+0x$bottom\]" "$TMP/top")" 1
is 'to who asks for a name, code without one has none' "$("$HEARTH" symbolize -e "$TMP/bare" "$(nm "$program" | awk '$3 == "bottom" { print "0x" $1 }')" | head -1)" \
    '?? ??:0'

# One FDE covers the whole PLT: its entries are named each by the function they lead to, not all by the place of the first.
# A probe at each entry, since whether a sample ever falls on its one jump is the machine's.
for name in first second; do
    echo "int $name(int x) { return x < 0 ? -x : x; }"
done >"$TMP/called.c"
cat >"$TMP/caller.c" <<'C'
int first(int), second(int);
int main(void)
{
    volatile int sum = 0;
    for (int i = 0; i < 1000; i++)
        sum = first(i) + (i % 2 ? second(i) : 0);
    return sum < 0;
}
C
gcc -O2 -shared -fPIC -o "$TMP/libcalled.so" "$TMP/called.c"
gcc -O2 -fcf-protection=none -Wl,-z,lazy -Wl,-rpath,"$TMP" -o "$TMP/caller" "$TMP/caller.c" -L"$TMP" -lcalled
strip "$TMP/caller"
plt=$((16#$(readelf -SW "$TMP/caller" | awk '$2 == ".plt" || $3 == ".plt" { for (i = 1; i <= NF; i++) if ($i == "PROGBITS") print $(i + 1) }')))
ok 'one FDE covers the PLT' grep -q "pc=$(printf %016x $plt)\.\." <(readelf -wF "$TMP/caller" 2>/dev/null)
entries=()
for entry in 1 2; do entries+=(-e "uprobe:$TMP/caller:$(printf 0x%x $((plt + 16 * entry)))"); done
"$HEARTH" record "${entries[@]}" -o "$TMP/caller.db" -- "$TMP/caller" 2>>"$TMP/err"
"$HEARTH" sql -i "$TMP/caller.db" 'SELECT name FROM event' | while read -r event; do
    "$HEARTH" report -i "$TMP/caller.db" -e "$event" -f folded 2>/dev/null
done | awk '{ leaf = $0; sub(/ [0-9]+$/, "", leaf); sub(/.*;/, "", leaf); calls[leaf] += $NF }
    END { for (leaf in calls) print leaf, calls[leaf] }' | sort >"$TMP/leaves"
is 'and its entries have names of their own' "$(tr '\n' ' ' <"$TMP/leaves")" 'first@plt 1000 second@plt 500 '
[[ $tap_failed == 0 ]] || { cat "$TMP/err"; head -3 "$TMP/folded"; "$HEARTH" stat -i "$TMP/bare.db"; } | sed "s/^/# /"
done_testing
