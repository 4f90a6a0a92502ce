#!/bin/bash
# The drawing code of the flame graph page in node, which needs no browser: at no width does it draw forever.
# shellcheck source=tests/tap.sh
. tests/tap.sh

node=$(command -v node || command -v nodejs) || skip_all "$(lacks nodejs)"

build/tests/tools/make_sample "$TMP/sample.db"
"$HEARTH" report -i "$TMP/sample.db" -o "$TMP/sample.html"
# Stacks of many weights, so that the last frame of a row is a sliver that ends where the row does.
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "c%d;f%d;g%d;h%d %d\n", i % 3, i % 7, i % 211, i, 1 + i * 7919 % 1009 }' |
    build/tests/tools/make_store "$TMP/slivers.db"
"$HEARTH" report -i "$TMP/slivers.db" -o "$TMP/slivers.html"
"$HEARTH" diff "$TMP/slivers.db" "$TMP/sample.db" -o "$TMP/diff.html"
is 'a picture of each width from 300 to 2600 pixels is drawn to its end' \
    "$(timeout 120 "$node" tests/e2e/report_draw.js 2301 "$TMP/sample.html" "$TMP/slivers.html" "$TMP/diff.html" | head -20)" 'end'
done_testing
