// A folder of files that can be made again, such as the index or the rows of a binary:
//
//   DIR/4f9c...e1.rows     an entry
//   DIR/.new-812           one that thread 812 writes, renamed when it is whole
//
// An entry is never changed: who has it open keeps what he has. Folder and entries must be ours or root's and writable
// by nobody else. Above the bound the entries used longest ago are removed. Several processes may use one folder; one
// `struct disk_cache` is for one thread at a time.
#ifndef HEARTH_STORE_SYSTEM_DISK_CACHE_H
#define HEARTH_STORE_SYSTEM_DISK_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct disk_cache;

struct disk_cache_kind {
    const char *holds;  // for messages: "names"
    const char *suffix; // of its entries, with the dot
    mode_t mode;        // of its entries
};

// Makes the folder where it is missing (its parent must be there). `kind` must stay; bytes_max 0: no bound. -EPERM:
// others may write into the folder.
int disk_cache__open(const char *folder, const struct disk_cache_kind *kind, uint64_t bytes_max, struct fault *fault,
                     struct disk_cache **ret_cache);
void disk_cache__free(struct disk_cache *cache);
DEFINE_CLEANUP(struct disk_cache *, disk_cache__free);

// An entry, to read. -ENOENT: there is none; -EBADMSG: no file, or others may write it; it is removed.
int disk_cache__read(struct disk_cache *cache, const char *name, int *ret_fd, size_t *ret_bytes);
// An opened entry was good, so that it is among the last to be removed.
void disk_cache__used(int fd);
void disk_cache__remove(struct disk_cache *cache, const char *name);

// Makes an entry, or replaces it, of what `write` writes. -errno, or what `write` returned: there is no new entry.
typedef int disk_cache_write_fn(int fd, const void *context);
int disk_cache__save(struct disk_cache *cache, const char *name, disk_cache_write_fn *write, const void *context);

#endif
