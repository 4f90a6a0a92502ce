#!/bin/bash
# check: 600 s
# The daemon on a disk that is full, that takes no longer file, and that fails and is replaced: it goes on each time, counts
# what it could not store, and loses no more than that, by a program's own count of its calls. A copy of the directory as it
# is at any moment opens.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
disk=$TMP/disk
home=$disk/home
cp "$LOADS/nofp/hits" "$TMP/hits" # a file of its own: other tests run that one, and the daemon counts all processes
hit="uprobe:$TMP/hits:hit"
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
count() { sql 'SELECT coalesce(sum(samples), 0) FROM sample'; }
lost() { sql "SELECT coalesce(sum(count), 0) FROM loss WHERE name = 'not-stored'"; }
said() { grep -qE "$1" "$TMP/said"; }
intervals() { sql 'SELECT count(*) FROM interval WHERE end_ns > start_ns'; }
has() { [[ $(intervals) -gt $1 ]]; }
goes_on() { # WORDS
    local before
    before=$(intervals)
    ok "$1" await has $((${before:-0} + 2))
}
start() {
    "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said" &
    daemon=$!
    tap_children+=("$daemon")
    await has 0
    "$TMP/hits" 0 2 >"$TMP/truth" &
    hits=$!
    tap_children+=("$hits")
    await has 3
}
end() {
    kill $hits
    wait $hits
    calls=$(truth "$TMP/truth" calls)
    has_all() { [[ $(($(count) + $(lost))) -ge $calls ]]; }
    await has_all
}

printf 'event = %s\ninterval = 500ms\nmax-cpu = 100%%\nkeep-bytes = 8M\n' "$hit" >"$TMP/hearth.conf"
mkdir "$disk"
mount -t tmpfs -o size=80M hearth-test "$disk" || skip_all 'this kernel mounts no tmpfs here'
at_exit "umount -l '$disk' 2>/dev/null"
start

# --- Copied at any moment: all at once, as a power cut leaves it
wrong=''
for turn in 1 2 3 4 5; do
    mapfile -t processes < <(echo $daemon; pgrep -P $daemon)
    before=$(intervals)
    await has "$before"
    kill -STOP "${processes[@]}"
    before=$(sqlite3 "file:$(ls "$home"/*.full.*.db)?mode=ro" 'SELECT count(*) FROM interval')
    cp -a "$home" "$TMP/copy.$turn"
    kill -CONT "${processes[@]}"
    "$HEARTH" report -i "$TMP/copy.$turn" -f folded -o "$TMP/folded" 2>/dev/null || wrong+="$turn: no report "
    [[ $("$HEARTH" sql -i "$TMP/copy.$turn" 'SELECT count(*) FROM interval' 2>/dev/null) -ge $before ]] || wrong+="$turn: an interval is gone "
    for file in "$TMP/copy.$turn"/*.db; do
        [[ $(sqlite3 "$file" 'PRAGMA integrity_check') == ok ]] || wrong+="$turn: ${file##*/} is not whole "
    done
done
is 'a copy of the directory opens, whole' "$wrong" ''

# --- Full
fill() { dd if=/dev/zero of="$disk/fill" bs=64k status=none 2>/dev/null; dd if=/dev/zero of="$disk/fill.2" bs=4k status=none 2>/dev/null; }
filled() { fill; said 'samples wait in memory'; }
# Beside a reader each interval makes the WAL longer.
background python3 -c 'import sqlite3, sys, time
database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, isolation_level=None)
database.execute("BEGIN")
database.execute("SELECT count(*) FROM interval").fetchone()
time.sleep(100000)' "$(ls "$home"/*.full.*.db)"
ok 'a full disk is said' await filled
kill $!
wait $! 2>/dev/null
rm "$disk"/fill*
goes_on 'there is room again, and it goes on'

# --- A limit on what may be written: every write fails with EFBIG
prlimit --pid $daemon --fsize=4096:unlimited
ok 'writes that fail are said' await said 'cannot (write|create) .*File too large'
prlimit --pid $daemon --fsize=unlimited:unlimited
goes_on 'they succeed again, and it goes on'

end
is 'each call is stored, or counted as not stored' "$(($(count) + $(lost)))" "$calls"
kill -TERM $daemon
wait $daemon
is 'the daemon has gone on all the time, and ends well' $? 0
for file in "$home"/*.db; do is "${file##*/} is whole" "$(sqlite3 "$file" 'PRAGMA integrity_check')" ok; done
umount "$disk"

# --- A file system that fails takes nothing any more (EROFS, EIO), until it is replaced by another one
truncate -s 128M "$TMP/image.1" "$TMP/image.2"
make_disk() { mkfs.ext4 -q -O ^has_journal "$1" && mount -o loop,errors=remount-ro "$1" "$disk" 2>/dev/null; }
if ! make_disk "$TMP/image.1"; then
    skip 'a file system fails' 'this kernel mounts no ext4 from a file here'
else
    device=$(findmnt -no SOURCE "$disk")
    start
    echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
    ok 'a file system that fails is said' await said 'cannot write .*(Read-only file system|Input/output error)'
    umount -l "$disk"
    make_disk "$TMP/image.2"
    mkdir "$home"
    goes_on 'another one stands in its place, and it goes on there'
    kill $hits
    wait $hits
    kill -TERM $daemon
    wait $daemon
    is 'ends well' $? 0
    ok 'what could not be stored is counted' test "$(lost)" -gt 0
    for file in "$home"/*.db; do is "${file##*/} is whole" "$(sqlite3 "$file" 'PRAGMA integrity_check')" ok; done
    umount "$disk"
fi
done_testing
