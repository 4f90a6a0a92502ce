// A row of the table histogram_total.
#ifndef HEARTH_STORE_READER_READER_HISTOGRAM_H
#define HEARTH_STORE_READER_READER_HISTOGRAM_H

#include "store/base/bucket.h"
#include "store/reader/reader_insides.h"

// Those of an interval.
#define READER_HISTOGRAM_ROWS                                                                                          \
    "SELECT event, key, sum, min, max, unmatched, data FROM histogram_total WHERE interval = ? ORDER BY event, key"

// All but the event, from the row that the statement stands at. The counts are borrowed by the histogram. -EBADMSG:
// damaged.
int reader_histogram__read(struct store_reader *reader, struct packer *packer, sqlite3_stmt *statement,
                           uint64_t counts[BUCKETS_TOTAL], struct store_histogram *histogram);

#endif
