#!/bin/bash
# check: 600 s
# What a recording takes does not grow with the debug information it reads: that is read, and the names are made, in
# another process, and what comes back is mapped from the disk.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
export CACHE_DIRECTORY=$TMP/cache
mkdir "$TMP/cache"

# 300,000 functions with long names, from the program's code upwards: 85 MB of debug information, an index of 70 MB.
objcopy --strip-debug --remove-section=.note.gnu.build-id "$LOADS/nofp/leaves" "$TMP/small"
python3 - "$TMP" "$(nm "$TMP/small" | awk '$3 == "leaf_sixty" { print $1 }')" <<'PYTHON'
import struct, sys
folder, start = sys.argv[1], int(sys.argv[2], 16)
abbrevs = bytes([1, 0x11, 1, 3, 8, 0x11, 1, 0x12, 7, 0, 0, 2, 0x2e, 0, 3, 8, 0x11, 1, 0x12, 7, 0, 0, 0])
parts = [struct.pack('<HBBI', 5, 1, 8, 0), b'\1big.c\0' + struct.pack('<QQ', start, 16 * 300000)]
for i in range(300000):
    parts.append(b'\2%s_%d\0' % (b'a_name_as_long_as_those_of_templates_' * 6, i) + struct.pack('<QQ', start + 16 * i, 16))
body = b''.join(parts) + b'\0'
open(folder + '/abbrevs', 'wb').write(abbrevs)
open(folder + '/info', 'wb').write(struct.pack('<I', len(body)) + body)
PYTHON
objcopy --strip-all --add-section .debug_abbrev="$TMP/abbrevs" --add-section .debug_info="$TMP/info" "$TMP/small" "$TMP/big"
ok 'there is much debug information' test "$(stat -c %s "$TMP/big")" -gt 70000000

peak_kb() { # PROGRAM: of hearth itself, its workers not included
    "$HEARTH" record -F 499 -i 1 -o "$TMP/$1.folded" -- "$TMP/$1" 2 >/dev/null 2>"$TMP/$1.said" &
    local recorder=$! peak=0 now
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$recorder/status" 2>/dev/null) && [[ -n $now ]]; do
        peak=$now
        sleep 0.05
    done
    wait $recorder
    echo "$peak"
}
small=$(peak_kb small) big=$(peak_kb big)
echo "# $small KiB at most without debug information, $big KiB with it; $(tail -1 "$TMP/big.said")"
ok 'the small one is named' grep -q ';leaf_' "$TMP/small.folded"
ok 'the big one is named by its debug information' grep -q ';a_name_as_long' "$TMP/big.folded"
ok 'hearth has at most 16 MiB more with it' test $((big - small)) -le 16384
is 'nothing was too much for it' "$(grep -c names- "$TMP/big.said")" 0
done_testing
