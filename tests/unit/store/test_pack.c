// Packed columns: what goes in comes out, and no damage ever gets through or reads beyond the blob.
#include "store/pack.h"

#include <stdlib.h>

#include "store/base/bucket.h"
#include "store/base/crc32c.h"
#include "tests/unit/store/fixture.h"

static uint64_t any_number(void)
{
    return any(4) ? any(200) : hash__mix(any(UINT64_MAX)) >> any(64);
}

static int compare(const void *a, const void *b)
{
    const struct store_value *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (int)x->bucket - (int)y->bucket;
}

// kind 0: anything; 1: as cpu samples are; 2: histogram's
static struct store_value *any_values(size_t count, unsigned kind)
{
    struct store_value *values = calloc(count + 1, sizeof(*values));
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        values[i] = (struct store_value){.event = 3,
                                         .thread = (uint32_t)(kind ? 1 + any(20) : any(UINT32_MAX)),
                                         .node = (uint32_t)any(kind ? 5000 : UINT32_MAX),
                                         .bucket = (uint16_t)(kind == 2 ? 1 + any(BUCKETS_TOTAL) : 0),
                                         .count = kind ? 1 + any(9) : any_number()};
        values[i].value = kind == 1 ? values[i].count * 10101010 : any_number();
    }
    qsort(values, count, sizeof(*values), compare);
    return values;
}

static void values_come_back(void **state)
{
    struct packer *packer = *state;
    for (size_t round = 0; round < 60; round++) {
        size_t count = round < 3 ? round : any(3000), unpacked_count;
        _cleanup_free_ struct store_value *values = any_values(count, round % 3);
        const struct buf *blob;
        struct store_value *unpacked;
        must(packer__pack_values(packer, values, count, &blob));
        must(packer__unpack_values(packer, blob->data, blob->length_bytes, 3, &unpacked, &unpacked_count));
        assert_int_equal(unpacked_count, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(unpacked[i].event, 3);
            assert_int_equal(unpacked[i].thread, values[i].thread);
            assert_int_equal(unpacked[i].node, values[i].node);
            assert_int_equal(unpacked[i].bucket, values[i].bucket);
            assert_int_equal(unpacked[i].count, values[i].count);
            assert_int_equal(unpacked[i].value, values[i].value);
        }
    }
}

static void nodes_come_back(void **state)
{
    struct packer *packer = *state;
    for (size_t round = 0; round < 60; round++) {
        size_t count = round < 2 ? round + 1 : 1 + any(3000);
        uint32_t first = (uint32_t)(1 + any(1 << 24));
        struct pack_node nodes[3001];
        uint32_t parents[3001], frames[3001];
        for (size_t i = 0; i < count; i++)
            nodes[i] = (struct pack_node){.parent = (uint32_t)(any(3) ? first + i - 1 : any(first + i)),
                                          .frame = (uint32_t)(any(2) ? any(500) : any(UINT32_MAX))};
        const struct buf *blob;
        must(packer__pack_nodes(packer, first, nodes, count, &blob));
        must(packer__unpack_nodes(packer, blob->data, blob->length_bytes, first, count, parents, frames));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(parents[i], nodes[i].parent);
            assert_int_equal(frames[i], nodes[i].frame);
        }
        // The number of nodes stands in the table, too.
        assert_int_equal(
            packer__unpack_nodes(packer, blob->data, blob->length_bytes, first, count - 1, parents, frames), -EBADMSG);
    }
}

static void counts_come_back(void **state)
{
    struct packer *packer = *state;
    for (size_t round = 0; round < 40; round++) {
        uint64_t counts[BUCKETS_TOTAL] = {0}, unpacked[BUCKETS_TOTAL];
        for (size_t i = 0; i < any(BUCKETS_TOTAL + 1); i++)
            counts[any(BUCKETS_TOTAL)] = any_number();
        counts[BUCKETS_TOTAL - 1] = round % 2 ? UINT64_MAX : 0;
        const struct buf *blob;
        must(packer__pack_counts(packer, counts, BUCKETS_TOTAL, &blob));
        must(packer__unpack_counts(packer, blob->data, blob->length_bytes, unpacked));
        assert_memory_equal(counts, unpacked, sizeof(counts));
    }
}

// A copy of exactly its size, so that the sanitizer sees each read beyond it.
static uint8_t *copy(const struct buf *blob)
{
    uint8_t *bytes = malloc(blob->length_bytes);
    assert_non_null(bytes);
    memcpy(bytes, blob->data, blob->length_bytes);
    return bytes;
}

static void every_flipped_bit_is_seen(void **state)
{
    struct packer *packer = *state;
    _cleanup_free_ struct store_value *values = any_values(40, 1);
    const struct buf *blob;
    must(packer__pack_values(packer, values, 40, &blob));
    _cleanup_free_ uint8_t *bytes = copy(blob);
    size_t length = blob->length_bytes, count;
    struct store_value *unpacked;
    for (size_t bit = 0; bit < 8 * length; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(packer__unpack_values(packer, bytes, length, 1, &unpacked, &count), -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    must(packer__unpack_values(packer, bytes, length, 1, &unpacked, &count));
    for (size_t cut = 0; cut < length; cut++) {
        _cleanup_free_ uint8_t *shorter = malloc(cut + 1);
        memcpy(shorter, bytes, cut);
        assert_int_equal(packer__unpack_values(packer, shorter, cut, 1, &unpacked, &count), -EBADMSG);
    }
}

// Malice can make the sum right. Whatever comes out then, it comes without reading beyond the blob or past its bounds.
static void a_right_sum_over_nonsense_is_harmless(void **state)
{
    struct packer *packer = *state;
    size_t refused = 0, taken = 0;
    for (size_t round = 0; round < 3000; round++) {
        _cleanup_free_ struct store_value *values = any_values(5 + any(20), round % 3);
        const struct buf *blob;
        must(packer__pack_values(packer, values, 5, &blob));
        _cleanup_free_ uint8_t *bytes = copy(blob);
        size_t length = blob->length_bytes, count;
        for (size_t i = 0; i < 1 + any(3); i++)
            bytes[6 + any(length - 6)] = (uint8_t)any(256);
        bytes[1] = (uint8_t)any(2);
        uint32_t crc = crc32c(0, bytes + 6, length - 6);
        memcpy(bytes + 2, &crc, sizeof(crc));
        struct store_value *unpacked;
        uint32_t parents[64], frames[64];
        uint64_t counts[BUCKETS_TOTAL];
        if (packer__unpack_values(packer, bytes, length, 1, &unpacked, &count)) {
            refused++;
        } else {
            taken++;
            for (size_t i = 0; i < count; i++)
                assert_true(unpacked[i].bucket <= BUCKETS_TOTAL);
        }
        if (packer__unpack_nodes(packer, bytes, length, 7, 5, parents, frames) == 0)
            for (uint32_t i = 0; i < 5; i++)
                assert_true(parents[i] < 7 + i);
        packer__unpack_counts(packer, bytes, length, counts);
    }
    assert_true(refused > 100 && taken > 100);
}

static int make_packer(void **state)
{
    return packer__new((struct packer **)state);
}

static int free_packer(void **state)
{
    packer__free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(nodes_come_back),
        cmocka_unit_test(counts_come_back),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_right_sum_over_nonsense_is_harmless),
    };
    return cmocka_run_group_tests_name("store: pack", tests, make_packer, free_packer);
}
