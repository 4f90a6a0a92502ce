// The privileges that a process gives up before it touches bytes of strangers. In two steps, since the second cannot
// fork.
//
// Bytes that strangers can write and that are read outside of the sandbox, as root, and why that is safe:
//   - of a binary that somebody runs, for its build id: the ELF header, the program headers (65,535 at most, 3.6 MB)
//     and the notes (LIMIT_NOTES_BYTES of each), by file_identity__read. With pread into memory of our own, each
//     offset checked against the file's size; nothing in it leads any further. tests/fuzz/fuzz_probe_file.c.
//   - what comes back from a worker: the index (index__check), the rows (unwind_table__unpack), names (counted, each
//     with its NUL), all in sealed memory and checked in full before use; names of companions, which are opened below
//     the process's root only (foreign_file.h). tests/fuzz/fuzz_index.c, fuzz_unwind_table.c.
//   - /proc/PID/maps, comm and cgroup: text of the kernel's, in which strangers choose the names.
//   - what the user named in a probe (uprobe:FILE:..., usdt:, hearth list probes): the symbol tables, debug file and
//     notes of that one file, by elf_bounded.c and the bounded readers of function_list.h, mini_debug.h and
//     usdt_notes.h. libelf is not called.
//     tests/fuzz/fuzz_probe_file.c.
//   - with --unwind=copy, asked for by the user for one process: its binaries' call frame information, which libunwind
//     reads through accessors that check each access (copy_module.c).
// The vDSO, /proc/kallsyms and vmlinux are the kernel's and root's own.
#ifndef HEARTH_SYMBOLIZER_JAIL_SANDBOX_H
#define HEARTH_SYMBOLIZER_JAIL_SANDBOX_H

#include <stdint.h>

// Every descriptor but `keep_fd`, which becomes *ret_fd; every capability; root's uid and groups (for nobody's); the
// terminal's signals. Prepares the filter of the second step.
int sandbox__shed(int keep_fd, int *ret_fd);

struct sandbox_limits {
    uint64_t memory_bytes;
    uint64_t answer_bytes; // of a file it makes
    uint32_t cpu_s;
    uint32_t wall_ms; // for whoever waits for it: no limit of the kernel's
};

// Opening, sockets, processes, signals: everything but reading what is given, memory, and answering. Of all threads
// there are; there will be no more of them.
int sandbox__enter(const struct sandbox_limits *limits);

#endif
