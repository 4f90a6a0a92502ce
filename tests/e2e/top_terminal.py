"""Runs a command on a pseudo terminal of so many rows and columns, as an xterm shows it.

    with Terminal(["build/hearth", "top"], 24, 80) as top:
        top.wait(lambda screen: "hearth top" in screen[0])     # until it holds, or fails
        top.keys("2")
        top.end()                                              # the exit code; the screen is the one before
"""
import codecs, fcntl, os, pty, re, select, signal, struct, sys, termios, time, unicodedata

LIMIT_S = 90
SEQUENCE = re.compile(r"\x1b\[([?>]?)([\d;]*)([@-~])|\x1b([()].|[=>78MDEHc])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """The cells. What an xterm would do to anything but the cells is counted in `odd`."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.last = " "
        self.odd = []
        self.top, self.bottom = 0, rows - 1  # of the part that scrolls
        self.modes, self.unset = set(), set()

    def resize(self, rows, columns):
        cells = [[" "] * columns for _ in range(rows)]
        for old, new in zip(self.cells, cells):
            new[: min(columns, len(old))] = old[:columns]
        self.rows, self.columns, self.cells = rows, columns, cells
        self.top, self.bottom = 0, rows - 1
        self.row, self.column = min(self.row, rows - 1), min(self.column, columns - 1)

    def scroll(self, row, by):
        for _ in range(abs(by)):
            self.cells.pop(row if by > 0 else self.bottom)
            self.cells.insert(self.bottom if by > 0 else row, [" "] * self.columns)

    def down(self):
        if self.row == self.bottom:
            self.scroll(self.top, 1)
        else:
            self.row = min(self.row + 1, self.rows - 1)

    def up(self):
        if self.row == self.top:
            self.scroll(self.top, -1)
        else:
            self.row = max(self.row - 1, 0)

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.down()
        elif character == "\b":
            self.column = max(self.column - 1, 0)
        elif character < " " or "\x7f" <= character < "\xa0":
            if character not in "\x0f\x0e":
                self.odd.append(repr(character))
        else:
            cells = width(character)
            if self.column + cells > self.columns:
                if 7 in self.unset:
                    self.column = self.columns - cells
                else:
                    self.column = 0
                    self.down()
            if not cells:
                return
            self.cells[self.row][self.column] = character
            if cells == 2:
                self.cells[self.row][self.column + 1] = ""
            self.column += cells
            self.last = character

    def control(self, mark, numbers, final):
        first = numbers[0] if numbers else 0
        line = self.cells[self.row]
        here = min(self.column, self.columns - 1)
        count = first or 1
        if mark:
            for number in numbers:
                (self.modes.add if final == "h" else self.modes.discard)(number)
                (self.unset.discard if final == "h" else self.unset.add)(number)
        elif final in "Hf":
            self.row = min(count, self.rows) - 1
            self.column = min(numbers[1] if len(numbers) > 1 and numbers[1] else 1, self.columns) - 1
        elif final == "J":
            start = 0 if first == 2 else self.row * self.columns + here
            for at in range(start, self.rows * self.columns):
                self.cells[at // self.columns][at % self.columns] = " "
        elif final == "K":
            for at in range(0 if first else here, here + 1 if first == 1 else self.columns):
                line[at] = " "
        elif final == "d":
            self.row = min(count, self.rows) - 1
        elif final in "G`":
            self.column = min(count, self.columns) - 1
        elif final == "A":
            self.row = max(self.row - count, 0)
        elif final == "B":
            self.row = min(self.row + count, self.rows - 1)
        elif final == "C":
            self.column = min(self.column + count, self.columns - 1)
        elif final == "D":
            self.column = max(self.column - count, 0)
        elif final == "b":
            for _ in range(count):
                self.put(self.last)
        elif final == "X":
            for at in range(here, min(here + count, self.columns)):
                line[at] = " "
        elif final == "P":
            self.cells[self.row] = line[:here] + line[here + count :] + [" "] * min(count, self.columns - here)
        elif final == "@":
            self.cells[self.row] = (line[:here] + [" "] * count + line[here:])[: self.columns]
        elif final in "LM":
            self.scroll(self.row, min(count, self.bottom - self.row + 1) * (1 if final == "M" else -1))
        elif final in "ST":
            self.scroll(self.top, min(count, self.rows) * (1 if final == "S" else -1))
        elif final == "r":
            self.top = count - 1
            self.bottom = (numbers[1] if len(numbers) > 1 else self.rows) - 1
            self.row = self.column = 0
        elif final not in "mlht":
            self.odd.append("CSI " + final)

    def feed(self, text):
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            found = SEQUENCE.match(text, at)
            if not found:
                return text[at:]  # the rest is to come
            if found[3]:
                self.control(found[1], [int(n) for n in found[2].split(";") if n], found[3])
            elif found[4] in ("M", "D", "E", "H", "c", "7", "8"):
                if found[4] == "M":
                    self.up()
            elif not found[4]:
                self.odd.append("OSC")
            at = found.end()
        return ""

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]


class Terminal:
    def __init__(self, argv, rows=24, columns=80, env={}):
        self.master, self.slave = pty.openpty()
        self.screen, self.bytes, self.text_rest = Screen(rows, columns), b"", ""
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.set_size(rows, columns)
        self.modes = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(self.slave, fd)
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **env})
        self.code = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.ended():
            return
        os.kill(self.pid, signal.SIGTERM)  # it removes what it has made
        end = time.monotonic() + LIMIT_S / 3
        while not self.ended() and time.monotonic() < end:
            self.read(0.2)
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def set_size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(rows, columns)

    def keys(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        got = os.read(self.master, 65536)
        self.bytes += got
        text = self.decoder.decode(got)
        self.text_rest = self.screen.feed(self.text_rest + text)
        return True

    def lines(self):
        return self.screen.lines()

    def wait(self, holds, what=""):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            try:
                if holds(self.lines()):
                    return self.lines()
            except (IndexError, TypeError, ValueError):
                pass  # a line that is not there yet
            self.read(0.2)
            if self.ended():
                break
        sys.exit("not so: %s\n%s" % (what, "\n".join(self.lines())))

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def end(self):
        """The exit code, when it has ended by itself; what it wrote until then has been read."""
        end = time.monotonic() + LIMIT_S
        while not self.ended() and time.monotonic() < end:
            self.read(0.2)
        while self.read(0):
            pass
        if self.code is None:
            sys.exit("it does not end\n" + "\n".join(self.lines()))
        return self.code

    def is_restored(self):
        """Cooked modes, the normal screen, a visible cursor."""
        return (
            termios.tcgetattr(self.slave) == self.modes
            and 1049 not in self.screen.modes
            and (25 in self.screen.modes or b"\x1b[?25l" not in self.bytes)
        )
