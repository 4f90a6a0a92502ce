#!/bin/bash
# Holds our own DWARF reader and libdw against each other over every program and library with debug information below the
# folders given, or else over all that is installed: at 20,000 addresses of each, both must say the same, or the difference
# must stand in two_readers.table. Prints how many binaries would count as names-partial with our own reader alone, and how
# many do, since libdw is asked about the units that it refuses. Exit code 1: a difference that is not explained.
#
# READERS_FILES, READERS_BYTES, READERS_SECONDS: a sample, of so many files at most, spread over all, none larger, in that time.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
most=${READERS_FILES:-1000000} bytes=${READERS_BYTES:-1000000000} seconds=${READERS_SECONDS:-7200}
[[ $# -gt 0 ]] || set -- /usr /opt /root /home

mapfile -t files < <(python3 tests/bench/with_debug.py -m "$bytes" "$@" 2>/dev/null)
count=${#files[@]} chosen=()
for ((i = 0; i < count && i < most; i++)); do
    chosen+=("${files[count > most ? i * count / most : i]}")
done
[[ $count -gt 0 ]] || { echo 'two readers: no file with debug information'; exit 0; }

printf '%s\0' "${chosen[@]}" | timeout "$seconds" xargs -0 -n 20 "${O:-build}/tests/bench/two_readers" -v |
    awk -v table=tests/bench/two_readers.table '
function pattern(glob) { gsub(/[.]/, "[.]", glob); gsub(/\*/, ".*", glob); return "^" glob "$" }
function judge(what, value, i) {
    if (value == 0) return
    differ += what == "refused" ? 0 : value
    for (i = 1; i <= rows; i++)
        if (file ~ glob[i] && class[i] == what && (limit[i] == "-" || value <= limit[i])) { explained[why[i]]++; return }
    unexplained++
    printf "%s: %s %d is not in two_readers.table\n%s", file, what, value, detail
    detail = ""
}
BEGIN {
    while ((getline line < table) > 0) {
        if (line ~ /^#/ || split(line, word, " ") < 4) continue
        rows++; glob[rows] = pattern(word[1]); class[rows] = word[2]; limit[rows] = word[3]
        sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "", line); why[rows] = line
    }
}
/^  / { detail = detail $0 "\n"; next }
/: refused [0-9]+ [0-9]+, left [0-9]+, asked/ {
    match($0, /: refused [0-9]+ [0-9]+, left /)
    file = substr($0, 1, RSTART - 1); split(substr($0, RSTART + 2), field, /[ ,]+/)
    # refused A B left C asked N equal N names N lines N lengths N ours N libdw N
    # A reader that refuses units differs for that reason: patterns see it behind the name.
    if (field[2] > field[3]) file = file "@ours-refuses"
    if (field[3] > field[2]) file = file "@libdw-refuses"
    files++; asked += field[7]; ours += field[2] > 0; both += field[5] > 0
    judge("refused", field[2] > field[3] ? field[2] - field[3] : field[3] - field[2])
    for (i = 10; i <= 18; i += 2) judge(field[i], field[i + 1])
    detail = ""; next
}
{ print; unexplained++ }
END {
    for (reason in explained) printf "explained in %d files: %s\n", explained[reason], reason
    printf "two readers: %d files, %.0f addresses, %.0f answers differ, %d differences not explained; names-partial: %d binaries with our own reader alone, %d with libdw\n", files, asked, differ, unexplained, ours, both
    exit unexplained > 0
}'
status=("${PIPESTATUS[@]}")
[[ ${status[1]} != 124 ]] || echo 'two readers: the time is up; the rest was not read'
exit "${status[2]}"
