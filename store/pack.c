#include "store/pack.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "store/base/bucket.h"
#include "store/base/byte_reader.h"
#include "store/base/cleanup.h"
#include "store/base/crc32c.h"
#include "store/base/grow.h"
#include "store/base/limits.h"

#define FORMAT       1
#define FLAG_ZSTD    1
#define HEADER_BYTES 6
#define LEVEL        3  // 9 saves 4 %, and takes six times as long
#define ROW_BYTES    50 // five columns of at most ten bytes: what a claim of rows may need, unpacked

enum {
    VALUES_HAVE_BUCKETS = 1,
    VALUES_HAVE_FACTOR = 2,
};

struct packer {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    struct buf columns;
    struct buf blob;
    uint8_t *unpacked;
    size_t unpacked_capacity;
    struct store_value *values;
    size_t values_capacity;
};

DEFINE_CLEANUP(struct packer *, packer__free);

int packer__new(struct packer **ret_packer)
{
    _cleanup_(packer__freep) struct packer *packer = calloc(1, sizeof(*packer));
    if (!packer)
        return -ENOMEM;
    *ret_packer = take_pointer(packer);
    return 0;
}

void packer__free(struct packer *packer)
{
    if (!packer)
        return;
    ZSTD_freeCCtx(packer->compressor);
    ZSTD_freeDCtx(packer->decompressor);
    buf__release(&packer->columns);
    buf__release(&packer->blob);
    free(packer->unpacked);
    free(packer->values);
    free(packer);
}

static bool compress(struct packer *packer, struct buf *blob)
{
    size_t size = packer->columns.length_bytes, before = blob->length_bytes;
    if (!packer->compressor)
        packer->compressor = ZSTD_createCCtx();
    if (!packer->compressor || blob->failed || blob->capacity_bytes - before < size)
        return false;
    size_t packed = ZSTD_compressCCtx(packer->compressor, blob->data + before, size, packer->columns.data, size, LEVEL);
    if (ZSTD_isError(packed)) // it would be longer than the columns
        return false;
    blob->length_bytes += packed;
    return true;
}

// packer->columns becomes packer->blob.
static int seal(struct packer *packer, size_t rows, const struct buf **ret_blob)
{
    struct buf *blob = &packer->blob, *columns = &packer->columns;
    if (columns->failed)
        return -ENOMEM;
    buf__clear(blob);
    buf__append(blob, (uint8_t[HEADER_BYTES]){FORMAT}, HEADER_BYTES);
    buf__append_varint(blob, rows);
    buf__append_varint(blob, columns->length_bytes);
    size_t header = blob->length_bytes;
    buf__append(blob, columns->data, columns->length_bytes); // room, and what stays where zstd gains nothing
    if (blob->failed)
        return -ENOMEM;
    blob->length_bytes = header;
    if (compress(packer, blob))
        blob->data[1] = FLAG_ZSTD;
    else
        buf__append(blob, columns->data, columns->length_bytes);
    uint32_t crc = htole32(crc32c(0, blob->data + HEADER_BYTES, blob->length_bytes - HEADER_BYTES));
    memcpy(blob->data + 2, &crc, sizeof(crc));
    *ret_blob = blob;
    return 0;
}

static int reserve_bytes(struct packer *packer, size_t size)
{
    if (size <= packer->unpacked_capacity)
        return 0;
    if (RESIZE(packer->unpacked, size) != 0)
        return -ENOMEM;
    packer->unpacked_capacity = size;
    return 0;
}

static int decompress(struct packer *packer, const struct byte_reader *packed, size_t size)
{
    if (!packer->decompressor)
        packer->decompressor = ZSTD_createDCtx();
    int err = packer->decompressor ? reserve_bytes(packer, size) : -ENOMEM;
    if (err)
        return err;
    size_t unpacked = ZSTD_decompressDCtx(packer->decompressor, packer->unpacked, size, packed->at,
                                          (size_t)(packed->end - packed->at));
    return unpacked == size ? 0 : -EBADMSG;
}

uint64_t pack__claimed_rows(const void *blob, size_t blob_bytes)
{
    const uint8_t *bytes = blob;
    if (blob_bytes < HEADER_BYTES)
        return 0;
    return byte_reader__uleb(&(struct byte_reader){.at = bytes + HEADER_BYTES, .end = bytes + blob_bytes});
}

static int unseal(struct packer *packer, const void *bytes, size_t size, struct byte_reader *ret_columns,
                  size_t *ret_rows)
{
    const uint8_t *blob = bytes;
    if (size < HEADER_BYTES || blob[0] != FORMAT || (blob[1] & ~FLAG_ZSTD))
        return -EBADMSG;
    uint32_t crc;
    memcpy(&crc, blob + 2, sizeof(crc));
    if (le32toh(crc) != crc32c(0, blob + HEADER_BYTES, size - HEADER_BYTES))
        return -EBADMSG;
    struct byte_reader cursor = {.at = blob + HEADER_BYTES, .end = blob + size};
    uint64_t rows = byte_reader__uleb(&cursor), unpacked_bytes = byte_reader__uleb(&cursor);
    if (cursor.failed || rows > LIMIT_STORE_PACK_ROWS || rows > unpacked_bytes ||
        unpacked_bytes > 16 + rows * ROW_BYTES)
        return -EBADMSG;
    if (blob[1] & FLAG_ZSTD) {
        int err = decompress(packer, &cursor, unpacked_bytes);
        if (err)
            return err;
        cursor = (struct byte_reader){.at = packer->unpacked, .end = packer->unpacked + unpacked_bytes};
    }
    *ret_columns = cursor;
    *ret_rows = rows;
    return 0;
}

static bool find_factor(const struct store_value *values, size_t count, uint64_t *ret_factor)
{
    uint64_t factor = count && values[0].count ? values[0].value / values[0].count : 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        if (__builtin_mul_overflow(values[i].count, factor, &value) || value != values[i].value)
            return false;
    }
    *ret_factor = factor;
    return true;
}

static void put_runs(struct buf *columns, const struct store_value *values, size_t count)
{
    uint32_t before = 0;
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && values[end].thread == values[i].thread;)
            end++;
        buf__append_varint(columns, values[i].thread - before);
        buf__append_varint(columns, end - i);
        before = values[i].thread;
    }
    for (size_t i = 0; i < count; i++) {
        bool goes_on = i > 0 && values[i].thread == values[i - 1].thread;
        buf__append_varint(columns, values[i].node - (goes_on ? values[i - 1].node : 0));
    }
}

int packer__pack_values(struct packer *packer, const struct store_value *values, size_t count,
                        const struct buf **ret_blob)
{
    struct buf *columns = &packer->columns;
    uint64_t factor = 0;
    uint8_t has = find_factor(values, count, &factor) ? VALUES_HAVE_FACTOR : 0;
    for (size_t i = 0; i < count; i++)
        has |= values[i].bucket ? VALUES_HAVE_BUCKETS : 0;
    buf__clear(columns);
    buf__append_byte(columns, has);
    buf__append_varint(columns, factor);
    put_runs(columns, values, count);
    for (size_t i = 0; i < count && (has & VALUES_HAVE_BUCKETS); i++)
        buf__append_varint(columns, values[i].bucket);
    for (size_t i = 0; i < count; i++)
        buf__append_varint(columns, values[i].count - 1);
    for (size_t i = 0; i < count && !(has & VALUES_HAVE_FACTOR); i++)
        buf__append_varint(columns, values[i].value);
    return seal(packer, count, ret_blob);
}

static int reserve_values(struct packer *packer, size_t count)
{
    if (count <= packer->values_capacity)
        return 0;
    if (RESIZE(packer->values, count) != 0)
        return -ENOMEM;
    packer->values_capacity = count;
    return 0;
}

static bool get_runs(struct byte_reader *columns, struct store_value *values, size_t count)
{
    uint64_t thread = 0;
    for (size_t i = 0; i < count;) {
        thread += byte_reader__uleb(columns);
        uint64_t length = byte_reader__uleb(columns);
        if (columns->failed || thread > UINT32_MAX || length == 0 || length > count - i)
            return false;
        for (; length; length--)
            values[i++].thread = (uint32_t)thread;
    }
    uint64_t node = 0;
    for (size_t i = 0; i < count; i++) {
        bool goes_on = i > 0 && values[i].thread == values[i - 1].thread;
        node = (goes_on ? node : 0) + byte_reader__uleb(columns);
        if (node > UINT32_MAX)
            return false;
        values[i].node = (uint32_t)node;
    }
    return !columns->failed;
}

static bool get_values(struct byte_reader *columns, struct store_value *values, size_t count)
{
    uint64_t has = byte_reader__uleb(columns), factor = byte_reader__uleb(columns);
    if (has & ~(uint64_t)(VALUES_HAVE_BUCKETS | VALUES_HAVE_FACTOR) || !get_runs(columns, values, count))
        return false;
    for (size_t i = 0; i < count && (has & VALUES_HAVE_BUCKETS); i++) {
        uint64_t bucket = byte_reader__uleb(columns);
        if (bucket > BUCKETS_TOTAL)
            return false;
        values[i].bucket = (uint16_t)bucket;
    }
    for (size_t i = 0; i < count; i++)
        values[i].count = byte_reader__uleb(columns) + 1;
    for (size_t i = 0; i < count; i++)
        values[i].value = has & VALUES_HAVE_FACTOR ? values[i].count * factor : byte_reader__uleb(columns);
    return !columns->failed && columns->at == columns->end;
}

int packer__unpack_values(struct packer *packer, const void *blob, size_t blob_bytes, uint32_t event,
                          struct store_value **ret_values, size_t *ret_count)
{
    struct byte_reader columns;
    size_t count;
    int err = unseal(packer, blob, blob_bytes, &columns, &count);
    if (!err)
        err = reserve_values(packer, count);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        packer->values[i] = (struct store_value){.event = event};
    if (!get_values(&columns, packer->values, count))
        return -EBADMSG;
    *ret_values = packer->values;
    *ret_count = count;
    return 0;
}

int packer__pack_nodes(struct packer *packer, uint32_t first, const struct pack_node *nodes, size_t count,
                       const struct buf **ret_blob)
{
    struct buf *columns = &packer->columns;
    buf__clear(columns);
    for (size_t i = 0; i < count; i++)
        buf__append_varint(columns, first + i - 1 - nodes[i].parent);
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        buf__append_zigzag(columns, nodes[i].frame - before);
        before = nodes[i].frame;
    }
    return seal(packer, count, ret_blob);
}

int packer__unpack_nodes(struct packer *packer, const void *blob, size_t blob_bytes, uint32_t first, size_t count,
                         uint32_t *parents, uint32_t *frames)
{
    struct byte_reader columns;
    size_t rows;
    int err = unseal(packer, blob, blob_bytes, &columns, &rows);
    if (err)
        return err;
    if (rows != count)
        return -EBADMSG;
    for (size_t i = 0; i < count; i++) {
        uint64_t back = byte_reader__uleb(&columns);
        if (back >= (uint64_t)first + i)
            return -EBADMSG;
        parents[i] = (uint32_t)(first + i - 1 - back);
    }
    int64_t frame = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t delta = byte_reader__zigzag(&columns);
        if (delta > UINT32_MAX || delta < -(int64_t)UINT32_MAX)
            return -EBADMSG;
        frame += delta;
        if (frame < 0 || frame > UINT32_MAX)
            return -EBADMSG;
        frames[i] = (uint32_t)frame;
    }
    return columns.failed || columns.at != columns.end ? -EBADMSG : 0;
}

int packer__pack_counts(struct packer *packer, const uint64_t *counts, size_t count, const struct buf **ret_blob)
{
    struct buf *columns = &packer->columns;
    size_t rows = 0, before = 0;
    buf__clear(columns);
    for (size_t i = 0; i < count; i++) {
        if (!counts[i])
            continue;
        buf__append_varint(columns, i - before);
        before = i;
        rows++;
    }
    for (size_t i = 0; i < count; i++)
        if (counts[i])
            buf__append_varint(columns, counts[i] - 1);
    return seal(packer, rows, ret_blob);
}

int packer__unpack_counts(struct packer *packer, const void *blob, size_t blob_bytes, uint64_t *counts)
{
    struct byte_reader columns;
    size_t rows;
    uint16_t buckets[BUCKETS_TOTAL];
    int err = unseal(packer, blob, blob_bytes, &columns, &rows);
    if (err)
        return err;
    if (rows > BUCKETS_TOTAL)
        return -EBADMSG;
    uint64_t bucket = 0;
    for (size_t i = 0; i < rows; i++) {
        uint64_t delta = byte_reader__uleb(&columns);
        if (delta >= BUCKETS_TOTAL || bucket + delta >= BUCKETS_TOTAL)
            return -EBADMSG;
        bucket += delta;
        buckets[i] = (uint16_t)bucket;
    }
    memset(counts, 0, BUCKETS_TOTAL * sizeof(*counts));
    for (size_t i = 0; i < rows; i++)
        counts[buckets[i]] = byte_reader__uleb(&columns) + 1;
    return columns.failed || columns.at != columns.end ? -EBADMSG : 0;
}
