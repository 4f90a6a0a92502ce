#!/bin/bash
# Who may include whom. A rule is a folder and what its files may include of ours; and a library's header and the one
# folder that may include it. bpf/*.h and bpf/*.def are agreed between both sides and stand on nothing but each other.
. tests/tap.sh

files() { git ls-files --cached --others --exclude-standard "$@"; }

# `FILE: "INCLUDED"` of each of our own includes in the files given.
ours() { grep -oHE '^ *# *include "[^"]+"' "$@" /dev/null | sed -E 's/: *# *include /: /'; }

# Prints the includes that are not allowed.
strangers() { # PATTERN FILE...
    local allowed=$1
    shift
    [[ $# -eq 0 ]] || ours "$@" | grep -vE ": \"($allowed)" || true
}

mapfile -t bpf_headers < <(files 'bpf/*.h' 'bpf/*.def')
mapfile -t bpf_programs < <(files 'bpf/*.bpf.c')
mapfile -t base < <(files 'store/base/*.[ch]')
mapfile -t store < <(files 'store/*.[ch]' | grep -v '^store/base/')
mapfile -t symbolizer < <(files 'symbolizer/*.[ch]')
mapfile -t report < <(files 'report/*.[ch]')
mapfile -t collector < <(files 'collector/*.[ch]')

is 'bpf/ includes bpf/ alone' "$(strangers 'bpf/' "${bpf_headers[@]}" "${bpf_programs[@]}")" ''
is 'store/base includes itself alone' "$(strangers 'store/base/' "${base[@]}")" ''
is 'store includes store, and the lists of bpf' "$(strangers 'store/|bpf/[a-z_]+\.def' "${store[@]}")" ''
is 'symbolizer includes base, the unwind rows and the lists of bpf' \
    "$(strangers 'symbolizer/|store/base/|bpf/unwind|bpf/[a-z_]+\.def' "${symbolizer[@]}")" ''
is 'report includes store, symbolizer, and the lists of bpf' "$(strangers 'report/|store/|symbolizer/|bpf/[a-z_]+\.def' "${report[@]}")" ''
is 'collector includes only the doors of report: report.h, its histograms and output, and the commands' \
    "$(strangers 'collector/|store/|symbolizer/|bpf/|report/(report|histogram|output|cmd_[a-z_]+)\.h"' "${collector[@]}")" ''

# Relative includes hide who is meant.
mapfile -t all < <(files '*.[ch]' '*.cc')
is 'includes are written from the root' "$(ours "${all[@]}" | grep -vE ': "[a-z]+/' || true)" ''

mapfile -t product < <(files '*.[ch]' | grep -v '^tests/')
only_in() { # FOLDER HEADER-PATTERN
    grep -lE "^ *# *include <($2)>" "${product[@]}" /dev/null | grep -vE "^$1/" || true
}
is 'sqlite3.h is included in store/ only' "$(only_in store 'sqlite3(ext)?\.h')" ''
is 'libdw is included in symbolizer/ only' "$(only_in symbolizer 'elfutils/.*|dwarf\.h|libdw.*')" ''
is 'libbpf is included in collector/ only' "$(only_in '(collector|bpf)' 'bpf/.*')" ''
done_testing
