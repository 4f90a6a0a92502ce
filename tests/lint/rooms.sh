#!/bin/bash
# The folders of the house. An arrow leads from a folder to each whose header it includes, or whose function or variable
# it uses. Each folder uses only folders that stand behind it in the Makefile's list, so that there is no circle of them, and
# no folder has more than 40 files of code.
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.[ch]' '*.def' | grep -v '^tests/')

counts=$(printf '%s\n' "${code[@]}" | sed 's|/[^/]*$||' | sort | uniq -c)
is 'no folder has more than 40 files of code' "$(awk '$1 > 40' <<<"$counts")" ''

# FILE FILE: who includes whom.
includes=$(grep -HE '^ *# *include "' "${code[@]}" | sed -E 's/^([^:]+): *# *include "([^"]+)".*/\1 \2/')

# FILE FILE: who uses whose symbols, by the objects as built.
objects=()
for file in "${code[@]}"; do
    object=build/obj/${file%.c}.o
    [[ $file == *.c && -e $object ]] && objects+=("$object")
done
symbols=$(nm -A -g "${objects[@]}" | awk '
    { file = $1; sub(/^build\/obj\//, "", file); sub(/\.o:.*$/, ".c", file); name = $NF }
    $(NF - 1) == "U" { uses[file " " name]; next }
    { defined[name] = file }
    END { for (use in uses) { split(use, part, " "); if (part[2] in defined) print part[1], defined[part[2]] } }')

arrows=$(printf '%s\n%s\n' "$includes" "$symbols" | sort -u)

ok 'the objects are built, and there are arrows to look at' test "$(wc -l <<<"$symbols")" -gt 500 -a "$(wc -l <<<"$arrows")" -gt 300

folders="$(make -s --eval 'list-folders:; @echo $(folders)' list-folders) bpf bpf/unwind bpf/common bpf/wire"
order=$(awk -v folders="$folders" '
    BEGIN { n = split(folders, list, " "); for (i = 1; i <= n; i++) place[list[i]] = i }
    { from = $1; to = $2; sub(/\/[^\/]*$/, "", from); sub(/\/[^\/]*$/, "", to) }
    from == to { next }
    !(from in place) || !(to in place) || place[from] >= place[to]' <<<"$arrows")
is 'each folder uses only those behind it in the list' "$order" ''
done_testing
