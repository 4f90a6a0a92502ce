// The words that a picture says of what it leaves out: "only comm sqlite3, pid 12".
#ifndef HEARTH_REPORT_QUERY_FILTER_WORDS_H
#define HEARTH_REPORT_QUERY_FILTER_WORDS_H

#include <stddef.h>

#include "report/query/report_request.h"
#include "store/reader/reader.h"

// Of the request's filters and of how it parts stacks, but not its range of time, which each picture has: clean, ""
// where it asks for everything. -ENOMEM.
int filter_words__make(const struct report_request *request, const struct store_query *query, const char *unit,
                       char **ret_words);

// The whole buckets that the query takes: "15.7 ms and above"; "" where it takes all.
#define FILTER_WORDS_BUCKETS_BYTES 160
void filter_words__buckets(const struct store_query *query, const char *unit,
                           char ret_text[FILTER_WORDS_BUCKETS_BYTES]);

#endif
