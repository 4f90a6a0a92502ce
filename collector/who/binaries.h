// The files that code comes from: one entry a binary, whoever maps it, for as long as the recording lasts.
//
// A mapping tells a file (device, inode, generation); who opens the file learns its contents (file_identity.h), and
// files of the same contents and owner are one entry. Without a file, the path stands for it. The number of an entry is
// also the binary id that the kernel side writes into frames (bpf/wire/wire.h).
//
// The file behind it is opened once, while a process that maps it lives (through map_files, which reaches deleted and
// replaced files and other mount namespaces), and the descriptor is kept for naming.
//
// Entries are never moved or freed before the table is. All functions may be called from any thread.
#ifndef HEARTH_COLLECTOR_WHO_BINARIES_H
#define HEARTH_COLLECTOR_WHO_BINARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire/wire.h"
#include "store/base/cleanup.h"
#include "store/store_types.h"
#include "symbolizer/elf/file_identity.h"

struct binaries;

struct binary {
    uint32_t number; // from 1
    enum store_binary_kind kind;
    struct file_identity contents; // known from when the file was opened; digest 0: not known
    struct wire_file file;         // zero: not known; without the generation where only /proc told of it
    int64_t seen_ns;               // CLOCK_REALTIME: when it was first heard of
    char *path;                    // as the process that was seen first names it
    int fd;                        // the file, or a copy (foreign_file.h); -1: not opened yet, or not to be had
    int root_fd;                   // the root directory of the process it was opened through; -1: ours
    bool open_failed;              // do not try again
    bool is_opening;               // a thread opens it now
};

// A file as a perf record or a note tells of it.
struct binary_identity {
    const char *path;
    struct wire_file file;
    const struct file_identity *contents; // NULL: not known
};

int binaries__new(struct binaries **ret_binaries);
void binaries__free(struct binaries *binaries);

// The entry of this identity, made when it is new. -ENOMEM; -ENOSPC: LIMIT_BINARIES are known already.
int binaries__get(struct binaries *binaries, const struct binary_identity *identity, struct binary **ret_binary);
// NULL: no such number.
struct binary *binaries__by_number(struct binaries *binaries, uint32_t number);

// Opens the file through a process that maps it at [start, end), or by its path as that process sees it. Learns the
// contents where they were not known. Nothing happens where it is open, or has failed before. Waits for a file system
// that does not answer as long as opener.h says, and holds no lock meanwhile.
void binaries__open(struct binaries *binaries, struct binary *binary, pid_t pid, uint64_t start, uint64_t end);
// The same, with the file opened already, which stays the caller's.
void binaries__adopt(struct binaries *binaries, struct binary *binary, pid_t pid, int fd);
// The file system does not answer: it is not opened any more.
void binaries__give_up(struct binaries *binaries, struct binary *binary);

// Bounds what a recording without an end keeps: the entries, and the files behind them, stay until the table is freed.
struct binaries_weight {
    size_t count;
    size_t descriptors;
    uint64_t
        deleted_bytes; // on the disk, of files that no name leads to any more: their room is free when they are closed
};

// Costs an fstat() for each file.
struct binaries_weight binaries__weigh(struct binaries *binaries);

// Code without a file, by process: JIT code of a PID.
int binaries__jit(struct binaries *binaries, pid_t pid, struct binary **ret_binary);

DEFINE_CLEANUP(struct binaries *, binaries__free);

#endif
