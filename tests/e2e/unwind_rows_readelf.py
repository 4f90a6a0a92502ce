#!/usr/bin/env python3
"""Holds every unwind row of `hearth unwind-rows` against `readelf -wF`, for large real files.

Each row of readelf covers addresses up to its next one; over that range hearth's rows must say the same. Where they do
not, the difference must be one of those explained here, each counted in the diagnostics:

  end          readelf: RA undefined; hearth prints `end`, whatever the CFA is
  entry        the entry point, which has no caller whatever its CFI says, nor has glibc's __start_context
  unsupported  CFA by a register other than rsp, rbp, rbx; by an expression the kernel side lacks; RA not at CFA-8
  lost         rbp kept by a rule the kernel side lacks (another register, the value of an expression)
  cut          the function lies (partly) outside the executable segments
"""
import bisect
import os
import re
import subprocess
import sys

HEARTH = os.environ.get("HEARTH", "build/hearth")
FILES = {
    "libc": ["/lib/x86_64-linux-gnu/libc.so.6"],
    "ld.so": ["/lib64/ld-linux-x86-64.so.2"],
    "libstdc++": ["/usr/lib/x86_64-linux-gnu/libstdc++.so.6"],
    "libcrypto": ["/usr/lib/x86_64-linux-gnu/libcrypto.so.3"],
    "libLLVM": ["/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1", "/usr/lib/x86_64-linux-gnu/libLLVM.so.19.1"],
    "python3": ["/usr/bin/python3"],
    # Debian's program is a few lines beside a library.
    "node": ["/usr/lib/x86_64-linux-gnu/libnode.so.108", "/usr/lib/x86_64-linux-gnu/libnode.so.115", "/usr/bin/node"],
    "cc1": ["/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "/usr/libexec/gcc/x86_64-linux-gnu/14/cc1"],
    "chromium": ["/usr/lib/chromium/chromium"],
}
START_CONTEXT = bytes.fromhex("4889dc488b3c244885ff74")
FDE = re.compile(r"^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)")
CIE = re.compile(r"^([0-9a-f]+) [0-9a-f]+ [0-9a-f]+ CIE ")


def readelf_functions(path):
    """Yields (start, end, [(loc, cfa, rbp, ra)]) of .eh_frame, as readelf interprets it."""
    process = subprocess.Popen(["readelf", "-wNF", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    cies, functions = {}, []
    rows = columns = None
    for line in process.stdout:
        if line.startswith("Contents of the "):
            if ".eh_frame" not in line:
                break
            columns = None  # .eh_frame_hdr, on either side of .eh_frame, has no rows
        elif line.startswith("   LOC"):
            columns = {name: i for i, name in enumerate(line.split())}
        elif match := FDE.match(line):
            rows, columns = [], None
            functions.append((int(match[2], 16), int(match[3], 16), rows, match[1]))
        elif match := CIE.match(line):
            rows, columns = [], None
            cies[match[1]] = rows
        elif columns and line.strip() and "terminator" not in line:
            words = re.sub(r" \([a-z0-9]+\)", "", line).split()  # "r10 (r10)": kept in a register
            rbp = words[columns["rbp"]] if "rbp" in columns else "u"
            ra = words[columns["ra"]] if "ra" in columns else "u"
            rows.append((int(words[0], 16), words[1], "u" if rbp == "s" else rbp, ra))
    process.stdout.close()
    process.wait()
    for start, end, rows, cie in sorted(functions, key=lambda f: f[:2]):
        if not rows and cies.get(cie):
            rows = [(start,) + cies[cie][0][1:]]
        yield start, end, rows


def hearth_rows(path):
    out = subprocess.run([HEARTH, "unwind-rows", path], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.splitlines()]
    return [int(r[0], 16) for r in rows], [tuple(r[1:]) for r in rows]


def program_headers(path):
    out = subprocess.run(["readelf", "-hlW", path], capture_output=True, text=True).stdout
    entry = int(re.search(r"Entry point address:\s+(\S+)", out)[1], 16)
    segments = []
    for line in out.splitlines():
        words = line.split()
        if words[:1] == ["LOAD"] and "E" in words[6:-1]:
            segments.append((int(words[2], 16), int(words[2], 16) + int(words[4], 16), int(words[1], 16)))
    return entry, segments


def outermost(path, entry, segments):
    """The functions without callers that CFI does not call so."""
    starts = {entry}
    with open(path, "rb") as file:
        for low, high, offset in segments:
            file.seek(offset)
            at = file.read(high - low).find(START_CONTEXT)
            if at >= 0:
                starts.add(low + at)
    return starts


def explain(theirs, ours, start, ends):
    """Why rows differ that do, or None."""
    cfa, rbp, ra = theirs
    if ours[0] == "end":
        return "end" if ra == "u" else "entry" if start in ends else None
    if ours[0] == "unsupported":
        known = re.match(r"(rsp|rbp|rbx)[+-]", cfa) and ra == "c-8"
        return None if known else "unsupported"
    if ours[1] == "lost" and (ours[0], ours[2]) == (cfa, ra):
        return None if re.match(r"(c[+-]|u$)", rbp) else "lost"
    return None


def compare(path):
    entry, segments = program_headers(path)
    ends = outermost(path, entry, segments)
    starts, words = hearth_rows(path)
    functions = list(readelf_functions(path))
    compared = 0
    reasons, wrong, examples = {}, 0, []
    for i, (start, end, rows) in enumerate(functions):
        if i + 1 < len(functions) and functions[i + 1][0] < end:
            end = functions[i + 1][0]
        inside = any(low <= start and end <= high for low, high, _ in segments)
        for k, (loc, *theirs) in enumerate(rows):
            stop = min(rows[k + 1][0] if k + 1 < len(rows) else end, end)
            if loc >= stop:
                continue
            compared += 1
            at = bisect.bisect_right(starts, loc) - 1
            seen = {words[j] if j >= 0 else ("gap", "-", "-") for j in range(at, bisect.bisect_left(starts, stop))}
            for ours in seen - {tuple(theirs)}:
                why = explain(theirs, ours, start, ends) if inside else "cut"
                if why:
                    reasons[why] = reasons.get(why, 0) + 1
                else:
                    wrong += 1
                    examples.append(f"{loc:x} readelf {' '.join(theirs)} hearth {' '.join(ours)}")
    return compared, len(starts), wrong, reasons, examples


def main():
    if subprocess.run(["which", "readelf"], capture_output=True).returncode != 0:
        print("1..0 # SKIP readelf is not installed (binutils)")
        return 0
    failed = 0
    installed = {name: next(filter(os.path.exists, paths), None) for name, paths in FILES.items()}
    for name in [name for name, path in installed.items() if not path]:
        print(f"# {name} is not installed, and not compared")
        del installed[name]
    print(f"1..{len(installed)}")
    for number, (name, path) in enumerate(installed.items(), 1):
        compared, rows, wrong, reasons, examples = compare(path)
        good = wrong == 0 and compared > 100
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - rows of {name} equal readelf's")
        explained = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items())) or "none"
        print(f"# {path}: {compared} rows of readelf, {rows} of hearth, {wrong} differ; explained: {explained}")
        for example in examples[:10]:
            print(f"#   {example}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
