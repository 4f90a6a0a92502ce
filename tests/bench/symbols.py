#!/usr/bin/env python3
"""hearth symbolize against llvm-symbolizer: the same addresses, every line and every inlined chain held against each
other.

    tests/bench/symbols.py [-n ADDRESSES] [--llvm PATH] [--speed] [--times ADDRESSES] FILE...

Addresses are random ones of .text, from a fixed seed. Names are compared as the binary has them, since demanglers print
differently; what is folded, and what differences remain, is explained in tests/bench/symbols.md. Exits with 1 when a file
has fewer than 99.9 % of lines or 99 % of chains equal.

--speed adds a paired run of 100,000 addresses (--times: more or fewer), demangled: hearth as it stands, which reads the debug information, makes
the index and throws it away; hearth with an index that an earlier run left in a cache (--cache); llvm-symbolizer. Each
three times, in turn; what counts is the run that was least disturbed. Then what the index cost, beside a plain pass with
libdw over the same entries (libdw_pass.c), and what it gives: look-ups a second (index_lookups.c), and the instructions
of one, by callgrind.
"""
import argparse
import collections
import glob
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HEARTH = os.environ.get('HEARTH', os.path.join(os.path.dirname(__file__), '../../build/hearth'))
TOOLS = os.path.join(os.path.dirname(HEARTH), 'tests/bench')
LINES_AT_LEAST, CHAINS_AT_LEAST = 0.999, 0.99


def text_of(path):
    for line in subprocess.run(['readelf', '-SW', path], capture_output=True, text=True).stdout.splitlines():
        found = re.match(r'\s*\[\s*\d+\]\s+\.text\s+\S+\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)', line)
        if found:
            return int(found.group(1), 16), int(found.group(2), 16)
    sys.exit(f'{path}: there is no .text')


def run(command, text=''):
    done = subprocess.run(command, input=text, capture_output=True, text=True, errors='replace')
    if done.returncode != 0:
        sys.exit(f'{command[0]}: {done.stderr}')
    return done.stdout, done.stderr


def cost(command, addresses):
    """Seconds on the clock and of CPU, of the command and its children; their answers go nowhere."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(addresses, encoding='ascii') as text:
        subprocess.run(command, stdin=text, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
        name = re.sub(r'(C)[1245](?=[IE])|(D)[01245](?=[IE])', lambda found: (found.group(1) or found.group(2)) + 'x',
                      name)
    else:
        name = re.sub(r'( \(\.[^)]*\))$|\.(isra|part|constprop|cold|llvm|lto_priv)\b.*$', '', name)
    return name


def debug_file_of(path):
    note = re.search(r'Build ID: ([0-9a-f]+)', run(['readelf', '-nW', path])[0])
    file = f'/usr/lib/debug/.build-id/{note.group(1)[:2]}/{note.group(1)[2:]}.debug' if note else ''
    return file if os.path.exists(file) else None


def aliases_of(path):
    """Each name of a symbol, with the addresses it stands for, in the file and in its debug file."""
    aliases = collections.defaultdict(set)
    for file in filter(None, [path, debug_file_of(path)]):
        for table in ([], ['-D']):
            output = subprocess.run(['nm', *table, file], capture_output=True, text=True, errors='replace').stdout
            for words in map(str.split, output.splitlines()):
                if len(words) == 3:
                    aliases[words[2].split('@')[0]].add(words[0])
    return aliases


def place_of(place):
    """llvm gives local symbols without debug information the name of their object's source, and no line: no place.
    Before version 17 llvm puts the compiler's folder in front of a folder that begins with it: ./io/./io/dup.c."""
    return '??:0' if place.endswith(':0') else re.sub(r'^(\./.+/)\1', r'\1', place)


def compare(path, count, llvm):
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
    print(f'{"ok" if good else "WORSE"} {path}: {count} addresses, lines {100 * lines / count:.2f} %, '
          f'chains {100 * whole / count:.2f} %' + ''.join(f'; {kind}: {number}' for kind, number in classes.items()))
    return good


def instructions_of(lookups, index, count):
    """Of one look-up, in words: the difference of two runs. Fails where somebody has a uprobe on libc meanwhile."""
    counts = []
    for number in (count, 2 * count):
        said = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', lookups, index,
                               str(number)], capture_output=True, text=True)
        if said.returncode != 0:
            return ', instructions not counted (valgrind failed)'
        counts.append(int(re.search(r'Collected : (\d+)', said.stderr).group(1)))
    return f', {(counts[1] - counts[0]) / count:.0f} instructions'


def pair(path, llvm, folder, count):
    start, length = text_of(path)
    generator = random.Random(2)
    addresses, cache = os.path.join(folder, 'addresses'), os.path.join(folder, 'cache')
    with open(addresses, 'w', encoding='ascii') as text:
        text.writelines(f'{start + generator.randrange(length):#x}\n' for _ in range(count))
    shutil.rmtree(cache, ignore_errors=True)
    cost([HEARTH, 'symbolize', '--cache', cache, '-e', path], addresses)
    commands = {'hearth': [HEARTH, 'symbolize', '-e', path],
                'from its cache': [HEARTH, 'symbolize', '--cache', cache, '-e', path],
                'llvm-symbolizer': [llvm, '-i', '-e', path]}
    best = {}
    for _ in range(3):
        for name, command in commands.items():
            here = cost(command, addresses)
            best[name] = tuple(map(min, best.get(name, here), here))
    for name, (clock, cpu) in best.items():
        times = [other / mine for other, mine in zip(best['llvm-symbolizer'], (clock, cpu))]
        print(f'    {name:16} {count / clock:9.0f} addresses/s, {clock:5.2f} s, CPU {cpu:5.2f} s'
              + ('' if name == 'llvm-symbolizer' else f'; {times[0]:.1f} times as many, {times[1]:.1f} by CPU'))
    with open(addresses, encoding='ascii') as text:
        made = run([HEARTH, 'symbolize', '--stats', '--no-demangle', '-e', path], text.read())[1]
    cpu, peak = map(float, re.search(r"CPU ([0-9.]+) s, peak memory ([0-9.]+)", made).groups())
    print(f'    made in {cpu:.2f} s of CPU, peak {peak:.0f} MiB', end='')
    debug = debug_file_of(path) or path
    if '.debug_info' in run(['readelf', '-SW', debug])[0]:
        said = re.search(r'CPU ([0-9.]+) s, peak ([0-9.]+) MiB, (\d+) entries',
                         run([os.path.join(TOOLS, 'libdw_pass'), debug])[0])
        print(f'; a pass with libdw over its {int(said.group(3)) / 1e6:.1f} M entries {said.group(1)} s, '
              f'{said.group(2)} MiB: {cpu / float(said.group(1)):.2f} of that', end='')
    print()
    for index in glob.glob(os.path.join(cache, '*.names')):
        lookups = os.path.join(TOOLS, 'index_lookups')
        said = max((run([lookups, index])[0].strip() for _ in range(3)),
                   key=lambda line: float(re.search(r'([0-9.]+) M look-ups', line).group(1)))
        print(f'    index {said}' + (instructions_of(lookups, index, count) if shutil.which('valgrind') else ''))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('-n', type=int, default=10000)
    parser.add_argument('--llvm', default=shutil.which('llvm-symbolizer-19') or shutil.which('llvm-symbolizer'))
    parser.add_argument('--speed', action='store_true')
    parser.add_argument('--times', type=int, default=100000)
    parser.add_argument('files', nargs='+', metavar='FILE')
    arguments = parser.parse_args()
    if not arguments.llvm:
        sys.exit('llvm-symbolizer is not installed')
    results = []
    for path in arguments.files:
        results.append(compare(path, arguments.n, arguments.llvm))
        if arguments.speed:
            with tempfile.TemporaryDirectory() as folder:
                pair(path, arguments.llvm, folder, arguments.times)
    sys.exit(not all(results))


main()
