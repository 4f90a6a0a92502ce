"""Programs that run as ever, with debug information made to harm whoever reads it: make_elf.py PROGRAM FOLDER writes one
a kind to FOLDER/KIND. PROGRAM has symbols and no debug information."""
import ctypes
import os
import struct
import subprocess
import sys
import zlib

program, folder = sys.argv[1:]
ADDR, DATA8, STRING, REF4, SEC_OFFSET, REF_ADDR, SIG8 = 0x01, 0x07, 0x08, 0x13, 0x17, 0x10, 0x20
NAME, LOW, HIGH, SIBLING, STMT_LIST, RANGES, IMPORT, ORIGIN, SPECIFICATION, SIGNATURE = (
    0x03, 0x11, 0x12, 0x01, 0x10, 0x55, 0x18, 0x31, 0x47, 0x69)
CU, SUBPROGRAM, BLOCK, INLINED, IMPORTED, STRUCTURE = 0x11, 0x2e, 0x0b, 0x1d, 0x3d, 0x13
CU_HEADER_BYTES = 12


def uleb(value):
    out = b''
    while True:
        byte, value = value & 0x7f, value >> 7
        out += bytes([byte | (0x80 if value else 0)])
        if not value:
            return out


def text_of(path):
    for line in subprocess.run(['readelf', '-SW', path], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.replace('[ ', '[').split()
        if len(words) > 5 and words[1] == '.text':
            return int(words[3], 16), int(words[5], 16)
    raise SystemExit('no .text')


START, BYTES = text_of(program)


def abbrevs(*rows):
    out = b''
    for number, (tag, children, attributes) in enumerate(rows, 1):
        out += uleb(number) + uleb(tag) + bytes([children])
        for name, form in attributes:
            out += uleb(name) + uleb(form)
        out += b'\0\0'
    return out + b'\0'


def unit(body):
    head = struct.pack('<HBBI', 5, 1, 8, 0)
    return struct.pack('<I', len(head) + len(body)) + head + body


def place(low=START, count=BYTES):
    return struct.pack('<QQ', low, count)


ROOT = (CU, 1, ((NAME, STRING), (LOW, ADDR), (HIGH, DATA8)))
ROOT_DIE = b'\1evil.c\0' + place()
FIRST = CU_HEADER_BYTES + len(ROOT_DIE)  # where the first child stands


def sibling_loop():
    rows = abbrevs(ROOT, (SUBPROGRAM, 1, ((NAME, STRING), (LOW, ADDR), (HIGH, DATA8), (SIBLING, REF4))))
    die = b'\2f\0' + place() + struct.pack('<I', FIRST) + b'\0'
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + die * 3 + b'\0')}


def reference_cycles():
    rows = abbrevs(ROOT, (SUBPROGRAM, 1, ((LOW, ADDR), (HIGH, DATA8), (ORIGIN, REF4))),
                   (INLINED, 0, ((LOW, ADDR), (HIGH, DATA8), (ORIGIN, REF4))),
                   (SUBPROGRAM, 0, ((LOW, ADDR), (HIGH, DATA8), (SPECIFICATION, REF4))),
                   (IMPORTED, 0, ((IMPORT, REF_ADDR),)), (STRUCTURE, 0, ((SIGNATURE, SIG8),)))
    first = b'\2' + place() + struct.pack('<I', FIRST + 21 + 21 + 1)
    inlined = b'\3' + place(START, 16) + struct.pack('<I', FIRST + 21)
    last = b'\4' + place() + struct.pack('<I', FIRST)
    imported = b'\5' + struct.pack('<I', 0) + b'\6' + struct.pack('<Q', 1)
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + first + inlined + b'\0' + last + imported + b'\0')}


def deep_tree():
    rows = abbrevs(ROOT, (BLOCK, 1, ()))
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + b'\2' * 4000000)}


def many_abbrevs():
    rows = abbrevs(ROOT) [:-1]
    rows += b''.join(uleb(i) + b'\x2e\0' + b'\x03\x08' * 20 + b'\0\0' for i in range(2, 300000)) + b'\0'
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + uleb(299999) + b'\0' * 21) * 200}


def line_rows():
    head = struct.pack('<BBBbBB', 1, 1, 1, -3, 12, 10) + bytes([0, 1, 1, 1, 1, 0, 0, 0, 1]) + b'\0evil.c\0\0\0\0\0'
    body = b'\0\x09\x02' + struct.pack('<Q', START) + b'\x20' * 30000000 + b'\0\1\1'
    lines = struct.pack('<HI', 4, len(head)) + head + body
    rows = abbrevs((CU, 0, ((NAME, STRING), (LOW, ADDR), (HIGH, DATA8), (STMT_LIST, SEC_OFFSET))))
    units = b''.join(unit(b'\1evil.c\0' + place(START + i % BYTES, 1) + struct.pack('<I', 0)) for i in range(3000))
    return {'.debug_abbrev': rows, '.debug_info': units, '.debug_line': struct.pack('<I', len(lines)) + lines}


def range_lists():
    one = b'\5' + struct.pack('<Q', START) + b''.join(b'\4' + uleb(i % BYTES) + uleb(i % BYTES + 1) for i in range(500000))
    body = struct.pack('<HBBI', 5, 8, 0, 0) + one + b'\0'
    rows = abbrevs(ROOT, (SUBPROGRAM, 0, ((NAME, STRING), (RANGES, SEC_OFFSET))))
    dies = b''.join(b'\2f%d\0' % i + struct.pack('<I', 12) for i in range(20000))
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + dies + b'\0'),
            '.debug_rnglists': struct.pack('<I', len(body)) + body}


def zstd(data):
    library = ctypes.CDLL('libzstd.so.1')
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    packed = ctypes.create_string_buffer(library.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    count = library.ZSTD_compress(packed, ctypes.c_size_t(len(packed)), data, ctypes.c_size_t(len(data)), 1)
    return packed.raw[:count]


def packed(kind, data, claim):
    return struct.pack('<IIQQ', kind, 0, claim, 1) + data


def bombs(kind, small, claims):
    rows = abbrevs(ROOT)
    return {'.debug_abbrev': rows, '.debug_info': unit(ROOT_DIE + b'\0'),
            '.debug_str': packed(kind, small, claims), '.debug_line_str': packed(kind, small, claims)}


def write(name, sections, compressed=()):
    out = os.path.join(folder, name)
    command = ['objcopy', '--remove-section=.note.gnu.build-id']
    for section, data in sections.items():
        path = out + section
        with open(path, 'wb') as file:
            file.write(data)
        command += ['--add-section', f'{section}={path}']
    subprocess.run(command + [program, out], check=True)
    for section in sections:
        os.remove(out + section)
    for section in compressed:
        set_flag(out, section, 0x800)  # SHF_COMPRESSED
    return out


def headers(image):
    offset, = struct.unpack_from('<Q', image, 0x28)
    size, count, names = struct.unpack_from('<HHH', image, 0x3a)
    return offset, size, count, names


def set_flag(path, section, flag):
    with open(path, 'r+b') as file:
        image = bytearray(file.read())
        offset, size, count, names = headers(image)
        strings, = struct.unpack_from('<Q', image, offset + names * size + 0x18)
        for i in range(count):
            at = offset + i * size
            name = strings + struct.unpack_from('<I', image, at)[0]
            if image[name:image.index(b'\0', name)].decode() == section:
                struct.pack_into('<Q', image, at + 8, struct.unpack_from('<Q', image, at + 8)[0] | flag)
        file.seek(0)
        file.write(image)


def patch(path, change):
    with open(path, 'r+b') as file:
        image = bytearray(file.read())
        change(image)
        file.seek(0)
        file.write(image)


def section_zero(image):
    offset, size, _, _ = headers(image)
    struct.pack_into('<H', image, 0x3c, 0)
    struct.pack_into('<Q', image, offset + 0x20, 1 << 58)


def bad_names(image):
    evil = b'ev\x1b[2J;\n\r\x80\xff\x07<b>"'
    assert len(evil) <= len(b'inlined_caller_leaf')
    for name in (b'leaf_sixty', b'leaf_thirty', b'leaf_ten'):
        at = image.find(name + b'\0')
        while at >= 0:
            image[at:at + len(name)] = (name[5:6] + evil)[:len(name)]
            at = image.find(name + b'\0')


zeros = b'\0' * (200 << 20)
write('siblings', sibling_loop())
write('cycles', reference_cycles())
write('deep', deep_tree())
write('abbrevs', many_abbrevs())
write('lines', line_rows())
write('ranges', range_lists())
write('zlib', bombs(1, zlib.compress(zeros, 1), len(zeros)), ('.debug_str', '.debug_line_str'))
write('zstd', bombs(2, zstd(b'\0' * (600 << 20)), 600 << 20), ('.debug_str', '.debug_line_str'))
write('claims', bombs(2, zstd(b'\0'), 1 << 40), ('.debug_str', '.debug_line_str'))
patch(write('sections', {}), section_zero)
patch(write('names', {}), bad_names)
write('altlink', {'.debug_abbrev': abbrevs(ROOT), '.debug_info': unit(ROOT_DIE + b'\0'),
                  '.gnu_debugaltlink': b'/dev/zero\0' + b'\1' * 20})
