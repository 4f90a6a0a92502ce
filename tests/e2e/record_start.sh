#!/bin/bash
# What it takes to begin a recording.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
mkdir -m 700 "$TMP/cache"
export CACHE_DIRECTORY=$TMP/cache

# The caches are empty, so the kernel's types are read: a page fault for each 4 KiB of the file, and for each of its copy.
btf=$(stat -c %s /sys/kernel/btf/vmlinux 2>/dev/null || echo 0)
background "$HEARTH" record -a -d $ENDLESS -o "$TMP/record.db" 2>/dev/null
await recording "$TMP/record.db"
faults=$(awk '{ sub(/.*\) /, ""); print $8 }' /proc/$!/stat)
if grep -qF '[never]' /sys/kernel/mm/transparent_hugepage/enabled; then
    skip 'the types of the kernel are read into huge pages' 'this kernel gives none'
else
    ok "the types of the kernel are read into huge pages ($faults page faults)" test "$faults" -lt $((2 * btf / 4096))
fi
done_testing
