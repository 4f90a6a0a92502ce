#!/bin/bash
# Programs with one build id: of another layout, and of another owner. Each is named by itself, at once and one after the
# other, from the caches too.
. tests/tap.sh
export CACHE_DIRECTORY=$TMP/cache
mkdir "$CACHE_DIRECTORY"

# The same bytes but for the names, which are as long: only the owner tells `honest` and `liar` apart. `roomy` has its
# code elsewhere.
cat >"$TMP/program.c" <<'C'
#include <stdlib.h>
#include <time.h>
volatile unsigned spun;
#ifdef ROOM
__attribute__((noinline, used)) void before(void) { __asm__ volatile(".zero 8192, 0x90"); }
#endif
__attribute__((noinline)) void INNER(void) { for (unsigned i = 0; i < 1000000; i++) spun += i; }
__attribute__((noinline)) void OUTER(void) { INNER(); spun++; }
int main(int argc, char **argv)
{
    clock_t end = (argc > 1 ? atoi(argv[1]) : 1) * CLOCKS_PER_SEC;
    while (clock() < end)
        OUTER();
    return 0;
}
C
id=$(printf '5a%.0s' {1..20})
make_program() { gcc -O1 -g -fno-omit-frame-pointer "-Wl,--build-id=0x$id" -o "$TMP/$1" "$TMP/program.c" "${@:2}"; }
make_program honest -DINNER=check_it -DOUTER=serve_it
make_program liar -DINNER=steal_it -DOUTER=trick_it
make_program roomy -DROOM -DINNER=rooms_in -DOUTER=room_out
chown 65534:65534 "$TMP/liar"
is 'two have the same program headers' "$(readelf -lW "$TMP/liar")" "$(readelf -lW "$TMP/honest")"
is 'and all have one build id' "$(readelf -n "$TMP"/{honest,liar,roomy} | grep -c 'Build ID: \(5a\)\{20\}')" 3

# Of a program's samples with a name, those that lie in its own function, of those that do not: "N 0" is right.
of_its_own() { # FOLDED PROGRAM INNER
    awk -v comm="^$2;" -v inner=";$3" '$0 ~ comm && /;(check|steal|rooms)_i[tn]/ { n[index($0, inner) > 0] += $NF }
        END { print (n[1] > 0), n[0] + 0 }' "$1"
}

ok 'the one that lies runs first' "$HEARTH" record -F 499 -o "$TMP/liar.folded" -- setpriv --reuid 65534 --clear-groups "$TMP/liar" 1
is 'and is named' "$(of_its_own "$TMP/liar.folded" liar steal_it)" '1 0'
ok 'then one of the same layout, of root' "$HEARTH" record -F 499 -o "$TMP/honest.folded" -- "$TMP/honest" 1
is 'which is named by itself' "$(of_its_own "$TMP/honest.folded" honest check_it)" '1 0'
ok 'then one of another layout, of root' "$HEARTH" record -F 499 -o "$TMP/roomy.folded" -- "$TMP/roomy" 1
is 'which is named by itself, too' "$(of_its_own "$TMP/roomy.folded" roomy rooms_in)" '1 0'

# All three at once, in one store, with its caches warm.
ok 'all at once' "$HEARTH" record -F 499 -o "$TMP/all.db" -- \
    sh -c 'setpriv --reuid 65534 --clear-groups "$0/liar" 1 & "$0/honest" 1 & "$0/roomy" 1 & wait' "$TMP"
"$HEARTH" report -i "$TMP/all.db" -o "$TMP/all.folded"
for row in liar:steal_it honest:check_it roomy:rooms_in; do
    is "${row%:*} is named by itself beside the others" "$(of_its_own "$TMP/all.folded" "${row%:*}" "${row#*:}")" '1 0'
done
is 'the store has each binary once' "$(sqlite3 "$TMP/all.db" "select count(*), count(distinct digest) from binary
    where lower(hex(build_id)) = '$(printf '5a%.0s' {1..20})'")" '3|3'

# --- Without a build id, two programs of the same layout are two.
make_program first -Wl,--build-id=none -DINNER=check_in -DOUTER=serve_in
make_program second -Wl,--build-id=none -DINNER=steal_in -DOUTER=trick_in
is 'two without a build id have the same program headers' "$(readelf -lW "$TMP/first")" "$(readelf -lW "$TMP/second")"
ok 'both at once' "$HEARTH" record -F 499 -o "$TMP/plain.folded" -- sh -c '"$0/first" 1 & "$0/second" 1 & wait' "$TMP"
for row in first:check_in second:steal_in; do
    is "${row%:*} is named by itself" "$(of_its_own "$TMP/plain.folded" "${row%:*}" "${row#*:}")" '1 0'
done

# --- symbolize, with a cache of its own.
for program in liar honest roomy; do
    address=$(nm "$TMP/$program" | awk '/ T (check_it|steal_it|rooms_in)$/ { print $1 " " $3 }')
    is "symbolize names $program by itself" \
        "$("$HEARTH" symbolize --cache "$TMP/names" -e "$TMP/$program" "0x${address% *}" | awk '{ print $1; exit }')" "${address#* }"
done

# --- A store of before has no digests.
"$HEARTH" record -F 499 -o "$TMP/old.db" -- "$TMP/honest" 1 2>/dev/null
"$HEARTH" report -i "$TMP/old.db" -o "$TMP/new.folded"
sqlite3 "$TMP/old.db" 'alter table binary drop column digest'
ok 'a store without digests opens' "$HEARTH" report -i "$TMP/old.db" -o "$TMP/old.folded"
ok 'and says the same' cmp "$TMP/new.folded" "$TMP/old.folded"
done_testing
