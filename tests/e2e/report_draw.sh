#!/bin/bash
# The code of the flame graph page that needs no browser, in node: drawing at each width, sums of a page without its lightest
# frames, sums of its views, names in little room, contrast.
# shellcheck source=tests/tap.sh
. tests/tap.sh

node=$(command -v node || command -v nodejs) || skip_all "$(lacks nodejs)"

build/tests/tools/make_sample "$TMP/sample.db"
"$HEARTH" report -i "$TMP/sample.db" -o "$TMP/sample.html"
# Stacks of many weights, so that the last frame of a row is a sliver that ends where the row does.
awk 'BEGIN { for (i = 0; i < 1500; i++) printf "c%d;f%d;g%d;h%d %d\n", i % 3, i % 7, i % 211, i, 1 + i * 7919 % 1009 }' |
    build/tests/tools/make_store "$TMP/slivers.db"
"$HEARTH" report -i "$TMP/slivers.db" -o "$TMP/slivers.html"
is 'a picture of each width from 300 to 2600 pixels is drawn to its end' \
    "$(timeout 400 "$node" tests/e2e/report_draw.js widths 2301 "$TMP/sample.html" "$TMP/slivers.html" | head -20)" 'end'
page() { "$node" tests/e2e/report_draw.js "$@"; }
is 'callers, callees and merged recursion keep the sums' "$(page laws "$TMP/sample.html")" 'equal'
# The page's filters against those of the reports.
folded() { "$HEARTH" report -i "$TMP/sample.db" -f folded "$@" 2>"$TMP/err" | sed 's/_\[[kij]\]//g' | sort; }
drawn() { page folded "$TMP/sample.html" "$@" | sort; }
is 'only stacks with a function: as --focus' "$(drawn only=serve)" "$(folded --focus '^serve$')"
is 'with two: both are there' "$(drawn only=serve only=malloc)" "$(folded --focus '^serve$' | grep malloc)"
is 'without its stacks: as --ignore' "$(drawn without=parse without=compute)" "$(folded --ignore '^(parse|compute)$')"
is 'without its frames: as --hide' "$(drawn hide=main hide=serve)" "$(folded --hide '^(main|serve)$')"
for by in binary file; do
    is "put together by $by: as --collapse $by" "$(drawn together=$by)" "$(folded --collapse $by)"
    is "of a part, by $by: as --focus --collapse $by" "$(drawn only=malloc together=$by)" "$(folded --focus '^malloc$' --collapse $by)"
done
# Other roots in the page: line by line what --group-by gives, alone and with filters.
for group in pid tid none; do
    is "grouped by $group" "$(drawn group=$group)" "$(folded --group-by $group)"
    is "of a part, by $group and binary" "$(drawn group=$group only=serve together=binary)" "$(folded --group-by $group --focus '^serve$' --collapse binary)"
done
# Threads of several processes that share stacks and names.
awk 'BEGIN { srand(3); for (i = 0; i < 3000; i++) { pid = 10 + int(6 * rand())
        line = (rand() < 0.3 ? "main" : "worker") "@" pid "/" 10 * pid + int(7 * rand())
        for (d = 0; d < 9 * rand(); d++) line = line ";f" int(4 * rand())
        print line, 1 + i % 5 } print "alone@99/99;f1;f2 7"; print "alone@99/99 2" }' >"$TMP/threads.folded"
build/tests/tools/make_store "$TMP/threads.db" <"$TMP/threads.folded"
whole=$(awk '{ n += $NF } END { print n }' "$TMP/threads.folded")
for root in comm pid tid exe none; do
    "$HEARTH" report -i "$TMP/threads.db" --group-by $root -o "$TMP/threads.html"
    for group in pid tid none; do
        [[ $group == "$root" ]] && continue
        page folded "$TMP/threads.html" group=$group | sort >"$TMP/drawn"
        "$HEARTH" report -i "$TMP/threads.db" -f folded --group-by $group | sort >"$TMP/folded"
        ok "threads, drawn by $root, grouped by $group" cmp "$TMP/drawn" "$TMP/folded"
    done
done
is 'and all of it is there' "$(awk '{ n += $NF } END { print n }' "$TMP/drawn")" "$whole"
page folded "$TMP/threads.html" group=tid only=f1 | sort >"$TMP/drawn"
ok 'of a page made for a part of the stacks' test -s "$TMP/drawn"
is 'the same by tid' "$(cat "$TMP/drawn")" "$("$HEARTH" report -i "$TMP/threads.db" -f folded --group-by tid --focus '^f1$' | sort)"
"$HEARTH" report -i "$TMP/threads.db" --focus '^f1$' --hide '^f2$' --collapse binary -o "$TMP/part.html"
is 'of a page that was filtered and put together when it was made' "$(page folded "$TMP/part.html" group=tid | sort)" \
    "$("$HEARTH" report -i "$TMP/threads.db" -f folded --group-by tid --focus '^f1$' --hide '^f2$' --collapse binary | sed 's/_\[[kij]\]//g' | sort)"

# Who ran it makes the page larger by a fifth at most: of many threads with the same stacks the processes are left.
awk 'BEGIN { for (t = 0; t < 900; t++) for (s = 0; s < 40; s++) printf "w@%d/%d;main;f%d;g%d 1\n", 1 + t % 20, 100 + t, s % 7, s }' |
    build/tests/tools/make_store "$TMP/crowd.db"
"$HEARTH" report -i "$TMP/crowd.db" -o "$TMP/crowd.html"
is 'threads that are too many for the page are not in it' "$(page folded "$TMP/crowd.html" group=tid)" 'no grouping by tid'
is 'their processes are' "$(page folded "$TMP/crowd.html" group=pid | sort)" "$("$HEARTH" report -i "$TMP/crowd.db" -f folded --group-by pid | sort)"
for page in sample threads crowd; do
    ok "who ran it takes a fifth of $page.html at most" python3 -c 'if True:
        import json, re, sys
        page = open(sys.argv[1]).read()
        units = [json.dumps(json.loads(text)["units"]) for text in re.findall(r"<script type=.application/json.[^>]*>(.*?)</script>", page, re.S)]
        used = sum(map(len, units))
        sys.exit(not 0 < used * 5 <= len(page) - used)' "$TMP/$page.html"
done
is 'text can be read on all fills, in light and dark' "$(page contrast "$TMP/sample.html" | paste -sd ' ')" 'readable readable'
is 'arguments go first, then folders, then what templates are made of, then the middle' "$(PAGE=$TMP/sample.html page shorten 24 \
    'short(int)' 'serve::run(int, char const*) const' 'std::map<int, std::vector<char> >::find(int)' \
    'operator<(std::pair<int,int>)' '<T as core::Trait>::f' '[libverylongname.so.12.34+0x1234]' '/usr/src/lib/http/serve.c' 'a.org/http/v2.(*T).Serve(int)' | paste -sd '|')" \
    'short(int)|serve::run(…) const|std::map<…>::find(…)|operator<(…)|<T as core::Trait>::f|[libveryl….12.34+0x1234]|serve.c|v2.(*T).Serve(…)'

# More frames than a page has: 540,000. Functions weigh what they weigh, whatever is drawn of them.
awk 'BEGIN { for (i = 0; i < 180000; i++) printf "c;g%d;f%d;h%d %d\n", i, i % 1000, i % 13, 1 + i % 7 }' >"$TMP/cut.folded"
build/tests/tools/make_store "$TMP/cut.db" <"$TMP/cut.folded"
"$HEARTH" report -i "$TMP/cut.db" -o "$TMP/cut.html"
page sums "$TMP/cut.html" f7 h3 g179999 >"$TMP/sums"
is 'a page without its lightest frames: totals of functions' "$(cut -d ' ' -f 1-3 "$TMP/sums" | paste -sd '|')" \
    "$(awk -F '[; ]' '{ all += $5; if ($3 == "f7") f += $5; if ($4 == "h3") h += $5; if ($2 == "g179999") g = $5 }
       END { print "f7 0 " f "|h3 " h " " h "|g179999 0 " g "|all " all " " all }' "$TMP/cut.folded")"
is 'and what is not drawn is not added to the self of its callers' "$(awk '/^f7/ { print $4 }' "$TMP/sums")" 0
is 'a page without its lightest frames knows no threads' "$(page folded "$TMP/cut.html" group=pid)" 'no grouping by pid'
is 'its roots can be one' "$(page folded "$TMP/cut.html" group=none | awk '{ n += $NF } END { print n }')" \
    "$(awk '{ n += $NF } END { print n }' "$TMP/cut.folded")"
like 'frames too light are said to be' "$(grep -o '"cut":[0-9]*' "$TMP/cut.html")" '"cut":[1-9]'
done_testing
