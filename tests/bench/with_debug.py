#!/usr/bin/env python3
"""with_debug.py [-m BYTES] FOLDER...: prints the 64-bit programs and libraries below the folders, none larger than BYTES,
that have debug information, in themselves or in /usr/lib/debug by their build id; small ones first, each inode once."""
import os
import stat
import struct
import sys


def sections(file):
    """By name: type, offset and size. None: another kind of file."""
    header = file.read(64)
    if len(header) < 64 or header[:6] != b'\x7fELF\x02\x01' or struct.unpack_from('<H', header, 16)[0] not in (2, 3):
        return None
    at, = struct.unpack_from('<Q', header, 40)
    count, names = struct.unpack_from('<HH', header, 60)
    file.seek(at)
    table = file.read(64 * count)
    if names >= count or len(table) < 64 * count:
        return None
    rows = [struct.unpack_from('<II16xQQ', table, 64 * i) for i in range(count)]
    file.seek(rows[names][2])
    text = file.read(min(rows[names][3], 1 << 20))
    return {text[name:text.find(b'\0', name)]: (kind, offset, size) for name, kind, offset, size in rows}


def has_debug(path):
    with open(path, 'rb') as file:
        found = sections(file)
        if not found:
            return False
        if found.get(b'.debug_info', (8,))[0] != 8 or b'.zdebug_info' in found:  # 8: SHT_NOBITS
            return True
        _, offset, size = found.get(b'.note.gnu.build-id', (0, 0, 0))
        file.seek(offset)
        number = file.read(min(size, 64))[16:].hex()
    return bool(number) and os.path.exists(f'/usr/lib/debug/.build-id/{number[:2]}/{number[2:]}.debug')


def main():
    words = sys.argv[1:]
    most = sys.maxsize
    if words[:1] == ['-m']:
        most, words = int(words[1]), words[2:]
    seen, found = set(), []
    for top in words:
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if os.path.join(folder, name) != '/usr/lib/debug']
            for name in names:
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                    file = status.st_dev, status.st_ino
                    if not stat.S_ISREG(status.st_mode) or status.st_size > most or file in seen:
                        continue
                    seen.add(file)
                    if has_debug(path):
                        found.append((status.st_size, path))
                except (OSError, struct.error):
                    pass
    for _, path in sorted(found):
        print(path)


main()
