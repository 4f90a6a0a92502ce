#!/bin/bash
# The suite itself: a test that waits for ever is ended with it, and cleans up; a package that is missing is a failure where
# the distribution has it.
. tests/tap.sh

# --- A tree with one test, whose make does nothing.
mkdir -p "$TMP/tree/tests/e2e" "$TMP/tree/tests/unit" "$TMP/scratch"
cp tests/run tests/tap.sh tests/apart.sh "$TMP/tree/tests"
printf '%%:\n\t@true\n' >"$TMP/tree/Makefile"
cat >"$TMP/tree/tests/e2e/hangs.sh" <<'END'
#!/bin/bash
. tests/tap.sh
background sleep 100000
echo "$! $$" >"$SAID"
wait
END
chmod +x "$TMP/tree/tests/e2e/hangs.sh"
gone() { for pid; do [[ ! -d /proc/$pid || $(awk '$1 == "State:" { print $2 }' "/proc/$pid/status") == Z ]] || return 1; done; }
for signal in TERM INT; do
    rm -f "$TMP/said"
    # A shell that is not interactive has its background commands ignore SIGINT.
    SAID=$TMP/said TMPDIR=$TMP/scratch background python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$TMP/tree/tests/run" >"$TMP/out"
    suite=$!
    await grep . "$TMP/said"
    read -r sleeper test <"$TMP/said"
    tap_children+=("$sleeper" "$test")
    kill -$signal "$suite"
    wait "$suite"
    is "SIG$signal ends the suite" $? 130
    ok "SIG$signal: and the test that runs, with what it started" await gone "$test" "$sleeper"
    is "SIG$signal: whose folder is removed" "$(ls "$TMP/scratch")" ''
    like "SIG$signal: it is said" "$(<"$TMP/out")" 'stopped  e2e/hangs'
done

# --- A test that fails once, and one that fails twice.
rm "$TMP/tree/tests/e2e/hangs.sh"
while read -r fails times; do
    cat >"$TMP/tree/tests/e2e/$fails.sh" <<END
#!/bin/bash
. tests/tap.sh
echo run >>"$TMP/$fails"
is 'it runs' \$((\$(wc -l <"$TMP/$fails") > $times)) 1
done_testing
END
    chmod +x "$TMP/tree/tests/e2e/$fails.sh"
done <<<$'once 1\ntwice 2'
CI='' AGAIN=1 "$TMP/tree/tests/run" once >"$TMP/out" 2>&1
is 'a second run may pass' "$? $(tail -1 "$TMP/out")" '0 2 passed, 0 failed, 0 skipped'
like 'which is said' "$(<"$TMP/out")" 'unsteady e2e/once: failed once, then passed'
like 'with what failed at first' "$(<"$TMP/out")" 'not ok 1 - it runs'
rm "$TMP/once"
CI='' AGAIN='' "$TMP/tree/tests/run" once >"$TMP/out" 2>&1
is 'where nobody asks for it there is none' "$? $(tail -1 "$TMP/out")" '1 1 passed, 1 failed, 0 skipped'
CI='' AGAIN=1 "$TMP/tree/tests/run" twice >"$TMP/out" 2>&1
is 'who fails twice has failed' "$? $(tail -1 "$TMP/out") $(wc -l <"$TMP/twice")" '1 1 passed, 1 failed, 0 skipped 2'

# --- apt-cache as it answers where a package is known, and where it is not.
mkdir "$TMP/bin"
printf '#!/bin/sh\nfor name; do case " $KNOWN " in *" $name "*) echo "$name | 1 | here";; esac; done\n' >"$TMP/bin/apt-cache"
chmod +x "$TMP/bin/apt-cache"
lacks_where() { (export KNOWN=$1 PATH=$TMP/bin:$PATH && lacks "$2"); }
is 'a package that apt knows' "$(lacks_where 'make golang-go' golang-go)" 'golang-go is not installed'
is 'one that this distribution lacks' "$(lacks_where 'make gcc' golang-go)" 'this distribution has no golang-go'
is 'one of several names' "$(lacks_where 'make chromium-browser' chromium)" 'chromium is not installed'
is 'without lists' "$(lacks_where '' golang-go)" 'golang-go is not installed'
done_testing
