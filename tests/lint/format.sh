#!/bin/bash
# The code is as .clang-format has it (clang-format 14: other versions differ), and no text file has tabs or trailing blanks
# where .editorconfig forbids them.
# shellcheck source=tests/tap.sh
. tests/tap.sh

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.[ch]' '*.cc')
mapfile -t text < <(git ls-files --cached --others --exclude-standard '*.[ch]' '*.cc' '*.sh' '*.sql' '*.def' '*.md' '*.js' '*.css' '*.html')
if command -v clang-format-14 >/dev/null; then
    ok 'C and C++ are formatted (make fmt)' clang-format-14 --dry-run -Werror "${code[@]}"
else
    skip 'C and C++ are formatted (make fmt)' 'no clang-format 14, and other versions format otherwise'
fi
is 'no trailing blanks' "$(grep -nE '[[:blank:]]+$' "${text[@]}")" ''
is 'no tabs for indenting' "$(grep -nP '^ *\t' "${text[@]}")" ''
is 'no line of C over 120 columns' "$(awk 'length($0) > 120 { print FILENAME ":" FNR }' "${code[@]}")" ''
done_testing
