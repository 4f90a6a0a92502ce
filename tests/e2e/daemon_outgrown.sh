#!/bin/bash
# check: 600 s, long
# The daemon keeps the file of each binary open, for names. When it comes to keep more than half of the descriptors that
# it may have, it begins another recording: the files are let go, and sampling goes on.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
printf 'event = cpu\nfreq = 199\ninterval = 500ms\nmax-cpu = 100%%\n' >"$TMP/hearth.conf"
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
said() { grep -qF 'it ends, and another one begins' "$TMP/said"; }
descriptors() { find /proc/$daemon/fd -type l -lname "$TMP/bin/*" 2>/dev/null | wc -l; }
samples() { sql "SELECT coalesce(sum(samples), 0) FROM sample WHERE comm = 'last'"; }
is_seen() { [[ $(samples) -gt 0 ]]; }
begun() { [[ $(sql 'SELECT count(*) FROM interval') -gt 0 ]]; }

(ulimit -n 600 && exec "$HEARTH" daemon -c "$TMP/hearth.conf" -o "$home" 2>"$TMP/said") &
daemon=$!
tap_children+=("$daemon")
await begun
mkdir "$TMP/bin"
# The build id stands 16 bytes into its section.
id_at=$((16 + 0x$(readelf -SW "$LOADS/nofp/burn" | awk '{ for (i = 1; i <= NF; i++) if ($i == ".note.gnu.build-id") print $(i + 3) }')))
# Each is a binary of its own, that is removed once it has run.
run_another() {
    cp "$LOADS/nofp/burn" "$TMP/bin/b$1"
    printf '%08d' "$1" | dd of="$TMP/bin/b$1" bs=1 seek=$id_at conv=notrunc status=none
    "$TMP/bin/b$1" 1 0.1 >/dev/null
    rm "$TMP/bin/b$1"
}
most=0
for ((i = 0; i < 1200; i++)); do
    run_another $i
    now=$(descriptors)
    ((now > most)) && most=$now
    ! said || break
done
ok "it says that it begins another recording (after $i binaries)" await said
ok 'of many files it kept the descriptors until then' test "$most" -ge 20
cp "$LOADS/nofp/burn" "$TMP/last"
background "$TMP/last" 1 $ENDLESS
ok 'which goes on' await is_seen
ok "and has let the files go" test "$(descriptors)" -lt $((most / 2))
kill $daemon
wait $daemon
is 'it ends well' $? 0
done_testing
