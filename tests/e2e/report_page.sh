#!/bin/bash
# check: 600 s, long
# The flame graph page in a real browser, without a network and without a screen: what report_page.js does in it, names
# that want to be code, and as many frames as one page may have.
# shellcheck source=tests/tap.sh
. tests/tap.sh

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    skip_all 'no chromium here'

# The document after the scripts have run: PAGE [#PLACE]. Without gliding: there is no screen to wait for.
dump() {
    timeout -k 5 200 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$TMP/browser" \
        --window-size=1200,800 --force-prefers-reduced-motion --virtual-time-budget=20000 --dump-dom "file://$1${2:-}" 2>"$TMP/browser.log"
}

# What the page says of itself: <html data-NAME="VALUE">.
value() { grep -m 1 -oE " data-$1=\"[^\"]*\"" | cut -d '"' -f 2; }

# A copy of a page with a script of ours behind its own.
with_script() { # PAGE SCRIPT COPY
    sed '/^<\/body>$/Q' "$1" >"$3"
    { echo '<script>'; cat "$2"; echo '</script></body></html>'; } >>"$3"
}

build/tests/tools/make_sample "$TMP/sample.db"
TZ=UTC "$HEARTH" report -i "$TMP/sample.db" -o "$TMP/sample.html"
with_script "$TMP/sample.html" tests/e2e/report_page.js "$TMP/driven.html"
dump "$TMP/driven.html" >"$TMP/driven.dom"
results=$(sed -n '/<pre id="results">/,/^end/p' "$TMP/driven.dom" | sed 's/.*<pre id="results">//; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
while IFS= read -r line; do
    case $line in
    pass\ *) pass "${line#pass }" ;;
    fail\ *) fail "${line#fail }" ;;
    esac
done <<<"$results"
like 'the script reached its end' "$results" 'end'

is 'the page names nothing outside itself' "$(grep -oiE '(src|href|url|import|fetch|XMLHttp)[=( ]*["'"'"']?(https?:|//)[^ ]*' "$TMP/sample.html")" ''
is 'and is allowed nothing' "$(grep -c "default-src 'none'" "$TMP/sample.html")" 1
is 'a search in the address' "$(dump "$TMP/sample.html" '#regex=^serve$&flame=1' | value matched)" 38

# Each event of the page weighs what its own report weighs.
"$HEARTH" report -i "$TMP/sample.db" -o "$TMP/again.html" 2>"$TMP/err"
like 'only the event without stacks is said to be missing' "$(cat "$TMP/err")" "; the store holds blkio too: choose with -e"
cat >"$TMP/sums.js" <<'END'
document.documentElement.dataset.sums = events.map((name, at) => (loadEvent(at), `${name} ${whole.total[0]}`)).join(", ");
END
with_script "$TMP/sample.html" "$TMP/sums.js" "$TMP/sums.html"
weigh() { "$HEARTH" report -i "$TMP/sample.db" -e "$1" -f folded 2>"$TMP/err" | awk -v name="$1" '{ s += $NF } END { printf "%s %d", name, s }'; }
is 'the events of a page weigh what their reports weigh' "$(dump "$TMP/sums.html" | value sums)" "$(weigh cpu), $(weigh uprobe:./server:serve)"
"$HEARTH" report -i "$TMP/sample.db" -e cpu -o "$TMP/one.html"
is 'a chosen event is alone' "$(grep -c 'class="event"' "$TMP/one.html")" 0

# Names that want to be code. A tab cannot be in a folded line's name; an escape and a separator of lines can.
printf '%s\n' '</script><script>window.hacked=1</script>;main 3' 'a;<img src=x onerror=window.hacked=1>;"};alert(1)// 2' \
    $'a;\x1b]0;title\x07;x\xe2\x80\xa8window.hacked=1 1' 'a;<!--;{{script}};-->;]]>;\u003c/script> 4' $'a;\xff\xfe 1' >"$TMP/hostile.folded"
build/tests/tools/make_store "$TMP/hostile.db" <"$TMP/hostile.folded"
"$HEARTH" report -i "$TMP/hostile.db" -o "$TMP/hostile.html"
cat >"$TMP/look.js" <<'END'
document.documentElement.dataset.hacked = [typeof window.hacked, document.images.length, document.scripts.length,
  labels.name.includes("<" + "/script><script>window.hacked=1<" + "/script>")].join(" ");
END
with_script "$TMP/hostile.html" "$TMP/look.js" "$TMP/looked.html"
dump "$TMP/looked.html" >"$TMP/looked.dom"
is 'hostile names stay names' "$(value hacked <"$TMP/looked.dom")" 'undefined 0 3 true'
is 'and all of their samples are drawn' "$(value total <"$TMP/looked.dom")" 11

# More frames than fit: 260,000 stacks of three frames. What is drawn is bounded by the pixels: 4 rows of 1200.
awk 'BEGIN { for (i = 0; i < 260000; i++) printf "c;f%d;g%d;h%d %d\n", i % 500, i % 50000, i, 1 + i % 7 }' >"$TMP/many.folded"
build/tests/tools/make_store "$TMP/many.db" <"$TMP/many.folded"
"$HEARTH" report -i "$TMP/many.db" -o "$TMP/many.html"
# Only rows in sight are in the document, and the last one is reached.
cat >"$TMP/scroll.js" <<'END'
togglePanel();
const key = (name) => $("panel-rows").querySelector('button[tabindex="0"]').dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
sortPanel("total"), key("End"), drawRows();
const wanted = labels.name[listed.rows[listed.rows.length - 1]], shown = $("panel-rows").lastChild.textContent;
Object.assign(document.documentElement.dataset, { listed: listed.rows.length, last: shown.endsWith(wanted) && document.activeElement.textContent === wanted,
  rows: $("panel-rows").children.length, csv: listCsv().split("\r\n").slice(1, -1).reduce((sum, line) => sum + Number(line.split(",").slice(-2)[0]), 0) });
END
with_script "$TMP/many.html" "$TMP/scroll.js" "$TMP/scrolled.html"
dump "$TMP/scrolled.html" >"$TMP/scrolled.dom"
is 'the table reaches its last function' "$(value last <"$TMP/scrolled.dom")" 'true'
ok 'it lists all functions' test "$(value listed <"$TMP/scrolled.dom")" -gt 100000
ok 'and makes few rows' test "$(value rows <"$TMP/scrolled.dom")" -lt 200
is 'as comma-separated values they weigh what the stacks weigh' "$(value csv <"$TMP/scrolled.dom")" \
    "$(awk '{ s += $NF } END { print s }' "$TMP/many.folded")"
dump "$TMP/many.html" >"$TMP/many.dom"
frames=$(value frames <"$TMP/many.dom") drawn=$(value drawn <"$TMP/many.dom")
is 'a page of many frames: none of the weight is lost' "$(value total <"$TMP/many.dom")" \
    "$(awk '{ s += $NF } END { print s }' "$TMP/many.folded")"
ok 'it has over 100,000 frames' test "${frames:-0}" -gt 100000
ok "it draws what can be seen (${drawn:-none} of ${frames:-none})" test "${drawn:-999999}" -lt 6000
done_testing
