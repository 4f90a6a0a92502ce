#!/bin/bash
# check: 600 s
# `hearth top` on a pseudo terminal: what it shows of a known load, its keys, its sizes, its ends.
# shellcheck source=tests/tap.sh
. tests/tap.sh

load="top$$"
cp "$LOADS/nofp/burn" "$TMP/$load"
background "$TMP/$load" 1 $ENDLESS
pid=$!
await runs $pid "$TMP/$load"

# Runs the lines of python on stdin; they have `Terminal`, HEARTH and PID, and say what is not so.
on_terminal() { # NAME
    { printf 'import os, re, signal, subprocess, sys, time\nsys.path.insert(0, "tests/e2e")\nfrom top_terminal import Terminal\nHEARTH, PID, TMP = %s\n' \
        "\"$HEARTH\", $pid, \"$TMP\"" && cat && printf 'print("good")\n'; } >"$TMP/script.py"
    is "$1" "$(python3 "$TMP/script.py" 2>&1 | tail -40)" good
}

on_terminal 'the function that spins is on top, with the share that a recording has of it' <<'P'
record = subprocess.Popen([HEARTH, "record", "-F", "499", "-p", str(PID), "-d", "9", "-o", TMP + "/r.folded"], stderr=subprocess.DEVNULL)
with Terminal([HEARTH, "top", "-F", "499", "-p", str(PID)]) as top:
    top.wait(lambda s: int(re.search(r"; (\d+) s: ", s[0])[1]) >= 8, "eight seconds")
    row = top.wait(lambda s: s[3].split()[3] == "burn", "burn is on top")[3]
    top.keys("q")
    assert top.end() == 0 and top.is_restored() and not top.screen.odd, top.screen.odd
record.wait()
sums = [(line.rsplit(" ", 1)[0].split(";")[-1], int(line.rsplit(" ", 1)[1])) for line in open(TMP + "/r.folded")]
share = 100 * sum(n for name, n in sums if name == "burn") / sum(n for _, n in sums)
shown = float(row.split("%")[0])
assert abs(shown - share) < 12, "%s, recorded %.2f" % (row, share)
P

on_terminal 'the keys' <<'P'
def names(screen):
    return [line.split(None, 3)[3] for line in screen[3:-1] if line]

with Terminal([HEARTH, "top", "-p", str(PID)]) as top:
    top.wait(lambda s: names(s)[0].startswith("burn "), "by function")
    assert "lost or cut: " in top.lines()[1] and "99 Hz" in top.lines()[0] and "function, by self" in top.lines()[2]
    top.keys("2")
    top.wait(lambda s: re.fullmatch(r"100.00% 100.00% +[\d,]+ +top\d+-" + str(PID), s[3].strip()) and not s[4], "by process")
    top.keys("3")
    top.wait(lambda s: "unit, by self" in s[2] and "100.00%" in s[3] and not s[4], "by unit")
    top.keys("s")
    top.wait(lambda s: any(n.startswith("burn < ") for n in names(s)), "by stack")
    top.keys("1>")
    top.wait(lambda s: "function, by total" in s[2] and float(s[3].split()[1][:-1]) >= float(s[4].split()[1][:-1]), "by total")
    top.keys(">")
    top.wait(lambda s: "by name" in s[2] and names(s) == sorted(names(s)), "by name")
    top.keys("r")
    top.wait(lambda s: "by name, reversed" in s[2] and names(s) == sorted(names(s), reverse=True), "reversed")
    top.keys(">/BUR")
    top.wait(lambda s: s[-1].startswith("filter: BUR_"), "the filter is typed")
    top.keys("\r")
    top.wait(lambda s: "filter: BUR;" in s[1] and all("bur" in n.lower() for n in names(s)), "the filter")
    top.keys("\r")
    top.wait(lambda s: s[2].endswith("BELOW burn") and names(s)[0].startswith("burn "), "the tree below the row")
    top.keys("\x1b")
    top.wait(lambda s: "function, by self" in s[2] and len(names(s)) > 1, "back")
    top.keys("2\r")
    tree = top.wait(lambda s: "BELOW top" in s[2] and any(n.startswith("burn ") for n in names(s)), "the tree below the process")
    assert max(float(line.split()[1][:-1]) for line in tree[3:-1] if line) == 100, tree # by self: the root may stand below
    top.keys("1 ")
    top.wait(lambda s: s[0].endswith("[frozen]"), "frozen")
    top.keys("/")
    frozen = top.wait(lambda s: s[-1].startswith("filter: _"), "the last line, which is drawn last")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        top.read(0.2)
    assert top.lines() == frozen, top.lines()
    top.keys("\x1b")
    top.wait(lambda s: s[-1].startswith("1 func"), "no filter")
    top.keys(" ")
    top.wait(lambda s: "[frozen]" not in s[0] and s != frozen, "and on")
    top.keys("h")
    top.wait(lambda s: any("the tree below the row" in line for line in s), "help")
    top.keys("hq")
    assert top.end() == 0 and top.is_restored() and not top.screen.odd, top.screen.odd
P

on_terminal 'every size' <<'P'
with Terminal([HEARTH, "top", "-p", str(PID)]) as top:
    top.wait(lambda s: " burn" in s[3], "by function")
    for rows, columns in ((12, 40), (50, 200), (24, 80), (5, 20), (2, 3), (1, 1), (24, 80)):
        top.resize(rows, columns)
        if rows >= 5:
            top.wait(lambda s: s[0].startswith("hearth top") and s[2].startswith("  SELF%") and "%" in s[3] and len(s) == rows and s[-1].startswith("1 func") and
                all(len(line) < columns or line.endswith("…") or columns >= 76 for line in s[:1] + s[2:3] + s[-1:]), "%d x %d" % (rows, columns))
    top.keys("q")
    assert top.end() == 0 and top.is_restored() and not top.screen.odd, top.screen.odd
P

on_terminal 'each end gives the terminal back, and leaves no store' <<'P'
ends = (("^C", lambda top: top.keys("\x03"), 0), ("SIGTERM", lambda top: os.kill(top.pid, signal.SIGTERM), 0),
        ("SIGHUP", lambda top: os.kill(top.pid, signal.SIGHUP), 0), ("^\\", lambda top: top.keys("\x1c"), -signal.SIGQUIT),
        ("SIGSEGV", lambda top: os.kill(top.pid, signal.SIGSEGV), -signal.SIGSEGV))
for name, end, code in ends:
    with Terminal([HEARTH, "top", "-p", str(PID)]) as top:
        top.wait(lambda s: "samples" in s[0], name)
        stores = set()
        for entry in os.scandir("/proc/%d/fd" % top.pid):
            try:
                path = os.readlink(entry.path)
            except FileNotFoundError:
                continue
            if "/recording.db" in path:
                stores.add(os.path.dirname(path))
        end(top)
        assert top.end() == code, (name, top.code)
        assert top.is_restored(), name
        assert len(stores) == 1, stores
        if code == 0:
            assert not os.path.exists(*stores), stores
        else:
            subprocess.run(["rm", "-r", *stores])
with Terminal([HEARTH, "top", "-d", "2", "-p", str(PID)]) as top:
    assert top.end() == 0 and top.is_restored()
P

on_terminal 'a command, its words and its exit code' <<'P'
with Terminal([HEARTH, "top", "--", "sh", "-c", "echo OUT; echo ERR >&2; read x; sleep 2; exit 7"]) as top:
    assert top.end() == 7 and top.is_restored()
    assert b"OUT" not in top.bytes.replace(b"echo OUT", b"") and b"ERR" not in top.bytes.replace(b"echo ERR", b"")
with Terminal([HEARTH, "top", "--", "./no-such-program"]) as top:
    assert top.end() == 1 and top.is_restored()
    assert any("cannot run './no-such-program'" in line for line in top.lines()), top.lines()
P

on_terminal 'what hearth says meanwhile does not write over the picture, and is said again at the end' <<'P'
second = subprocess.Popen(["sleep", "1000"])
with Terminal([HEARTH, "top", "-p", "%d,%d" % (PID, second.pid)]) as top:
    top.wait(lambda s: "samples" in s[0], "it runs")
    second.kill()
    second.wait()
    said = "hearth: PID %d has exited" % second.pid
    top.wait(lambda s: s[-1].startswith(said) and s[0].startswith("hearth top"), "the last line")
    before = top.bytes
    top.keys("q")
    assert top.end() == 0
    assert said.encode() in top.bytes[len(before):], top.bytes[len(before):]
P

# --- Names of strangers: a function, a thread, a file.
evil=$'\e]0;own\a\e[31m\x9b2J\e[99;1Hx\u202e\u6f22'
cp "$LOADS/nofp/hostile" "$TMP/h.elf"
objcopy --redefine-sym "function_whose_name_a_test_replaces=$evil" "$TMP/h.elf" "$TMP/$evil"
background "$TMP/$evil" "$evil"
victim=$!
await runs $victim "$TMP/$evil"
pid=$victim on_terminal 'no byte of a name is a command to the terminal' <<'P'
for locale in "C.UTF-8", "C":
    with Terminal([HEARTH, "top", "-p", str(PID)], env={"LC_ALL": locale}) as top:
        top.wait(lambda s: any(r"\x1b]0;own\x07\x1b[31m" in line for line in s[3:]), "the function")
        top.keys("2")
        top.wait(lambda s: r"\x1b]0;own\x07\x1b" in s[3], "the process")
        top.keys("4\r")
        top.wait(lambda s: "BELOW" in s[2] and r"\x1b]0;own\x07" in s[2] + s[3] + s[4], "the stack")
        top.keys("q")
        assert top.end() == 0 and not top.screen.odd, top.screen.odd
        assert b"\x1b]" not in top.bytes and b"\xe2\x80\xae" not in top.bytes
        assert locale != "C" or all(byte < 0x80 for byte in top.bytes)
P

on_terminal 'filters of stacks' <<'P'
with Terminal([HEARTH, "top", "-p", str(PID), "--focus", "^burn$", "--hide", "^burn$"]) as top:
    top.wait(lambda s: "samples" in s[0] and "%" in s[3], "it runs")
    assert not any(re.search(r" burn\b", line) for line in top.lines()[3:-1]), top.lines()
with Terminal([HEARTH, "top", "-p", str(PID), "--ignore", "."]) as top:
    top.wait(lambda s: "0 samples" in s[0] and "nothing yet" in s[3], "nothing is left")
P

# --- Wrong use: said in a line, and the terminal is as it was.
"$HEARTH" top -p $pid >"$TMP/out" 2>"$TMP/err" </dev/null
is 'without a terminal: wrong usage' "$? $(wc -c <"$TMP/out")" '2 0'
like 'and what to do' "$(cat "$TMP/err")" '^hearth: top draws on a terminal, .*hearth record .*$'
on_terminal 'on a terminal' <<'P'
for options, env, code, words in ((["--focus", "("], {}, 2, "'('"), (["-e", "no-such"], {}, 2, "no-such"), ([], {"TERM": "no-such-terminal"}, 2, "no-such-terminal"),
                                  (["-p", "4194303999"], {}, 2, "4194303999"), (["-F", "0"], {}, 2, "")):
    with Terminal([HEARTH, "top", "-p", str(PID), *options], env=env) as top:
        assert top.end() == code, (options, top.code, top.lines())
        assert top.is_restored() and any(words in line for line in top.lines()), top.lines()
P
done_testing
