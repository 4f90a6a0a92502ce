// Packed columns: the blobs of a store, and the only place that knows their format.
//
//   byte 0      1  the format
//   byte 1      flags: 1 the columns are one zstd frame
//   byte 2..5   CRC32C of all that follows, little-endian
//   varint      rows
//   varint      bytes of the columns, unpacked
//   ...         the columns, one after the other; all numbers are LEB128
//
// values:     what the columns are: a byte, 1 there are buckets, 2 value is count times `factor`; varint factor
//             thread runs: {thread minus the one before, length}, until the lengths sum to the rows
//             node, minus the one before in the run (rows are sorted by thread, node, bucket)
//             bucket, if any; count minus 1; value, if not by the factor
// nodes:      id - 1 - parent of each; then frame minus the frame before, zigzag
// histogram:  bucket minus the one before, of each that is not 0; then their counts minus 1
//
// All input may be hostile: -EBADMSG, never more memory than the rows claimed, and those are bounded by limits.h.
#ifndef HEARTH_STORE_PACK_H
#define HEARTH_STORE_PACK_H

#include "store/base/buf.h"
#include "store/store_types.h"

struct packer; // the scratch memory of packing and unpacking

int packer__new(struct packer **ret_packer);
void packer__free(struct packer *packer);

// `values` of one event, sorted by thread, node, bucket. The result stays in the packer until the next call.
int packer__pack_values(struct packer *packer, const struct store_value *values, size_t count,
                        const struct buf **ret_blob);
// How many values or nodes the head of a blob claims; unchecked.
uint64_t pack__claimed_rows(const void *blob, size_t blob_bytes);
// The values get `event`. They are yours to change, and stay in the packer until the next call.
int packer__unpack_values(struct packer *packer, const void *blob, size_t blob_bytes, uint32_t event,
                          struct store_value **ret_values, size_t *ret_count);

struct pack_node { // as the writer keeps it
    uint32_t parent, frame;
};
int packer__pack_nodes(struct packer *packer, uint32_t first, const struct pack_node *nodes, size_t count,
                       const struct buf **ret_blob);
// Writes count nodes: parents[i] (always below first + i) and frames[i]. -EBADMSG also when the blob holds another
// count.
int packer__unpack_nodes(struct packer *packer, const void *blob, size_t blob_bytes, uint32_t first, size_t count,
                         uint32_t *parents, uint32_t *frames);

int packer__pack_counts(struct packer *packer, const uint64_t *counts, size_t count, const struct buf **ret_blob);
// Fills BUCKETS_TOTAL counts.
int packer__unpack_counts(struct packer *packer, const void *blob, size_t blob_bytes, uint64_t *counts);

#endif
