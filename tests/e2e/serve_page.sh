#!/bin/bash
# check: 300 s
# The page of `hearth serve` in a real browser, without a screen: what it draws by its addresses, and that its policy holds.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip_all 'no chromium here'

serve() { # STORE
    background "$HEARTH" serve "$1" --listen 127.0.0.1:0 2>"$TMP/serve.err"
    server=$!
    await grep -q 'http://' "$TMP/serve.err"
    url=$(grep -o 'http://[^ ]*' "$TMP/serve.err")
}
# The document after the scripts have run.
dump() {
    timeout -k 5 100 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$TMP/browser" \
        --window-size="${2:-1200},800" --virtual-time-budget=20000 --enable-logging=stderr --dump-dom "$url$1" 2>"$TMP/browser.log" >"$TMP/dom"
    grep -i CONSOLE "$TMP/browser.log" >>"$TMP/console"
}
value() { grep -m 1 -oE " data-$1=\"[^\"]*\"" "$TMP/dom" | cut -d '"' -f 2; }
words() { sed -n "s/.* id=\"$1\"[^>]*>\([^<]*\)<.*/\1/p" "$TMP/dom" | head -n 1; }

build/tests/tools/make_sample "$TMP/sample.db"
serve "$TMP/sample.db"
dump ''
is 'by itself: cpu, all samples of the store' "$(value samples) $(words title)" '52 cpu on box'
like 'the range is told' "$(words facts)" '2026-11-21 12:00:00 to 12:00:20 \(20 s\)'
like 'names, the heaviest first' "$(grep -o '<p id="names">.*' "$TMP/dom")" 'worker 455 ms.*node 70.7 ms'
like 'losses are told' "$(words lost)" 'counts-full 2'
is 'without a selection there is no flame graph' "$(value framed)" ''
dump '?event=cpu&by=comm&since=1795262400&until=1795262420&a=1795262400..1795262410&only=comm:worker'
is 'a selection in the address: its flame graph' "$(value framed)" 1
like 'of that range and filter' "$(grep -o '<iframe[^>]*' "$TMP/dom" | sed 's/&amp;/\&/g; s/%40/@/g')" \
    'src="/api/flame\?event=cpu&from=@1795262400&to=@1795262410&format=html&comm=worker"'
dump '?event=cpu&by=comm&since=1795262400&until=1795262420&a=1795262410..1795262420&b=1795262400..1795262410'
like 'two: their difference' "$(grep -o '<iframe[^>]*' "$TMP/dom")" 'src="/api/diff'
dump '?event=blkio&histogram=1&since=1795262400&until=1795262420' 400
is 'a histogram, on a narrow screen' "$(value samples)" 4
like 'in words' "$(grep -o '<p id="names">.*' "$TMP/dom")" '4 values'
kill "$server"

printf '%s\n' '</script><img src=x onerror=document.title="hacked">;main 3' '<b>b</b>;main 2' | build/tests/tools/make_store "$TMP/hostile.db"
serve "$TMP/hostile.db"
dump ''
is 'hostile names stay names' "$(grep -c '<img\|<b>' "$TMP/dom") $(grep -c '&lt;b&gt;b&lt;/b&gt;' "$TMP/dom") $(value samples)" '0 1 5'
is 'the browser had nothing to say, of the policy or of scripts' "$(cat "$TMP/console")" ''
kill "$server"
done_testing
