#!/bin/bash
# Functions that the code may not call, and marks of unfinished work.
. tests/tap.sh

files() { git ls-files --cached --others --exclude-standard "$@"; }
mapfile -t product < <(files '*.[ch]' | grep -E '^(bpf|collector|symbolizer|store|report)/')
mapfile -t all < <(files '*.[ch]' '*.cc' '*.sh' '*.sql' '*.md' '*.js' '*.html' Makefile .ci | grep -v '^tests/lint/')

# Matches outside of comments and strings.
in_code() { # PATTERN FILE...
    awk '{ gsub(/"([^"\\]|\\.)*"/, ""); sub("//.*$", ""); print FILENAME ":" FNR ": " $0 }' "${@:2}" | grep -P "^[^:]+:[0-9]+: .*$1"
}

is 'no system, popen, strcpy, strcat, sprintf, gets, atoi' \
    "$(in_code '\b(system|popen|strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok|tmpnam|mktemp)\s*\(' "${product[@]}")" ''
is 'every open is O_CLOEXEC' \
    "$(in_code '(?<![a-z_>.])(open|openat|open64)\s*\((?!.*O_CLOEXEC).*\)' "${product[@]}" | grep -v '\.bpf\.c:')" ''
is 'every fopen says "e"' \
    "$(grep -nP '\bfopen\s*\((?!.*"[a-z+]*e[a-z+]*")' "${product[@]}" /dev/null)" ''
is 'no typedef of a struct' "$(in_code '\btypedef\s+(struct|union|enum)\b' "${product[@]}" | grep -v '^bpf/common/vmlinux.h:')" ''
is 'nothing is left to do' "$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${all[@]}")" ''

# A sentence that begins so has no subject that a reader can see.
mapfile -t commented < <(files '*.[ch]' '*.cc')
openers='(What|It|That|Whoever)\b'
is 'no sentence of a comment begins with what, it, that or whoever' \
    "$(grep -nP "^\s*// (.*[.:!?] )?$openers" "${commented[@]}" /dev/null)" ''
# The interpreter of call frame instructions is one switch over them.
long_functions() { awk 'FNR == 1 { start = 0 } /^\{/ { start = FNR } /^\}/ { if (start && FNR - start > 51) print FILENAME ":" start; start = 0 }' "$@"; }
is 'no function has more than 50 lines' "$(long_functions "${product[@]}" | grep -v '^symbolizer/unwind/unwind_cfa.c:')" ''
done_testing
