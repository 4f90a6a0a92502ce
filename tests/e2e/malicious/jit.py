"""A process that runs code of its own making for SECONDS and leaves files about it that lie: jit.py KIND SECONDS. It is
in a pid namespace or not; it writes what it writes as whoever runs it."""
import ctypes
import mmap
import os
import struct
import sys
import time

kind, seconds = sys.argv[1], float(sys.argv[2])
# push %rbp; mov %rsp,%rbp; 1: sub $1,%rdi; jne 1b; pop %rbp; ret
CODE = bytes.fromhex('55 4889e5 4883ef01 75fa 5d c3')
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(CODE)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
run = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(address)
path = f'/tmp/perf-{os.getpid()}.map'
sound = f'{address:x} {len(CODE):x} jitted\n'.encode()


def put(data):
    with open(path, 'wb') as file:
        file.write(data)


def dump():
    """A jitdump whose records claim to be huge, with strings without an end, and loads that move for ever."""
    name = f'/tmp/jit-{os.getpid()}.dump'
    head = struct.pack('<IIIIIIQQ', 0x4A695444, 1, 40, 62, 0, os.getpid(), 0, 0)
    load = struct.pack('<IIQ', 0, 0xfffffff0, 0) + struct.pack('<IIQQQQ', 1, 1, address, address, 2 ** 64 - 1, 1)
    debug = struct.pack('<IIQ', 2, 64, 0) + struct.pack('<QQ', address, 2 ** 63) + b'\xff' * 32
    moves = b''.join(struct.pack('<IIQ', 1, 64, i) + struct.pack('<IIQQQQ', 1, 1, address, address, address, 12)[:48]
                     for i in range(200000))
    with open(name, 'wb') as file:
        file.write(head + debug + moves + load + b'A' * (8 << 20))
    fd = os.open(name, os.O_RDONLY)
    global mapped
    mapped = mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)


if kind == 'fifo':
    os.mkfifo(path)
elif kind == 'symlink':
    os.symlink('/etc/passwd', path)
elif kind == 'device':
    os.symlink('/dev/zero', path)
elif kind == 'garbage':
    put(os.urandom(4 << 20))
elif kind == 'long':
    put(f'{address:x} {len(CODE):x} '.encode() + b'x' * (64 << 20) + b'\n')
elif kind == 'lies':
    lines = [b'-1 10 minus', b'ffffffffffffffff ffffffffffffffff wraps', b'zz 10 nothex', b' ', b'%x' % address]
    lines += [b'%x %x overlap%d' % (address - i, 2 * i + 1, i) for i in range(50000)]
    put(b'\n'.join(lines) + b'\n' + f'{address:x} {len(CODE):x} '.encode() + b'ev\x1b[2J;\r\x80\xff<b>"\n')
elif kind == 'dump':
    dump()
elif kind == 'sound':
    put(sound)
elif kind == 'grows':
    put(sound)

end = time.process_time() + seconds
while time.process_time() < end:
    run(20000000)
    if kind == 'grows':
        with open(path, 'ab') as file:
            file.write(b'%x 10 grown\n' % address * 20000)
for name in (path, f'/tmp/jit-{os.getpid()}.dump'):
    if os.path.lexists(name):
        os.remove(name)
