#!/bin/bash
# check: 600 s, alone
# A storm of processes that live for 5 ms each: at least 95 % of its samples are whole and named, followed from the
# command as well as seen in the whole machine, and there are as many of them as its CPU time makes.
. tests/tap.sh

[[ $(id -u) == 0 ]] || skip_all 'recording takes root'

cp "$LOADS/nofp/storm" "$TMP/storm$$" # a name of its own: others may be running the same load
samples() { awk '{ n += $NF } END { print n + 0 }'; }

# The storm's own samples, and those of them without a mark of a broken stack and without a nameless frame.
check() { # WHAT
    grep "^storm$$;" "$TMP/out.folded" >"$TMP/own"
    local all good
    all=$(samples <"$TMP/own")
    good=$(grep -vE '^[^;]*;\[(truncated|unwind: [^]]*|stack lost)\]|\[unknown\]|\[[^];]*\+0x' "$TMP/own" | samples)
    echo "# $1: $(truth "$TMP/truth" processes) processes, $all samples, $good whole and named"
    ok "$1: there are samples of it" test "$all" -ge 300
    if [[ $((100 * good)) -ge $((95 * all)) ]]; then
        pass "$1: at least 95 % of the samples are whole and named"
    else
        fail "$1: at least 95 % of the samples are whole and named" "$good of $all" "$(<"$TMP/log")" \
            "$(grep -E '\[(truncated|unwind|stack lost|unknown)|\+0x' "$TMP/own" | head -8 | cut -c 1-240)"
    fi
    ok "$1: and so are those of the short lives" test \
        "$(grep -cE '^storm[0-9]+;_start;__libc_start_main[^;]*;([^;]*;)?main;short_life;short_leaf' "$TMP/own")" -ge 1
    # A life of 5 ms begins and ends anywhere between two samples: chance moves their number by its root, here three of it.
    within "$1: as many as its CPU time makes, within 10 %, chance and what was stolen meanwhile" "$all" \
        "$(awk -v ns="$(truth "$TMP/truth" cpu_ns)" 'BEGIN { print ns * 997 / 1e9 }')" \
        "$(awk -v n="$all" -v stolen="$(($(stolen_ns) - stolen))" 'BEGIN { print n / 10 + 3 * sqrt(n) + stolen * 997 / 1e9 }')"
}

stolen=$(stolen_ns)
"$HEARTH" record -F 997 -o "$TMP/out.folded" -- "$TMP/storm$$" 3 >"$TMP/truth" 2>"$TMP/log"
check 'a command'
stolen=$(stolen_ns)
"$HEARTH" record -F 997 -a -o "$TMP/out.folded" -- "$TMP/storm$$" 3 >"$TMP/truth" 2>"$TMP/log"
check 'the whole machine'
# The code that gcc and glibc link to every program has no call frame information: at each first instruction, where page
# faults hit it, the return address is on top.
rule_at() { # FILE FUNCTION: the rule that unwinds the function's first instruction
    "$HEARTH" unwind-rows "$1" | awk -v at="$(nm "$1" | awk -v name="$2" '$3 == name { print $1 }')" '$1 "" > at "" { exit } { rule = $2 " " $4 } END { print rule }'
}
echo 'int main(void) { return 0; }' >"$TMP/crt.c"
for kind in -pie -no-pie; do
    gcc ${kind/-/-f} $kind -o "$TMP/crt$kind" "$TMP/crt.c"
    rules=$(for name in _init _fini deregister_tm_clones register_tm_clones __do_global_dtors_aux frame_dummy; do
        rule_at "$TMP/crt$kind" $name
    done | sort | uniq -c | tr -s ' ')
    is "$kind: code of the C runtime has rows" "$rules" ' 6 rsp+8 c-8'
done
done_testing
