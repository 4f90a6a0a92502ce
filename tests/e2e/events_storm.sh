#!/bin/bash
# check: 600 s, alone
# A probe that fires as fast as a program can call it: every call is counted, or counted as lost; beside it a clock that
# interrupts the probe's program thousands of times a second, with stacks as whole as without; thousands of probes at once.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'probes take root'
hits=$LOADS/nofp/hits
every_hit=(--max-cpu 100) # with less, hits are left out by chance, and the others count for them
sum() { sqlite3 "$TMP/x.db" "select coalesce(sum(samples), 0) from total where event = $1"; }
# libc has two names for where threads begin: glibc 2.36 clone3, 2.41 __clone3.
folded() { "$HEARTH" report -i "$TMP/x.db" -f folded "$@" 2>/dev/null | sed 's/;__clone3;/;clone3;/'; }
samples() { awk '{ n += $NF } END { print n + 0 }'; }

"$HEARTH" record "${every_hit[@]}" -e "uprobe:$hits:hit" -i 0.5 -o "$TMP/x.db" -- "$hits" 1000000 2 >"$TMP/truth" 2>"$TMP/said"
is 'two million calls: recorded' $? 0
is 'every one of them' "$(sum 1)" 2000000
is 'with its stack' "$(folded)" 'hits;clone3;start_thread;work;hit 2000000'
like 'none is lost' "$(cat "$TMP/said")" ' 0 lost, 0 truncated'
echo "# $(awk '$2 == "calls" { c = $3 } $2 == "wall_ns" { printf "%d calls a second", c / $3 * 1e9 }' "$TMP/truth")"

"$HEARTH" hist "uprobe:$hits:hit" -f json -o "$TMP/x.json" -- "$hits" 500000 2 >/dev/null 2>&1
is 'as a histogram: count, unmatched, lost' "$(python3 -c 'import json, sys
h = json.load(open(sys.argv[1]))[0]
print(h["count"], h["unmatched"], h["lost"])' "$TMP/x.json")" '1000000 0 0'

# --- Interrupted by a clock, which samples the program, the kernel and hearth's own program.
for probe in uprobe uretprobe; do
    "$HEARTH" record "${every_hit[@]}" -e cpu -e "$probe:$hits:hit" -F 4999 -i 0.5 -o "$TMP/x.db" -- "$hits" 500000 2 >/dev/null 2>"$TMP/said"
    is "$probe and a clock: every call" "$(sum 2)" 1000000
    is "$probe and a clock: with its stack" "$(folded -e "$probe:$hits:hit")" 'hits;clone3;start_thread;work;hit 1000000'
    folded -e cpu | grep '^hits;' >"$TMP/folded"
    all=$(samples <"$TMP/folded")
    ok "$probe and a clock: the clock too ($all samples)" test "$all" -ge 1000
    # While the kernel exchanges a return address, it is in neither place.
    whole=$(grep -vE '^hits;\[' "$TMP/folded" | samples)
    [[ $probe == uprobe ]] && least=99 || least=93
    ok "$probe and a clock: stacks are whole ($whole of $all)" test $((whole * 100)) -ge $((all * least))
    is "$probe and a clock: no other stack leads there" \
        "$(grep -v '^hits;\[' "$TMP/folded" | grep -E ';hit[; ]' | grep -vcE '^hits;clone3;start_thread;work;hit(;[^;]*_\[k\])* [0-9]+$')" 0
done

# --- More stacks than the maps have room for: hearth counts those that it drops.
python3 - >"$TMP/paths.c" <<'P'
print("__attribute__((noinline)) int leaf(int x) { __asm__ volatile(\"\" : \"+r\"(x)::\"rbx\"); return x; }")
print("__attribute__((noinline)) int step(unsigned path, int depth) { int r;"
      " if (!depth) r = leaf((int)path);"
      " else if (path & 1) r = step(path >> 1, depth - 1); else { r = step(path >> 1, depth - 1); __asm__ volatile(\"nop\" : \"+r\"(r)); }"
      " __asm__ volatile(\"\" : \"+r\"(r)); return r + 1; }")
print("int main(void) { int r = 0; for (unsigned i = 0; i < 1u << 19; i++) r += step(i, 19); return r == 1; }")
P
gcc -O2 -fno-inline -fno-optimize-sibling-calls -fno-ipa-cp -o "$TMP/paths" "$TMP/paths.c"
"$HEARTH" record "${every_hit[@]}" -e "uprobe:$TMP/paths:leaf" -o "$TMP/x.db" -- "$TMP/paths" >/dev/null 2>"$TMP/said"
is 'half a million different stacks: recorded' $? 0
full=$(sqlite3 "$TMP/x.db" "select coalesce(sum(count), 0) from loss where name = 'counts-full'" 2>/dev/null)
is "each is counted or counted as lost ($full lost)" $(($(sum 1) + full)) $((1 << 19))
done_testing
