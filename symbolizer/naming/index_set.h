// The indexes in use: one entry a binary, known by file_identity.h (or by device, inode and times where it has no build
// id), each of one or more pieces, since the units of a large binary are indexed as samples fall into them. The least
// lately used are let go when all of them together grow beyond LIMIT_LOADED_INDEX_BYTES.
#ifndef HEARTH_SYMBOLIZER_NAMING_INDEX_SET_H
#define HEARTH_SYMBOLIZER_NAMING_INDEX_SET_H

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "store/base/limits.h"
#include "symbolizer/index/index.h"
#include "symbolizer/naming/symbolizer_types.h"

struct index_set;
struct worker;
struct index_pieces;

int index_set__new(const struct symbolizer_options *options, struct worker *worker, struct fault *fault,
                   struct index_set **ret_set);
void index_set__free(struct index_set *set);
DEFINE_CLEANUP(struct index_set *, index_set__free);

// The indexes of a file, with every unit that `offsets` fall into. Borrowed until the next call. Not tried again for a
// file that failed, until it changes: then the same error comes back at once.
int index_set__load(struct index_set *set, const struct symbol_file *file, const uint64_t *offsets, size_t count,
                    const struct index_pieces **ret_pieces);

struct symbolizer_counts index_set__counts(const struct index_set *set);

struct index_chain { // offsets of strings in `index`
    const struct index *index;
    size_t length;
    struct index_frame frames[LIMIT_CHAIN];
};

// The best answer of any piece; length 0: no name.
void index_pieces__find(const struct index_pieces *pieces, uint64_t offset, bool no_inline,
                        struct index_chain *ret_chain);

// Gives the memory of look-ups back to the kernel; it comes again when it is touched.
void index_pieces__cool(const struct index_pieces *pieces);

#endif
