// Compiled tables on disk, by build id, so that the binaries of a machine are compiled once and not at each start.
//
//   DIR/2f89a1...c0.rows      struct unwind_cache_header, the rules, the words
//
// A file is checked, when it is read, by its checksum and then word by word, since anything may have happened to it.
// The folder is one of store/system/disk_cache.h, which says who may write it and when files are removed. One owner a
// folder is enough, several are harmless. Not for use from two threads at once.
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_CACHE_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_CACHE_H

#include "symbolizer/unwind/unwind_rows.h"

struct unwind_cache;

// Makes the directory where it is missing (its parent must be there). -EPERM: others may write into it. bytes_max 0:
// LIMIT_UNWIND_CACHE_BYTES.
int unwind_cache__open(const char *directory, uint64_t bytes_max, struct fault *fault, struct unwind_cache **ret_cache);
void unwind_cache__free(struct unwind_cache *cache);
DEFINE_CLEANUP(struct unwind_cache *, unwind_cache__free);

// -ENOENT: not there; -EBADMSG: damaged or of another version, and removed. The table lies in memory of the cache,
// which all loads share: it is good until the next load, or unwind_cache__give_back.
int unwind_cache__load(struct unwind_cache *cache, const uint8_t *build_id, size_t build_id_bytes,
                       struct unwind_table **ret_table);
int unwind_cache__save(struct unwind_cache *cache, const uint8_t *build_id, size_t build_id_bytes,
                       const struct unwind_table *table);

// Gives the memory of loaded tables back. Call it after a number of loads.
void unwind_cache__give_back(struct unwind_cache *cache);

#endif
