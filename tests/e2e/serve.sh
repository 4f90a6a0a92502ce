#!/bin/bash
# `hearth serve`: the answers are those of `hearth report`, bad questions and damaged stores cost an answer and not the
# server, strangers are refused, and no privilege is left.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC
command -v curl >/dev/null || skip_all "$(lacks curl)"

# Starts a server: NAME STORE [OPTION...]; its address in $url, its pid in $server.
serve() {
    local name=$1
    shift
    background "$HEARTH" serve "$@" --listen 127.0.0.1:0 2>"$TMP/$name.err"
    server=$!
    await grep -q 'http://' "$TMP/$name.err"
    url=$(grep -o 'http://[^ ]*' "$TMP/$name.err")
}
ask() { curl -s --max-time 60 "$url$1" "${@:2}"; }
status() { curl -s --max-time 60 -o "$TMP/body" -w '%{http_code}' "$url$1" "${@:2}"; }
field() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

build/tests/tools/make_sample "$TMP/sample.db"
serve sample "$TMP/sample.db"
for format in flame-data folded svg top json firefox script otlp; do
    "$HEARTH" report -i "$TMP/sample.db" -e cpu -f "$format" >"$TMP/expected" 2>"$TMP/said"
    ask "api/flame?event=cpu&format=$format" >"$TMP/got"
    ok "$format: the bytes of a report" cmp -s "$TMP/expected" "$TMP/got"
done
is 'the data of the flame graph is what is meant by itself' "$(ask 'api/flame?event=cpu' | md5sum)" \
    "$("$HEARTH" report -i "$TMP/sample.db" -e cpu -f flame-data 2>"$TMP/said" | md5sum)"
is 'pprof' "$(ask 'api/flame?event=cpu&format=pprof' | gzip -dc | md5sum)" \
    "$("$HEARTH" report -i "$TMP/sample.db" -e cpu -f pprof 2>"$TMP/said" | gzip -dc | md5sum)"
range='from=@1795262400&to=@1795262410'
is 'of a range and a filter' "$(ask "api/flame?event=cpu&$range&comm=worker&format=folded")" \
    "$("$HEARTH" report -i "$TMP/sample.db" -e cpu --since @1795262400 --until @1795262410 --comm worker -f folded 2>"$TMP/said")"
is 'a difference' "$(ask "api/diff?$range&before-from=@1795262410&before-to=@1795262420&format=folded")" \
    "$("$HEARTH" diff since=@1795262410,until=@1795262420 since=@1795262400,until=@1795262410 -i "$TMP/sample.db" -f folded 2>"$TMP/said")"
samples=$("$HEARTH" report -i "$TMP/sample.db" -e cpu -f folded 2>"$TMP/said" | awk '{ s += $NF } END { print s }')
for by in comm unit user none; do
    ask "api/timeline?event=cpu&by=$by&columns=7" >"$TMP/timeline"
    is "by $by: no sample is missing, nor in the columns" "$(python3 -c "
import json
d = json.load(open('$TMP/timeline'))
print(d['total']['samples'], sum(s['total'] for s in d['series']), round(sum(sum(s['cells'][1::2]) for s in d['series'])))")" \
        "$samples $samples $samples"
done
ask 'api/heatmap?event=blkio&columns=3' >"$TMP/heatmap"
is 'a heat map: all values, in as many columns' "$(python3 -c "
import json
d = json.load(open('$TMP/heatmap'))
print(d['values'], round(sum(sum(c[1::2]) for c in d['cells'])), len(d['p50']))")" '4 4 3'

# Compressed where the client takes it: the same bytes, and a file of gzip.
for answer in '' serve.js page.css 'api/flame?event=cpu' 'api/flame?event=cpu&format=html' 'api/flame?event=cpu&format=folded' \
    'api/timeline?event=cpu' 'api/heatmap?event=blkio&columns=300'; do
    ask "$answer" -D "$TMP/plain.head" >"$TMP/plain"
    ask "$answer" --compressed -D "$TMP/packed.head" >"$TMP/unpacked"
    ask "$answer" -H 'Accept-Encoding: br;q=1, gzip;q=0.2' >"$TMP/packed.gz"
    large=$(($(stat -c %s "$TMP/plain") >= 1024))
    ok "/$answer: compressed or not, the same bytes" cmp "$TMP/plain" "$TMP/unpacked"
    is "/$answer: the answer depends on the header, and says so" "$(grep -ci '^vary: accept-encoding' "$TMP/plain.head") \
$(grep -ci '^content-encoding' "$TMP/plain.head") $(grep -ci '^content-encoding: gzip' "$TMP/packed.head")" "1 0 $large"
    [[ $large == 1 ]] || continue
    ok "/$answer: what is sent is gzip" gzip -t "$TMP/packed.gz"
    ok "/$answer: and smaller" test "$(stat -c %s "$TMP/packed.gz")" -lt "$(stat -c %s "$TMP/plain")"
    is "/$answer: it unpacks to the same" "$(gzip -dc "$TMP/packed.gz" | md5sum)" "$(md5sum <"$TMP/plain")"
done
encoding() { ask "$1" -o /dev/null -D - -H "Accept-Encoding: $2" | tr -d '\r' | sed -n 's/^Content-Encoding: //p'; }
is 'not where the client refuses it, nor what is short, an error, or compressed by itself' \
    "$(encoding 'api/flame?event=cpu' 'gzip;q=0, *')$(encoding api/events gzip)$(encoding 'api/flame?format=nope' gzip)$(encoding 'api/flame?event=cpu&format=pprof' gzip)" ''
is 'HEAD says the same as GET' "$(curl -sI --compressed --max-time 60 "${url}api/flame?event=cpu" | grep -ciE '^content-encoding: gzip|^content-length')" \
    "$(ask 'api/flame?event=cpu' --compressed -o "$TMP/body" -D - | grep -ciE '^content-encoding: gzip|^content-length')"

# Bad questions.
while read -r wanted question; do
    is "$question: $wanted" "$(status "$question") $(field "['error'] != ''" <"$TMP/body")" "$wanted True"
done <<'END'
404 nothing
404 ../../etc/passwd
404 api/
400 api/flame?format=nope
400 api/flame?event=nope
400 api/flame?formatt=svg
400 api/flame?from=never
400 api/flame?from=@20&to=@10
400 api/flame?pid=x
400 api/flame?focus=(
404 api/flame?from=@1&to=@2
400 api/flame?input=/etc/passwd
400 api/timeline?columns=0
400 api/timeline?columns=100000
400 api/timeline?by=nope
400 api/timeline?focus=x
400 api/heatmap?event=cpu
400 api/diff
END
is 'a range of ages' "$(status 'api/timeline?from=@1&to=@9999999999&columns=2000')" 200
is 'too many parameters' "$(status "api/flame?$(printf 'comm=x&%.0s' {1..60})")" 400
many=$(printf 'x%.0s' {1..40000})
ok 'an address without an end' test "$(status "api/flame?comm=$many")" -ge 400
is 'nothing can be sent' "$(status api/events -X POST -d x) $(status api/events -X DELETE)" '405 405'
is 'a name that is not of this host (DNS rebinding)' "$(status '' -H 'Host: evil.example:8680') $(status '' -H 'Host: localhost:1')" '403 200'
is 'a page of another site' "$(status api/events -H 'Sec-Fetch-Site: cross-site')" 403
like 'a policy: only what the server has' "$(ask '' -i)" "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'"
is 'the page names nothing outside of itself' "$(ask '' | grep -coE '(src|href)="(https?:|//)')" 0

tag=$(ask api/events -i | tr -d '\r' | sed -n 's/^ETag: //p')
is 'nothing new: no answer' "$(status api/events -H "If-None-Match: $tag")" 304
packed=$(ask 'api/flame?event=cpu' --compressed -o "$TMP/body" -D - | tr -d '\r' | sed -n 's/^ETag: //p')
is 'the compressed answer has a tag of its own' "$(status 'api/flame?event=cpu' --compressed -H "If-None-Match: $packed") $(status 'api/flame?event=cpu' \
    -H "If-None-Match: $packed") $(status 'api/flame?event=cpu' --compressed -H "If-None-Match: $tag")" '304 200 200'
touch -d '1 hour ago' "$TMP/sample.db"
is 'a store that was written to: one' "$(status api/events -H "If-None-Match: $tag")" 200

# Privileges.
if [[ $EUID -eq 0 ]]; then
    is 'of root: nobody, who may read' "$(awk '/^Uid|^Gid/ { print $2, $3 } /^Cap(Eff|Prm)/ { print $2 }' "/proc/$server/status" | sort -u | xargs)" \
        '0000000000000004 65534 65534'
else
    skip 'of root: nobody, who may read' 'not root'
fi
is 'a filter, and no new privileges' "$(awk '/^NoNewPrivs|^Seccomp:/ { print $2 }' "/proc/$server/status" | xargs)" '1 2'
chmod 600 "$TMP/sample.db"
is 'a store of root alone' "$(status api/events)" 200

# Several at once: one answer, and bounded memory.
ask 'api/timeline?event=cpu' >"$TMP/one"
clients=()
for i in {1..12}; do
    ask 'api/timeline?event=cpu' >"$TMP/many.$i" &
    clients+=($!)
done
wait "${clients[@]}"
is 'twelve clients, one answer' "$(md5sum "$TMP/one" "$TMP"/many.* | awk '{ print $1 }' | sort | uniq -c | awk '{ print $1 }')" 13
ok 'the server is small' test "$(awk '/^VmHWM/ { print $2 }' "/proc/$server/status")" -lt 40000

# A question whose process is killed, as that is which takes too much memory.
awk 'BEGIN { for (i = 0; i < 40000; i++) printf "c;g%d;f%d;h%d 1\n", i, i % 1000, i % 13 }' | build/tests/tools/make_store "$TMP/large.db"
sample=$server sample_url=$url
serve large "$TMP/large.db"
for try in {1..20}; do
    status 'api/flame?event=cpu' >"$TMP/status" &
    asking=$!
    while kill -0 $asking 2>/dev/null; do
        pkill -KILL -P "$server"
        sleep 0.02
    done
    grep -q 503 "$TMP/status" && break
done
is "a question that was ended: said so (try $try)" "$(cat "$TMP/status") $(field "['error'].split(';')[0]" <"$TMP/body")" \
    '503 this took too long, or too much memory'
is 'and the next one is answered' "$(status 'api/events')" 200
kill "$server"
server=$sample url=$sample_url

# More connections than there may be, that end at once: libmicrohttpd listens again.
python3 - "$url" <<'P'
import socket, sys, urllib.parse
port, held = urllib.parse.urlparse(sys.argv[1]).port, []
try:
    for _ in range(100):
        held.append(socket.create_connection(("127.0.0.1", port), 5))
        held[-1].send(b"GET / HTTP/1.1\r\n")
except OSError:
    pass
P
is 'after a flood of connections' "$(status '')" 200

# A store that goes bad, and one that goes away.
printf 'garbage' | dd of="$TMP/sample.db" conv=notrunc status=none
is 'a damaged store' "$(status api/events) $(field "['error'] != ''" <"$TMP/body")" '500 True'
rm "$TMP/sample.db"
is 'a store that was removed' "$(status api/events) $(field "['error'] != ''" <"$TMP/body")" '500 True'
is 'and the page is still there' "$(status '')" 200
kill "$server"
wait "$server"
is 'SIGTERM ends it' $? 0

# A directory.
build/tests/bench/directory_bench "$TMP/store" 1 12 1795302000 >"$TMP/out"
serve directory "$TMP/store"
for until in 1795303000 1795305600; do
    is "a directory: a report of a range (until $until)" "$(ask "api/flame?from=@1795302000&to=@$until&format=folded" | md5sum)" \
        "$("$HEARTH" report -i "$TMP/store" --since @1795302000 --until @$until -f folded | md5sum)"
done
is 'and its time line' "$(ask 'api/timeline?columns=60' | field "['total']['samples']")" \
    "$("$HEARTH" report -i "$TMP/store" -f folded | awk '{ s += $NF } END { print s }')"
kill "$server"

# A store that is written to, in a folder of root alone: new intervals appear.
mkdir -m 700 "$TMP/private"
background "$HEARTH" record -e cpu -i 1 -d "$ENDLESS" -o "$TMP/private/live.db"
recorder=$!
await sampled "$TMP/private"
serve live "$TMP/private/live.db"
total() { ask 'api/timeline?event=cpu' | field "['total']['samples']"; }
first=$(total)
grows() { [[ $(total) -gt ${first:-999999999} ]]; }
ok 'live data appears' await grows
kill -INT "$recorder"
wait "$recorder"
is 'and is all there at the end' "$(total)" "$("$HEARTH" report -i "$TMP/private/live.db" -e cpu -f folded 2>"$TMP/said" | awk '{ s += $NF } END { print s }')"
kill "$server"

# Names that want to be code.
printf '%s\n' '</script><img src=x onerror=alert(1)>;main 3' 'a"b\c;main 2' $'e\x1b]0;x 1' | build/tests/tools/make_store "$TMP/hostile.db"
serve hostile "$TMP/hostile.db"
ask 'api/timeline' >"$TMP/timeline"
is 'hostile names are words of JSON' "$(field "['total']['samples']" <"$TMP/timeline") $(grep -c '<' "$TMP/timeline")" '6 0'
kill "$server"

# Who may ask.
echo 0123456789abcdef0123 >"$TMP/token"
chmod 644 "$TMP/token"
"$HEARTH" serve "$TMP/hostile.db" --token-file "$TMP/token" 2>"$TMP/said"
is 'a token that others can read' "$? $(grep -c 'chmod 600' "$TMP/said")" '2 1'
chmod 600 "$TMP/token"
serve token "$TMP/hostile.db" --token-file "$TMP/token"
is 'with a token: none, a wrong one, a part of it' \
    "$(status '') $(status '' -u x:0123456789abcdef0124) $(status '' -u x:0123456789abcdef) $(status '' -H 'Authorization: Basic %%%')" '401 401 401 401'
is 'the token, as a password or by itself' \
    "$(status '' -u x:0123456789abcdef0123) $(status api/events -H 'Authorization: Bearer 0123456789abcdef0123')" '200 200'
kill "$server"
"$HEARTH" serve "$TMP/hostile.db" --listen 0.0.0.0:0 2>"$TMP/said"
is 'other hosts: not without a token' "$? $(grep -c 'token-file' "$TMP/said")" '2 1'
"$HEARTH" serve "$TMP/hostile.db" --listen nowhere 2>"$TMP/said"
is 'a bad address' $? 2
"$HEARTH" serve "$TMP/nothing.db" --listen 127.0.0.1:0 2>"$TMP/said"
is 'no such store' "$? $(grep -c "nothing.db" "$TMP/said")" '1 1'
done_testing
