#!/bin/bash
# check: 900 s
# The daemon and its processes keep the capabilities of privileges.def alone, as its unit does, run no program, and do with
# that all they are for: events that a reload brings, recordings beside, upkeep, names of other users' programs.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'
home=$TMP/home
conf=$TMP/hearth.conf
said() { grep -qE "$1" "$TMP/said"; }
sql() { "$HEARTH" sql -i "$home" "$1" 2>/dev/null; }
status() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; } # PID FIELD
child() { pgrep -P "$daemon" -x "$1"; }
write() { { printf 'freq = 199\ninterval = 1s\nmax-cpu = 100%%\n'; printf '%s\n' "$@"; } >"$conf"; }
has() { [[ $(sql "SELECT sum(samples) FROM total WHERE event = (SELECT id FROM event WHERE name = '$1')") -gt 0 ]]; }
has_values() { [[ $(sql "SELECT sum(count) FROM histogram WHERE event = '$1'") -gt 0 ]]; }

# The mask of a list of names, by the kernel's header.
mask() {
    awk 'NR == FNR { wanted["CAP_" $1]; next } /^#define CAP_[A-Z_]+ +[0-9]+/ && ($2 in wanted) { found[$3]; n++ }
        END { for (digit = 15; digit >= 0; digit--) { value = 0; for (bit = 0; bit < 4; bit++) if ((digit * 4 + bit) in found) value += 2 ^ bit
            printf "%x", value } }' <(printf '%s\n' "$@" | sed 's/^CAP_//') <(cpp -dM -include linux/capability.h /dev/null 2>/dev/null)
}
mapfile -t list < <(sed -nE 's/^CAPABILITY\((CAP_[A-Z_]+),.*/\1/p' collector/daemon/privileges.def)
mapfile -t unit < <(sed -n 's/^CapabilityBoundingSet=//p' packaging/hearth.service | tr ' ' '\n')
is 'the unit names those that the daemon keeps' "$(printf '%s\n' "${unit[@]}" | sort | xargs)" "$(printf '%s\n' "${list[@]}" | sort | xargs)"
before=$(status self CapEff)
wanted=$(printf '%016x' $((0x$(mask "${list[@]}") & 0x$before)))
ok 'the list is not empty' test "${#list[@]}" -gt 5

background setpriv --reuid nobody --regid nogroup --clear-groups -- "$LOADS/nofp/burn" 1 $ENDLESS >/dev/null
burn=$!
write 'event = cpu' 'hist = runq'
"$HEARTH" daemon -c "$conf" -o "$home" --control "$TMP/socket" 2>"$TMP/said" &
daemon=$!
tap_children+=("$daemon")
ok 'it records' await has cpu
for field in CapEff CapPrm CapBnd; do is "the daemon: $field" "$(status $daemon $field)" "$wanted"; done
is 'the daemon: nothing is inherited or ambient' "$(status $daemon CapInh) $(status $daemon CapAmb)" '0000000000000000 0000000000000000'
is 'the daemon: no_new_privs and a filter' "$(status $daemon NoNewPrivs) $(status $daemon Seccomp)" '1 2'
threads=0
for task in /proc/$daemon/task/*; do
    [[ $(awk '/^(CapEff|Seccomp):/ { printf "%s ", $2 }' "$task/status") == "$wanted 2 " ]] || threads=$((threads + 1))
done
is 'so has each of its threads' $threads 0
for who in hearth-upkeep hearth-starter; do
    is "$who: the same capabilities" "$(status "$(child $who)" CapEff) $(status "$(child $who)" CapBnd) $(status "$(child $who)" NoNewPrivs)" "$wanted $wanted 1"
done
is 'the opener: no program is run either' "$(status "$(child hearth-opener)" Seccomp)" 2

# --- What it is for
write 'event = cpu' 'event = page-faults' 'event = off-cpu' 'event = tracepoint:sched:sched_switch' 'hist = runq' 'hist = syscall:read'
kill -HUP $daemon
for event in page-faults off-cpu tracepoint:sched:sched_switch; do ok "a reload brings $event" await has $event; done
ok 'and a histogram' await has_values syscall:read
is 'all of them' "$(grep -c 'cannot' "$TMP/said")" 0
is_named() { "$HEARTH" report -i "$home" -e cpu --comm burn -f folded 2>/dev/null | grep -q ';thread_main;burn'; }
# Naming has the lowest priority: beside a load it waits for its turn.
AWAIT_S=600 ok 'programs of other users have names' await is_named
ok 'the cost of the BPF programs is known' test "$(sql 'SELECT sum(own_bpf_ns) FROM interval')" -gt 0
(cd "$TMP" && "$HEARTH" daemon --control "$TMP/socket" --ask "record -p $burn -F 199 -d 2" >"$TMP/asked" 2>&1)
is 'a recording beside ends well' $? 0
store=$(find "$home/incidents" -name '*.db' | head -1)
ok 'and has samples' test "$("$HEARTH" sql -i "$store" 'SELECT sum(samples) FROM total' 2>/dev/null)" -gt 0
kept=$(find "$home" -name '*.db' -user root | wc -l)
ok 'the stores are root'"'"'s' test "$kept" -gt 1
kill $daemon
wait $daemon
is 'it ends as ever' $? 0
is 'with all of its processes' "$(pgrep -c -f -- "-o $home")" 0

# --- A directory of another user
install -d -o nobody -m 700 "$TMP/theirs"
background "$HEARTH" daemon -c "$conf" -o "$TMP/theirs" 2>"$TMP/said"
home=$TMP/theirs
ok 'a directory of another user is written to' await has cpu
done_testing
