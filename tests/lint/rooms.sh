#!/bin/bash
# The rooms of the house. A room is a header and the files that implement it, X_insides.h among them; an arrow leads from a
# room to each whose header it includes, or whose function or variable it uses. There are no circles of rooms, each folder
# uses only folders that stand behind it in the Makefile's list, and no folder has more than 40 files of code. The files of
# an instruction set implement the headers of the arch/ that they are in. bpf/arch has no place among the folders: headers
# above and below it include its own.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.[ch]' '*.def' | grep -v '^tests/')

counts=$(printf '%s\n' "${code[@]}" | sed 's|/[^/]*$||; s|/arch/.*|/arch|' | sort | uniq -c)
is 'no folder has more than 40 files of code' "$(awk '$1 > 40' <<<"$counts")" ''

objects=()
for file in "${code[@]}"; do
    object=build/obj/${file%.c}.o
    [[ $file == *.c && -e $object ]] && objects+=("$object")
done

# FILE ROOM. A file with a header of its own is that header's room. Other files belong where their insides are
# (recorder_insides.h), or by the names of their functions: noun__verb is declared in noun.h of the folder.
declare -A room_of
while read -r file noun; do
    if [[ -e ${file%/*}/$noun.h ]]; then room_of[$file]=${file%/*}/$noun; fi
done < <(
    nm -A -g --defined-only "${objects[@]}" | sed -nE 's/^build\/obj\/([^:]*)\.o:.* T ([a-z0-9_]+)__[a-z0-9_]+$/\1.c \2/p' | sort -u
    grep -HE '^#include "[a-z_/]+_insides\.h"' "${code[@]}" | sed -nE 's/^([^:]+):#include ".*\/([a-z_]+)_insides\.h"$/\1 \2/p'
)
rooms=$(for file in "${code[@]}"; do
    room=${file%.[ch]}
    [[ $file != *.def && ! -e $room.h ]] && room=${room_of[$file]:-$room}
    [[ $room == */arch/*/* ]] && room=${room%/arch/*}/arch/${room##*/}
    printf '%s %s\n' "$file" "${room%_insides}"
done)

# FILE FILE: who includes whom.
includes=$(grep -HE '^ *# *include "' "${code[@]}" | sed -E 's/^([^:]+): *# *include "([^"]+)".*/\1 \2/')

# FILE FILE: who uses whose symbols, by the objects as built.
symbols=$(nm -A -g "${objects[@]}" | awk '
    { file = $1; sub(/^build\/obj\//, "", file); sub(/\.o:.*$/, ".c", file); name = $NF }
    $(NF - 1) == "U" { uses[file " " name]; next }
    { defined[name] = file }
    END { for (use in uses) { split(use, part, " "); if (part[2] in defined) print part[1], defined[part[2]] } }')

arrows=$(awk 'NR == FNR { room[$1] = $2; next } ($1 in room) && ($2 in room) && room[$1] != room[$2] { print room[$1], room[$2] }' \
    <(echo "$rooms") <(printf '%s\n%s\n' "$includes" "$symbols") | sort -u)

ok 'the objects are built, and there are arrows to look at' test "$(wc -l <<<"$symbols")" -gt 500 -a "$(wc -l <<<"$arrows")" -gt 300

# tsort names the members of a circle on its standard error.
is 'no circle of rooms' "$(tsort <<<"$arrows" 2>&1 >/dev/null)" ''

folders="$(make -s --eval 'list-folders:; @echo $(folders)' list-folders) bpf bpf/unwind bpf/common bpf/wire"
order=$(awk -v folders="$folders" '
    BEGIN { n = split(folders, list, " "); for (i = 1; i <= n; i++) place[list[i]] = i }
    { from = $1; to = $2; sub(/\/[^\/]*$/, "", from); sub(/\/[^\/]*$/, "", to) }
    from == to || from ~ /^bpf\/arch/ || to ~ /^bpf\/arch/ { next }
    !(from in place) || !(to in place) || place[from] >= place[to]' <<<"$arrows")
is 'each folder uses only those behind it in the list' "$order" ''
done_testing
