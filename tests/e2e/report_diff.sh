#!/bin/bash
# check: 600 s
# `hearth diff`: what changed and what did not, between stores, processes, threads and ranges, in every format it has.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

# `grown` grows, `gone` goes, `new` comes, `flat` keeps its fifth; the second recording is twice as long.
cat >"$TMP/a.folded" <<'END'
app;main;flat 1000
app;main;steady 3000
app;main;grown 500
app;main;gone;leaf 500
END
cat >"$TMP/b.folded" <<'END'
app;main;flat 2200
app;main;steady 5800
app;main;grown 2000
app;main;new 1000
END
build/tests/tools/make_store "$TMP/a.db" <"$TMP/a.folded"
build/tests/tools/make_store "$TMP/b.db" <"$TMP/b.folded"
build/tests/tools/make_sample "$TMP/s.db"
diff() { "$HEARTH" diff "$@" 2>"$TMP/err"; }
# Of a function's row in the table: SELF before, after, change, p, TOTAL before, after, change, p.
row() { awk -v name="$1" '$9 == name { $9 = $10 = ""; print }' | sed 's/ *$//'; }

diff "$TMP/a.db" "$TMP/b.db" -f top >"$TMP/top"
is 'a share that grew, and is no chance' "$(row grown <"$TMP/top")" '10.00% 18.18% +8.18% <0.001 10.00% 18.18% +8.18% <0.001'
is 'one that stayed' "$(row flat <"$TMP/top")" '20.00% 20.00% +0.00% 1.000 20.00% 20.00% +0.00% 1.000'
is 'what went' "$(row leaf <"$TMP/top")" '10.00% 0.00% -10.00% <0.001 10.00% 0.00% -10.00% <0.001'
is 'a caller: nothing of its own to test' "$(row gone <"$TMP/top")" '0.00% 0.00% +0.00% - 10.00% 0.00% -10.00% <0.001'
is 'what came' "$(row new <"$TMP/top")" '0.00% 9.09% +9.09% <0.001 0.00% 9.09% +9.09% <0.001'
is 'the most changed comes first' "$(awk '$2 ~ /%$/ { print $9 }' "$TMP/top" | head -3 | paste -sd ' ')" 'leaf new grown'
is 'a filter of both sides is said once' "$(diff -i "$TMP/s.db" -p 10 until=@1795262410 since=@1795262410 -f top | head -1)" \
    'cpu on box: since=@1795262410 against until=@1795262410 (only pid 10)'
diff "$TMP/a.db" "$TMP/a.db" -f top >"$TMP/same"
is 'nothing changes against itself' "$(row grown <"$TMP/same")" '10.00% 10.00% +0.00% 1.000 10.00% 10.00% +0.00% 1.000'

is 'folded, both weights' "$(diff "$TMP/a.db" "$TMP/b.db" -f folded)" 'app;main;flat 1000 2200
app;main;gone;leaf 500 0
app;main;grown 500 2000
app;main;new 0 1000
app;main;steady 3000 5800'
is 'processes: by function, not by name' "$(diff -i "$TMP/s.db" pid=10 pid=20 -f folded | awk '{ a += $(NF - 1); b += $NF; split($0, f, ";"); roots[f[1]] } END { for (r in roots) sub(/ .*/, "", r); print a, b, length(roots) }')" '45 7 2'
is 'ranges' "$(diff -i "$TMP/s.db" until=@1795262410 since=@1795262410 -f folded | awk '{ a += $(NF - 1); b += $NF } END { print a, b }')" '26 26'
is 'and a filter for both' "$(diff -i "$TMP/s.db" -p 10 until=@1795262410 since=@1795262410 -f folded | awk '{ a += $(NF - 1); b += $NF } END { print a, b }')" '22 23'
is 'ids of a side replace those of both' "$(diff -i "$TMP/s.db" -p 10 pid=20 since=@1795262410 -f folded | awk '{ a += $(NF - 1); b += $NF } END { print a, b }')" '7 23'

diff "$TMP/a.db" "$TMP/b.db" -f json >"$TMP/d.json"
ok 'json has both sides' python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["samples"] == sum(d["nodes"]["self"]) == 11000
assert d["before"]["samples"] == sum(d["nodes"]["before"]) == 5000' "$TMP/d.json"

fails_with() { # CODE WORDS ARG...
    local code=$1 words=$2 got
    shift 2
    diff "$@" >"$TMP/out"
    got=$?
    if [[ $got == "$code" && ! -s $TMP/out && $(wc -l <"$TMP/err") == 1 && $(cat "$TMP/err") == *"$words"* ]]; then
        pass "diff ${*##*/}: $code, and why"
    else
        fail "diff ${*##*/}: $code, and why" "exit $got" "$(cat "$TMP/err")"
    fi
}
fails_with 2 'takes two sides' "$TMP/a.db"
fails_with 2 "unknown word 'form'" form=1 "$TMP/a.db"
fails_with 2 'svg cannot draw a difference' "$TMP/a.db" "$TMP/b.db" -f svg
fails_with 2 'they cannot be compared' -i "$TMP/s.db" event=cpu event=uprobe:./server:serve
fails_with 4 'nothing of' -i "$TMP/s.db" pid=10 pid=99
fails_with 4 'nothing of' -i "$TMP/s.db" pid=99 pid=10
fails_with 2 'not a time' -i "$TMP/s.db" since=x since=-1h

# A function that grew in all, by no more than chance on each of its paths; and one that did not change, in as many.
for side in 'a 30' 'b 45'; do
    awk -v weight="${side#* }" 'BEGIN { print "app;main;steady 5000"; for (i = 0; i < 20; i++)
        printf "app;main;way%d;thin %d\napp;main;way%d;same 30\n", i, weight, i }' |
        build/tests/tools/make_store "$TMP/thin_${side% *}.db"
done
diff "$TMP/thin_a.db" "$TMP/thin_b.db" -o "$TMP/thin.html"
p_of() { diff "$TMP/thin_a.db" "$TMP/thin_b.db" -f top | awk -v name="$1" '$9 == name { print $8 }'; }
is 'the table: a function that grew on many thin paths, one that did not' "$(p_of thin) $(p_of same | awk '{ print ($1 > 0.05) }')" \
    '<0.001 1'

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [[ -n $browser ]]; then
    diff "$TMP/a.db" "$TMP/b.db" -o "$TMP/d.html"
    sed '/^<\/body>$/Q' "$TMP/d.html" >"$TMP/driven.html"
    cat >>"$TMP/driven.html" <<'END'
<script>
const named = (name) => Array.from(whole.label).findIndex((label) => labels.name[label] === name);
const tones = ["flat", "grown", "gone", "leaf", "new"].map((name) => Math.sign(whole.tone[named(name)])).join(" ");
const words = describe(named("grown")).weight.join("; "), widest = whole.total[0];
showFunction("callers", named("leaf"));
const callers = [labels.name[view.tree.label[0]], Math.sign(view.tree.tone[0]), view.tree.count].join(" ");
document.body.innerHTML = "";
Object.assign(document.documentElement.dataset, { tones, words, widest, callers });
</script></body></html>
END
    cat >"$TMP/thin.js" <<'END'
<script>
const tones = (name) => [...new Set(Array.from(whole.tone).filter((_, i) => labels.name[whole.label[i]] === name).map(Math.sign))].join();
togglePanel();
const row = (name) => [...$("panel-rows").children].find((r) => r.querySelector("button").textContent === name);
const words = ["thin", "same"].map((name) => `${row(name).children[2].textContent.replace(/[0-9.]{4,}/, "P")} ${row(name).className || "change"}`).join("; ");
const toned = `${tones("thin")} ${tones("same")}`;
document.body.innerHTML = "";
Object.assign(document.documentElement.dataset, { toned, words });
</script></body></html>
END
    { sed '/^<\/body>$/Q' "$TMP/thin.html" && cat "$TMP/thin.js"; } >"$TMP/thin_driven.html"
    load() {
        dom=$(timeout -k 5 200 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$TMP/browser" \
            --force-prefers-reduced-motion --virtual-time-budget=5000 --dump-dom "file://$1" 2>/dev/null | head -c 2000)
    }
    value() { grep -m 1 -oE " data-$1=\"[^\"]*\"" <<<"$dom" | cut -d '"' -f 2 | sed 's/&lt;/</g'; }
    load "$TMP/driven.html"
    is 'the page: what came is red, what went is blue' "$(value tones)" '0 1 -1 -1 1'
    is 'the page: a frame says both sides' "$(value words)" \
        '+8.18 points, 1.82 times; before 500 samples, 10.0 % · after 2,000 samples, 18.2 % of all; the function in all: P < 0.001'
    is 'the page: callers are compared too' "$(value callers)" 'leaf -1 4'
    load "$TMP/thin_driven.html"
    is 'the page: paths too thin to judge have the tone of their function' "$(value toned)" '1 0'
    is 'the page: its table says the same as the one of text' "$(value words)" '<P change; P chance'
else
    skip 'the page' 'no chromium here'
fi
done_testing
