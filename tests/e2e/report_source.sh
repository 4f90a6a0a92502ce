#!/bin/bash
# `report -f source FUNCTION`: lines weigh what `--lines` says of them; files named by debug information, which may be a
# stranger's, show nothing that not everybody may read, run nothing on a terminal, and hang nothing. In `hearth serve` too.
# shellcheck source=tests/tap.sh
. tests/tap.sh
export TZ=UTC

build/tests/tools/make_sample "$TMP/sample.db"
source_of() { timeout 60 "$HEARTH" report -i "$TMP/sample.db" -e cpu -f source "$@" 2>&1; }
# The lines that have samples, of source_of's: SELF% TOTAL% LINE.
weighed() { sed -nE 's/^ *([0-9.]+)% +([0-9.]+)% +([0-9?]+).*/\1 \2 \3/p'; }

"$HEARTH" report -i "$TMP/sample.db" -e cpu -f folded --lines >"$TMP/lines" 2>"$TMP/said"
# Each line of FUNCTION in folded stacks, once a stack: as source_of says it.
by_line() { # FUNCTION FILE
    awk -v begin="$1 ($2:" '{
        weight = $NF; all += weight; sub(/ [0-9]+$/, ""); delete seen; n = split($0, frames, ";")
        for (i = 1; i <= n; i++) if (index(frames[i], begin) == 1) {
            line = substr(frames[i], length(begin) + 1) + 0
            if (!seen[line]++) total[line] += weight
            if (i == n) self[line] += weight
        } }
        END { for (line in total) printf "%.2f %.2f %d\n", 100 * self[line] / all, 100 * total[line] / all, line }' "$TMP/lines" | sort -k 3n
}
while read -r function file; do
    is "$function: its lines, as in folded stacks" "$(source_of "$function" | weighed)" "$(by_line "$function" "$file")"
done <<'END_OF_LIST'
serve serve.c
main main.c
parse parse.c
parse_number parse.c
is_digit text.h
END_OF_LIST
like 'main has two lines' "$(source_of main | weighed | wc -l)" '^2$'
like 'a function weighs what the table says' "$(source_of serve)" 'serve: 30 samples itself, 38 samples with what it calls \(57.69% and 73.08%\)'
like 'a missing file is said' "$(source_of serve)" "cannot read '/src/serve.c': No such file or directory"
source_of nothing_like_that >"$TMP/said"
is 'a function that is not there' "$? $(cat "$TMP/said")" "4 hearth: there is no function 'nothing_like_that' in that range; \`hearth report -f top\` names them"
source_of >"$TMP/said"
is 'no function' "$? $(cat "$TMP/said")" '2 hearth: source is of one function: `-f source FUNCTION`'
is 'code without debug information' "$(source_of _start | weighed)" '0.00 80.77 ?'

mkdir -p "$TMP/tree/src"
printf 'line %d\n' {1..60} | sed $'7s/.*/\twhile (\x1b[31mwait\x07_for(fd)) \xff/' >"$TMP/tree/src/serve.c"
touch -d '2026-11-20' "$TMP/tree/src/serve.c"
source_of serve --source "$TMP/tree" >"$TMP/shown"
is 'below --source: the line, and nothing for the terminal to obey' "$(grep -a 'while' "$TMP/shown")" \
    '  57.69%   73.08%       7          while (\x1b[31mwait\x07_for(fd)) \xff'
is 'and the lines around it' "$(sed -nE 's/^ +[0-9]+  (line [0-9]+)$/\1/p' "$TMP/shown" | paste -sd ,)" \
    'line 2,line 3,line 4,line 5,line 6,line 8,line 9,line 10,line 11,line 12'
unlike() { if [[ $2 =~ $3 ]]; then fail "$1" "$2"; else pass "$1"; fi; }
unlike 'of a file as old as the recording nothing else is said' "$(cat "$TMP/shown")" 'version'
touch "$TMP/tree/src/serve.c" -d '2026-11-22'
like 'a file changed after the recording' "$(source_of serve --source "$TMP/tree")" 'was changed after the recording'
head -n 3 "$TMP/tree/src/serve.c" >"$TMP/tree/src/short" && mv "$TMP/tree/src/short" "$TMP/tree/src/serve.c"
touch -d '2026-11-20' "$TMP/tree/src/serve.c"
like 'a file that is too short' "$(source_of serve --source "$TMP/tree")" 'has fewer lines than were recorded'

# Files that are no sources.
refused() { # WHAT WORDS
    like "$1 is not read" "$(source_of serve --source "$TMP/tree")" "$2"
    rm -rf "$TMP/tree/src/serve.c"
}
rm "$TMP/tree/src/serve.c"
ln -s /etc/passwd "$TMP/tree/src/serve.c" && refused 'a symbolic link' 'not a regular file'
mkfifo "$TMP/tree/src/serve.c" && refused 'a pipe' 'not a regular file'
mkdir "$TMP/tree/src/serve.c" && refused 'a folder' 'not a regular file'
printf 'a\0b\n' >"$TMP/tree/src/serve.c" && refused 'what is no text' 'not a text'
truncate -s 64M "$TMP/tree/src/serve.c" && refused 'a huge file' 'File too large'
rmdir "$TMP/tree/src" && ln -s /etc "$TMP/tree/src"
like 'a folder behind a symbolic link is not entered' "$(source_of serve --source "$TMP/tree")" 'cannot read'
rm "$TMP/tree/src"

# A store whose debug information names a file of the caller's choice: speedscope's files name any.
named() { # PATH [OPTION...]
    printf '{"$schema":"https://www.speedscope.app/file-format-schema.json","shared":{"frames":[{"name":"f","file":"%s","line":2}]},"profiles":[{"type":"sampled","name":"p","unit":"none","startValue":0,"endValue":3,"samples":[[0]],"weights":[3]}]}' "$1" >"$TMP/named.json"
    timeout 60 "$HEARTH" report -f source f -i "$TMP/named.json" "${@:2}" 2>&1
}
printf 'first\nsecond word\n' >"$TMP/named.c"
chmod 755 "$TMP"
chmod 644 "$TMP/named.c"
like 'a file that all may read' "$(named "$TMP/named.c")" '100.00%  100.00%       2  second word'
chmod 600 "$TMP/named.c"
if [[ $EUID == 0 ]]; then
    like "root's report shows no file of root's alone" "$(named "$TMP/named.c")" 'not readable by all users'
    unlike 'nor its text' "$(named "$TMP/named.c")" 'second word'
fi
like 'but where --source says so' "$(named /elsewhere/named.c --source "$TMP")" '2  second word'
like 'dots do not lead out of it' "$(named /../../etc/passwd --source "$TMP")" 'cannot read'
like 'a device is not opened' "$(named /dev/zero)" 'not a regular file'
like 'a relative name is no file of this folder' "$(cd "$TMP" && named named.c)" 'No such file'

if command -v curl >/dev/null; then
    serve() { # NAME OPTION...
        background "$HEARTH" serve "$TMP/sample.db" --listen 127.0.0.1:0 "${@:2}" 2>"$TMP/$1.err"
        await grep -q 'http://' "$TMP/$1.err"
        url=$(grep -o 'http://[^ ]*' "$TMP/$1.err")
    }
    mkdir -p "$TMP/tree/src" && printf 'served %d\n' {1..9} >"$TMP/tree/src/serve.c"
    serve bare
    like 'serve shows no text' "$(curl -s "${url}api/flame?event=cpu&format=source&function=serve")" 'not shown: no folder of sources'
    is 'and says what is wrong with a question' "$(curl -s -o "$TMP/body" -w '%{http_code}' "${url}api/flame?event=cpu&format=source&function=no")" 404
    serve sourced --source "$TMP/tree"
    like 'but that of --source' "$(curl -s "${url}api/flame?event=cpu&format=source&function=serve")" '7  served 7'
fi
timeout 20 "$HEARTH" serve "$TMP/sample.db" --listen 127.0.0.1:0 --source "$TMP/nosuch" 2>"$TMP/said"
is 'a folder that is not there is refused' "$? $(cat "$TMP/said")" "2 hearth: --source '$TMP/nosuch' is no folder that can be read"
done_testing
