#!/usr/bin/env python3
"""Packs DWARF 5 .dwo files into a .dwp, as DWARF 5 section 7.3.5 has it; no released tool does it with those of gcc.

    dwp.py OUT.dwp IN.dwo...

One unit an .dwo. Each section is the concatenation of theirs; .debug_cu_index says what of it belongs to which unit.
"""
import struct
import subprocess
import sys

COLUMNS = {1: '.debug_info.dwo', 3: '.debug_abbrev.dwo', 4: '.debug_line.dwo', 5: '.debug_loclists.dwo',
           6: '.debug_str_offsets.dwo', 7: '.debug_macro.dwo', 8: '.debug_rnglists.dwo'}
STRINGS = '.debug_str.dwo'


def sections_of(path):
    data = open(path, 'rb').read()
    table, = struct.unpack_from('<Q', data, 0x28)
    count, names = struct.unpack_from('<HH', data, 0x3c)
    rows = [struct.unpack_from('<IIQQQQ', data, table + i * 64) for i in range(count)]
    text = data[rows[names][4]:rows[names][4] + rows[names][5]]
    return {text[row[0]:text.index(b'\0', row[0])].decode(): data[row[4]:row[4] + row[5]] for row in rows}


def index_of(units, columns):
    """The header, a hash table of ids, one of rows, and a table each of offsets and sizes."""
    slots = 1
    while slots * 2 <= len(units) * 3:
        slots *= 2
    slots *= 2
    ids, rows = [0] * slots, [0] * slots
    for row, (identity, _) in enumerate(units):
        at = identity & (slots - 1)
        while rows[at]:
            at = (at + ((identity >> 32) & (slots - 1) | 1)) & (slots - 1)
        ids[at], rows[at] = identity, row + 1
    out = struct.pack('<HHIII', 5, 0, len(columns), len(units), slots) + struct.pack(f'<{slots}Q', *ids)
    out += struct.pack(f'<{slots}I', *rows) + struct.pack(f'<{len(columns)}I', *columns)
    for which in (0, 1):
        for _, places in units:
            out += struct.pack(f'<{len(columns)}I', *(places[column][which] for column in columns))
    return out


def main():
    out, inputs = sys.argv[1], sys.argv[2:]
    whole = {name: b'' for name in [*COLUMNS.values(), STRINGS]}
    units = []
    for path in inputs:
        sections = sections_of(path)
        offsets = bytearray(sections.get('.debug_str_offsets.dwo', b''))
        for at in range(8, len(offsets), 4):  # they count from the unit's own strings
            struct.pack_into('<I', offsets, at, struct.unpack_from('<I', offsets, at)[0] + len(whole[STRINGS]))
        sections['.debug_str_offsets.dwo'] = bytes(offsets)
        places = {}
        for column, name in COLUMNS.items():
            places[column] = (len(whole[name]), len(sections.get(name, b'')))
            whole[name] += sections.get(name, b'')
        whole[STRINGS] += sections.get(STRINGS, b'')
        version, kind = struct.unpack_from('<HB', sections['.debug_info.dwo'], 4)
        assert (version, kind) == (5, 5), 'not a split unit of DWARF 5'
        units.append((struct.unpack_from('<Q', sections['.debug_info.dwo'], 12)[0], places))
    whole['.debug_cu_index'] = index_of(units, [column for column, name in COLUMNS.items() if whole[name]])
    command = ['objcopy']
    there = sections_of(inputs[0])
    for number, (name, contents) in enumerate(whole.items()):
        if contents:
            part = f'{out}.{number}'
            open(part, 'wb').write(contents)
            command += [f'--{"update" if name in there else "add"}-section', f'{name}={part}']
    subprocess.run([*command, inputs[0], out], check=True)


main()
