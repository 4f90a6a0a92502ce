#include "store/reader/reader_histogram.h"

#include <errno.h>

#include "store/base/bucket.h"

enum { EVENT, KEY, SUM, MIN, MAX, UNMATCHED, DATA };

static uint64_t number_at(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

// 64 bits mean a number below 0 where there is a bucket for it: the extremes lie in the outermost ones.
static wide signed_or_not(uint64_t bits, bool is_signed)
{
    return is_signed ? (wide)(int64_t)bits : (wide)bits;
}

static bool has_counts(const uint64_t *counts, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (counts[i])
            return true;
    return false;
}

// Of a sum in digits: 2^63 values a second for a century are less.
enum { DIGITS_MAX = 30 };

// 64 bits, or digits (writer_rows.c). Digits of another hand: -EBADMSG.
static int read_sum(sqlite3_stmt *statement, int column, bool is_signed, wide *ret_sum)
{
    if (sqlite3_column_type(statement, column) == SQLITE_INTEGER) {
        *ret_sum = signed_or_not(number_at(statement, column), is_signed);
        return 0;
    }
    const char *digits = sqlite3_column_blob(statement, column);
    int count = sqlite3_column_bytes(statement, column);
    bool is_minus = count > 0 && *digits == '-';
    wide sum = 0;
    if (count <= is_minus || count > DIGITS_MAX)
        return -EBADMSG;
    for (int i = is_minus; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -EBADMSG;
        sum = sum * 10 + (digits[i] - '0');
    }
    *ret_sum = is_minus ? -sum : sum;
    return 0;
}

int reader_histogram__read(struct store_reader *reader, struct packer *packer, sqlite3_stmt *statement,
                           uint64_t counts[BUCKETS_TOTAL], struct store_histogram *histogram)
{
    const void *blob = sqlite3_column_blob(statement, DATA);
    wide sum;
    uint32_t key;
    int err =
        blob ? packer__unpack_counts(packer, blob, (size_t)sqlite3_column_bytes(statement, DATA), counts) : -EBADMSG;
    if (err)
        return err;
    bool has_below = has_counts(counts, BUCKET_COUNT, BUCKETS_TOTAL), has_above = has_counts(counts, 0, BUCKET_COUNT);
    err = read_sum(statement, SUM, has_below, &sum);
    if (!err)
        err = reader__text(&reader->words, statement, KEY, &key);
    if (err)
        return err;
    histogram->key = texts__text(&reader->words, key);
    histogram->sum = sum;
    histogram->min = signed_or_not(number_at(statement, MIN), has_below);
    histogram->max = signed_or_not(number_at(statement, MAX), has_below && !has_above);
    histogram->unmatched = number_at(statement, UNMATCHED);
    histogram->counts = counts;
    histogram->count_of_buckets = BUCKETS_TOTAL;
    return 0;
}
