#!/usr/bin/env python3
"""Reads a jitdump of node's as it grows: an address in the optimized chainLeaf, then one in a function of node itself and
the place in the source that it has. Prints nothing while they are not there.

    jit_dump.py FILE        ->   7f28d6fc5ec4 7f28d6fc0c44 node:internal/options:20
"""
import struct
import sys

ELF_HEADER = 64  # V8 counts the entries of a line table from behind it


def place_of(data, at):
    """The code and the first place of a record of lines, when all of them are of one file of node's."""
    code, count, first, line = struct.unpack_from('<QQQI', data, at + 16)
    name = data[at + 48:data.index(b'\0', at + 48)]
    if count == 0 or first != code + ELF_HEADER or not name.startswith(b'node:'):
        return None
    return code, f'{name.decode()}:{line}'


def main():
    try:
        data = open(sys.argv[1], 'rb').read()
    except OSError:
        return
    at = struct.unpack_from('<I', data, 8)[0] if len(data) > 40 else len(data)
    leaf, internal, place = 0, None, None
    while at + 16 <= len(data):
        kind, size = struct.unpack_from('<II', data, at)
        if size < 16 or at + size > len(data):
            break
        if kind == 2:
            place = place_of(data, at)
        elif kind == 0:  # a function: pid, tid, address, address, bytes, number, name
            start, = struct.unpack_from('<Q', data, at + 32)
            if b'*chainLeaf' in data[at + 56:at + size].split(b'\0')[0]:
                leaf = start
            elif place and place[0] == start:
                internal = place
        at += size
    if leaf and internal:
        print(f'{leaf + 4:x} {internal[0]:x} {internal[1]}')


main()
