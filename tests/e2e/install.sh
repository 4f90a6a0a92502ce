#!/bin/bash
# `make install`: the binary, a manual page for each command and the completion of bash, all printed from the tables of -h.
. tests/tap.sh

make --no-print-directory install DESTDIR="$TMP/root" PREFIX=/usr >"$TMP/said" 2>&1
is 'installs' $? 0
man=$TMP/root/usr/share/man/man1
is 'the binary runs from there' "$("$TMP/root/usr/bin/hearth" --version)" "$("$HEARTH" --version)"
is 'the daemon has its unit, its file and a page of that' \
    "$(cd "$TMP/root" && ls etc/hearth.conf usr/lib/systemd/system/hearth.service usr/share/man/man5/hearth.conf.5 | wc -l)" 3
echo '# mine' >"$TMP/root/etc/hearth.conf"
make --no-print-directory install DESTDIR="$TMP/root" PREFIX=/usr >"$TMP/said" 2>&1
is 'a second time: the file stays as it is' "$(cat "$TMP/root/etc/hearth.conf")" '# mine'

mapfile -t commands < <("$HEARTH" --help | sed -nE 's/^  ([a-z-]+) .*/\1/p')
ok 'there are commands' test "${#commands[@]}" -ge 10
is 'each has a page' "$(cd "$man" && ls)" "$({ printf 'hearth-%s.1\n' "${commands[@]}"; echo hearth.1; } | sort)"
for command in "${commands[@]}"; do
    "$HEARTH" "$command" -h | grep -oE '^ {2,6}(-[a-zA-Z], )?--?[a-zA-Z-]+' | grep -oE -- '-[a-zA-Z-]+$' | sort >"$TMP/options"
    sed -n 's/\\-/-/g; s/^\.B \(-.*\)/\1/p' "$man/hearth-$command.1" | sed -E 's/^-[a-zA-Z], //; s/ .*//' | sort >"$TMP/named"
    is "$command: its page has the options of -h" "$(cat "$TMP/named")" "$(cat "$TMP/options")"
done
if [[ -n $(command -v groff) ]]; then
    is 'the pages are good roff' "$(for page in "$man"/*; do groff -man -ww -z "$page" 2>&1; done)" ''
    like 'an example keeps its line' "$(groff -man -Tascii "$man/hearth-record.1" 2>/dev/null)" \
        '  hearth record -- make +a build with all it starts, into hearth.db'
else
    skip 'the pages are good roff' "$(lacks groff-base)"
fi

# The words that bash offers for the last of the WORDs.
offered() { bash -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _hearth; echo "${COMPREPLY[*]}"' \
    "$TMP/root/usr/share/bash-completion/completions/hearth" hearth "$@"; }
is 'the shell completes a command' "$(offered rec)" record
is 'its options' "$(offered report --lin)" --lines
is 'and leaves files to bash' "$(offered report -i x)" ''
for command in "${commands[@]}"; do
    is "$command: every option is offered" "$(offered "$command" -- | tr ' ' '\n' | grep -v '^--help$' | sort)" \
        "$("$HEARTH" "$command" -h | grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-zA-Z-]+' | grep -oE -- '--[a-zA-Z-]+$' | sort)"
done
done_testing
