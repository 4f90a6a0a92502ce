// The files that code comes from: one entry a binary, whoever maps it, for as long as the recording lasts.
//
// A binary is known by its build id; without one by device, inode and generation; without those by its path. The
// number of an entry is also the binary id that the kernel side writes into frames (bpf/wire.h).
//
// The file behind it is opened once, while a process that maps it lives (through map_files, which reaches deleted and
// replaced files and other mount namespaces), and the descriptor is kept for naming.
//
// Entries are never moved or freed before the table is. All functions may be called from any thread.
#ifndef HEARTH_COLLECTOR_BINARIES_H
#define HEARTH_COLLECTOR_BINARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"
#include "store/base/cleanup.h"
#include "store/store_types.h"

struct binaries;

struct binary {
    uint32_t number; // from 1
    enum store_binary_kind kind;
    uint8_t build_id[20];
    size_t build_id_bytes;
    struct wire_file file; // zero: not known
    char *path;            // as the process that was seen first names it
    int fd;                // the file; -1: not opened yet, or not to be had
    int root_fd;           // the root directory of the process it was opened through; -1: ours
    bool open_failed;      // do not try again
    uint32_t store_id;     // main thread only
};

// What a perf record or a note tells of a file.
struct binary_identity {
    const char *path;
    const uint8_t *build_id;
    size_t build_id_bytes;
    struct wire_file file;
};

int binaries__new(struct binaries **ret_binaries);
void binaries__free(struct binaries *binaries);

// The entry of this identity, made when it is new. -ENOMEM; -ENOSPC: LIMIT_BINARIES are known already.
int binaries__get(struct binaries *binaries, const struct binary_identity *identity, struct binary **ret_binary);
// NULL: no such number.
struct binary *binaries__by_number(struct binaries *binaries, uint32_t number);

// Opens the file through a process that maps it at [start, end), or by its path as that process sees it. Learns the
// build id where it was not known. Nothing happens where it is open, or has failed before.
void binaries__open(struct binaries *binaries, struct binary *binary, pid_t pid, uint64_t start, uint64_t end);

// Code without a file, by process: JIT code of a PID.
int binaries__jit(struct binaries *binaries, pid_t pid, struct binary **ret_binary);

DEFINE_CLEANUP(struct binaries *, binaries__free);

#endif
