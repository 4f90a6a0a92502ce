#!/bin/bash
# One workshop: arrays grow by store/base/grow.h, and hash tables are those of store/base (id_map.h, slot_set.h) or uthash.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.[ch]' | grep -vE '^(tests|bpf|store/base)/')

# Matches outside of comments.
in_code() { # PATTERN FILE...
    awk '{ sub("//.*$", ""); print FILENAME ":" FNR ": " $0 }' "${@:2}" | grep -P "^[^:]+:[0-9]+: .*$1" || true
}
grown() { in_code '\brealloc(array)?\((?!NULL,)|[cC]apacity \? \S+ \* 2' "$@"; }
probed() { in_code '\+ 1\) & ' "$@"; }

# keeper.c, kernel_symbols.c: to an exact size, once. profile.c and fold.c size their tables together with several arrays.
exempt='^(collector/keep/keeper|symbolizer/kernel/kernel_symbols|report/profile/(profile|fold)|symbolizer/(index/string_pool|dwarf/dwarf_sink))\.c:'
is 'no array grows by hand' "$(grown "${code[@]}" | grep -vE "$exempt")" ''
# Tables of the hottest loops: profile.c and fold.c keep them half empty, string_pool.c keeps the hash in the slot, and
# dwarf_sink.c the whole record.
exempt='^(report/profile/(profile|fold)|symbolizer/index/string_pool|symbolizer/dwarf/dwarf_sink)\.c:'
is 'no hash table is probed by hand' "$(probed "${code[@]}" | grep -vE "$exempt")" ''

cat >"$TMP/bad.c" <<'END'
rows = realloc(rows, n);
n = list->capacity ? list->capacity * 2 : 64;
at = (at + 1) & mask;
fresh = reallocarray(NULL, n, 8); // realloc(
END
is 'the lint finds growth' "$(grown "$TMP/bad.c" | sed 's/.*bad.c:\([0-9]*\):.*/\1/' | tr '\n' ' ')" '1 2 '
is 'and probing' "$(probed "$TMP/bad.c" | sed 's/.*bad.c:\([0-9]*\):.*/\1/' | tr '\n' ' ')" '3 '
done_testing
