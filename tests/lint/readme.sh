#!/bin/bash
# The README tells the truth: every command of hearth and of make that it names exists, and no command of hearth is missing.
. tests/tap.sh

commands=$("$HEARTH" -h | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | sort)
named=$(grep -oE '^\| `[a-z-]+` \|' README.md | tr -d '|` ' | sort)
is 'the table of commands is that of hearth -h' "$named" "$commands"
is 'no other command is used' "$(grep -oE '^ +hearth [a-z-]+' README.md | awk '{ print $2 }' | sort -u | comm -23 - <(echo "$commands"))" ''

missing=''
while read -r command option; do
    "$HEARTH" "$command" -h | grep -qE -- "(^| )$option([ ,]|$)" || missing+="$command $option; "
done < <(grep -E '^ +hearth [a-z-]+ .*' README.md | sed 's/#.*//; s/ -- .*//' |
    awk '{ for (i = 3; i <= NF; i++) if ($i ~ /^-[a-zA-Z]$|^--[a-z]/) print $2, $i }' | sort -u)
is 'nor an option that does not exist' "$missing" ''

missing=''
while read -r target; do
    grep -qE "^(\.PHONY:.* )?$target( |:|$)" Makefile || missing+="$target "
done < <(grep -oE 'make [a-z][a-z-]*' README.md | awk '{ print $2 }' | sort -u)
is 'the targets of make exist' "$missing" ''
missing=''
while read -r file; do
    [[ -e $file ]] || missing+="$file "
done < <(grep -oE '`(bpf|collector|report|store|symbolizer|tests|\.ci)/[A-Za-z0-9_./-]+`' README.md | tr -d '`' | sort -u)
is 'the files exist' "$missing" ''
done_testing
