#!/bin/bash
# check: 300 s
# Command lines at random, of the commands that read: each ends soon, with an exit code from 0 to 4; one that fails prints one
# line; no output has control sequences of a terminal that were in the arguments. The seed is fixed: every run has the same lines.
. tests/tap.sh

build/tests/tools/make_sample "$TMP/s.db"
cd "$TMP" || exit 1
: >empty.db
mkdir folder.db
mkfifo fifo.db
echo text >text.db
head -c 9000 s.db >cut.db
ln -s s.db link.db

cat >lines.py <<'P'
import random, subprocess, sys, time

hearth, count, seconds, seed = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
choose = random.Random(seed)
numbers = "0 -1 +5 1e3 0x10 nan -inf 2147483648 4294967296 18446744073709551616 1, 1-, 3-1 .. 1ms..1us -5.. a..b".split()
times = ["now", "yesterday", "-1h", "+1h", "1h ago", "-999999999y", "25:00", "2026-02-30", "@", "@-1", "@99999999999999999"]
texts = ["", " ", "-", "--", "\u202eevil", "\x1b[31m", "a\nb", "%s%n", "A" * 5000, "*", "[a", "\\", ";", "=", "a=b=c", "store=s.db,pid=x"]
files = "s.db empty.db folder.db fifo.db text.db cut.db link.db missing.db /dev/zero /dev/full /proc/self/mem . none/out.svg out.none".split()
names = "cpu off-cpu json text svg top tree hist pprof otlp folded root nobody".split()
odd = numbers + times + texts + files + names
filters = "-i -f -o -e -p -t -u -G -C -Z --comm --bucket --since --until --threads --lines --no-inline --threads=1 --since=".split()
commands = {
    "report": (filters, []), "diff": (filters, ["s.db"]), "stat": (["-i", "-f"], ["s.db"]),
    "list": (["-p", "-i", "-e", "--since"], ["events", "probes", "store", "processes", "threads", "units", "users", "binaries", "usdt:libc"]),
    "sql": (["-i", "-f", "-H", "--no-header"], ["select 1", "select * from sample limit 3", "select * from stack limit 2", ";",
            "attach 'x.db' as y", "vacuum into 'v.db'", "create table t(a)", "select zeroblob(9)", "select * from none"]),
    "symbolize": (["-e", "-k", "--no-inline", "--stats", "--root", "-f"], ["0x1000", "zzz", "-"]),
    "unwind-rows": (["-x"], ["/bin/true", "/etc/passwd"]), "doctor": (["-x"], []), "nosuch": ([], []),
}

def line():
    command = choose.choice(list(commands))
    options, operands = commands[command]
    words = [command]
    for _ in range(choose.randrange(5)):
        if options and choose.random() < .65:
            words.append(choose.choice(options))
            if choose.random() < .85:
                words.append(choose.choice(odd))
        else:
            words.append(choose.choice(operands if operands and choose.random() < .6 else odd))
    return words

def faults(words):
    try:
        run = subprocess.run([hearth] + words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return ["does not end"]
    said = run.stderr.decode("utf-8", "replace").split("\n")[:-1]
    found = []
    if not 0 <= run.returncode <= 4:
        found.append("exit code %d" % run.returncode)
    if run.returncode and len(said) != 1:
        found.append("%d lines" % len(said))
    if any(not text.startswith("hearth: ") for text in said):
        found.append("a line that is not hearth's: %r" % said[:2])
    if b"\x1b" in run.stderr + run.stdout or "\u202e".encode() in run.stderr + run.stdout:
        found.append("an order to the terminal")
    return found

end, done = time.monotonic() + seconds, 0
while done < count and time.monotonic() < end:
    words = line()
    done += 1
    found = faults(words)
    if found:
        print([word[:60] for word in words], "; ".join(found))
print(done, file=sys.stderr)
P
sum=$(cksum <s.db)
python3 lines.py "$HEARTH" 600 60 1 >odd 2>count
is 'command lines at random end as the contract has it' "$(cat odd)" ''
ok 'there were some' test "$(cat count)" -gt 50
is 'the store is as it was' "$(cksum <s.db)" "$sum"
done_testing
