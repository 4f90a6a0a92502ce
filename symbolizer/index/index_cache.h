// Indexes on disk, by build id, shared by the daemon and commands:
//
//   DIR/4f9c...e1-0.names     an index of index.h; -1, -2...: more units of the same binary
//
// A file is checked, when it is read, by its checksum and then in full. The folder is one of store/system/disk_cache.h,
// which says who may write it and when files are removed.
#ifndef HEARTH_SYMBOLIZER_INDEX_INDEX_CACHE_H
#define HEARTH_SYMBOLIZER_INDEX_INDEX_CACHE_H

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "symbolizer/index/index.h"

struct index_cache;

struct index_cache_key { // of a binary: file_identity.h
    uint8_t build_id[20];
    uint64_t digest;
};

// Makes the folder where it is missing. bytes_max 0: LIMIT_INDEX_CACHE_BYTES.
int index_cache__open(const char *folder, uint64_t bytes_max, struct fault *fault, struct index_cache **ret_cache);
void index_cache__free(struct index_cache *cache);
DEFINE_CLEANUP(struct index_cache *, index_cache__free);

// Maps piece `number` of a binary; unmap with munmap. -ENOENT: it is not there; -EBADMSG: it was damaged or of another
// version, and was removed.
int index_cache__load(struct index_cache *cache, const struct index_cache_key *key, unsigned number, void **ret_bytes,
                      size_t *ret_length, struct index *ret_index);
int index_cache__save(struct index_cache *cache, const struct index_cache_key *key, unsigned number, const void *bytes,
                      size_t length, bool is_mapped);
void index_cache__remove(struct index_cache *cache, const struct index_cache_key *key, unsigned number);

#endif
