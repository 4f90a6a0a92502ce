#!/usr/bin/env python3
"""hearth symbolize against llvm-symbolizer: the same addresses, every line and every inlined chain held against each other.

    tests/bench/symbols.py [-n ADDRESSES] [--llvm PATH] [--speed] FILE...

Addresses are random ones of .text, from a fixed seed. Names are compared as the binary has them, since demanglers print
differently; what is folded, and what differences remain, is explained in tests/bench/symbols.md. Exits with 1 when a file has
fewer than 99.9 % of lines or 99 % of chains equal. --speed adds the time of one paired run, demangled, of both.
"""
import argparse
import collections
import os
import random
import re
import resource
import shutil
import subprocess
import sys

HEARTH = os.environ.get('HEARTH', os.path.join(os.path.dirname(__file__), '../../build/hearth'))
LINES_AT_LEAST, CHAINS_AT_LEAST = 0.999, 0.99


def text_of(path):
    for line in subprocess.run(['readelf', '-SW', path], capture_output=True, text=True).stdout.splitlines():
        found = re.match(r'\s*\[\s*\d+\]\s+\.text\s+\S+\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)', line)
        if found:
            return int(found.group(1), 16), int(found.group(2), 16)
    sys.exit(f'{path}: there is no .text')


def run(command, text):
    """What the command prints, and the CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, input=text, capture_output=True, text=True, errors='replace')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f'{command[0]}: {done.stderr}')
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def chains_of_hearth(output):
    return [[tuple(frame.rsplit(' ', 1)) for frame in chain.split('\n')] for chain in output.strip('\n').split('\n\n')]


def chains_of_llvm(output):
    """A name and a place in two lines a frame; the place ends in a column."""
    chains = []
    for chain in output.strip('\n').split('\n\n'):
        lines = chain.split('\n')
        chains.append([(lines[i], lines[i + 1].rsplit(':', 1)[0]) for i in range(0, len(lines) - 1, 2)])
    return chains


def fold_name(name):
    """One name for the variants of a constructor or destructor, and for the parts a compiler split off."""
    if name.startswith(('_Z', '_R')):
        name = name.split('.')[0]
        name = re.sub(r'(C)[1245](?=[IE])|(D)[01245](?=[IE])', lambda found: (found.group(1) or found.group(2)) + 'x', name)
    else:
        name = re.sub(r'( \(\.[^)]*\))$|\.(isra|part|constprop|cold|llvm|lto_priv)\b.*$', '', name)
    return name


def aliases_of(path):
    """Each name of a symbol, with the addresses it stands for, in the file and in its debug file."""
    aliases = collections.defaultdict(set)
    files = [path]
    note = re.search(r'Build ID: ([0-9a-f]+)', subprocess.run(['readelf', '-n', path], capture_output=True, text=True).stdout)
    if note:
        files.append(f'/usr/lib/debug/.build-id/{note.group(1)[:2]}/{note.group(1)[2:]}.debug')
    for file in filter(os.path.exists, files):
        for table in ([], ['-D']):
            output = subprocess.run(['nm', *table, file], capture_output=True, text=True, errors='replace').stdout
            for words in map(str.split, output.splitlines()):
                if len(words) == 3:
                    aliases[words[2].split('@')[0]].add(words[0])
    return aliases


def place_of(place):
    """llvm gives local symbols without debug information the name of their object's source, and no line: no line at all."""
    return '??:0' if place.endswith(':0') else place


def compare(path, count, llvm, speed):
    start, length = text_of(path)
    generator = random.Random(1)
    addresses = [start + generator.randrange(length) for _ in range(count)]
    text = ''.join(f'{address:#x}\n' for address in addresses)
    ours = chains_of_hearth(run([HEARTH, 'symbolize', '--no-demangle', '-e', path], text)[0])
    theirs = chains_of_llvm(run([llvm, '--no-demangle', '-i', '-e', path], text)[0])
    if not len(ours) == len(theirs) == count:
        sys.exit(f'{path}: {count} addresses, {len(ours)} answers of hearth, {len(theirs)} of {llvm}')
    aliases = aliases_of(path)

    def same_name(left, right):
        return fold_name(left) == fold_name(right) or bool(aliases.get(left, set()) & aliases.get(right, set()))

    lines = whole = 0
    classes = collections.Counter()
    for mine, other in zip(ours, theirs):
        line_is_same = place_of(mine[0][1]) == place_of(other[0][1])
        lines += line_is_same
        if len(mine) != len(other):
            kind = 'chains of other lengths'
        elif not line_is_same or any(place_of(a[1]) != place_of(b[1]) for a, b in zip(mine, other)):
            kind = 'other lines'
        elif all(same_name(a[0], b[0]) for a, b in zip(mine, other)):
            whole += 1
            continue
        elif other[-1][0] == '??':
            kind = 'hearth alone has a name'
        elif mine[-1][0] == '??':
            kind = 'llvm alone has a name'
        elif same_name(mine[-1][0], other[-1][0]):
            kind = 'an inlined function with another name'
        else:
            kind = 'the function with another name'
        classes[kind] += 1
        if classes[kind] <= 2:
            print(f'    {kind}: {mine} {other}'[:300])
    # A name where llvm has none, and otherwise the same, is no difference of a chain.
    whole += classes['hearth alone has a name']
    good = lines >= LINES_AT_LEAST * count and whole >= CHAINS_AT_LEAST * count
    print(f'{"ok" if good else "WORSE"} {path}: {count} addresses, lines {100 * lines / count:.2f} %, chains {100 * whole / count:.2f} %'
          + ''.join(f'; {kind}: {number}' for kind, number in classes.items()))
    if speed:
        mine, other = run([HEARTH, 'symbolize', '-e', path], text)[1], run([llvm, '-i', '-e', path], text)[1]
        print(f'    CPU: hearth {mine:.2f} s, llvm-symbolizer {other:.2f} s: {other / mine:.1f} times')
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('-n', type=int, default=10000)
    parser.add_argument('--llvm', default=shutil.which('llvm-symbolizer-19') or shutil.which('llvm-symbolizer'))
    parser.add_argument('--speed', action='store_true')
    parser.add_argument('files', nargs='+', metavar='FILE')
    arguments = parser.parse_args()
    results = [compare(path, arguments.n, arguments.llvm, arguments.speed) for path in arguments.files]
    sys.exit(not all(results))


main()
