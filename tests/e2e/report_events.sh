#!/bin/bash
# The flame graph page of a store with several events: which it holds, which it leaves out and says so, and that other formats show
# one.
# shellcheck source=tests/tap.sh
. tests/tap.sh

# An event of more frames than those of all other events in a page may be: 520,000.
{ echo 'c;main;work 5'; echo '# faults'; echo 'c;main;touch 3'
    echo '# large'; awk 'BEGIN { for (i = 0; i < 260000; i++) printf "c;g%d;h%d 1\n", i, i }'; echo '# last'; echo 'd;main 2'; } |
    build/tests/tools/make_store "$TMP/all.db"
report() { "$HEARTH" report -i "$TMP/all.db" "$@" 2>"$TMP/err"; }
# EVENT SAMPLES of each tree of the page, as decoded from its data.
trees() {
    python3 -c 'import base64, json, re, sys
for text in re.findall(r"<script type=\"application/json\"[^>]*>(.*?)</script>", sys.stdin.read(), re.S):
    data, numbers, value, shift = json.loads(text), [], 0, 0
    for byte in base64.b64decode(data["nodes"]):
        value, shift = value | (byte & 127) << shift, shift + 7
        if byte < 128: numbers.append(value); value = shift = 0
    print(data["events"][0], sum(numbers[2::3]), data["leftOut"])'
}
report -o "$TMP/all.html"
is 'the page has all events that fit, and names the one that does not' "$(trees <"$TMP/all.html")" $'cpu 5 large\nfaults 3 \nlast 2 '
like 'so does the command' "$(cat "$TMP/err")" "this is 'cpu', 'faults', 'last'; the store holds large too: choose with -e"
report -e large -o "$TMP/large.html"
is 'alone it is there' "$(trees <"$TMP/large.html")" 'large 260000 '
is 'a range without the others has one' "$(report --comm d -e last -o "$TMP/d.html" && trees <"$TMP/d.html")" 'last 2 '
is 'filters are those of all events' "$(report --focus '^(touch|work)$' -o "$TMP/f.html" && trees <"$TMP/f.html")" $'cpu 5 \nfaults 3 '
is 'other formats show one event' "$(report -f folded)" 'c;main;work 5'
like 'and say which there are' "$(cat "$TMP/err")" "this is 'cpu'; the store holds faults, large, last too"

# Without "cpu" the page begins with the first one; where only one can be shown it must be chosen.
sqlite3 "$TMP/all.db" "UPDATE event SET name = 'waits' WHERE name = 'cpu'"
report -o "$TMP/waits.html"
is 'without cpu: the first one, and the others' "$? $(trees <"$TMP/waits.html")" $'0 waits 5 large\nfaults 3 \nlast 2 '
report -f folded >"$TMP/folded"
is 'where only one is shown it must be chosen' "$? $(<"$TMP/err")" \
    '2 hearth: which event? choose with -e; the store holds waits, faults, large, last'
done_testing
