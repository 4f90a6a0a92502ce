// The source of a report: an open store, the event and the query that a request means there.
#ifndef HEARTH_REPORT_QUERY_SOURCE_H
#define HEARTH_REPORT_QUERY_SOURCE_H

#include "report/formats/format.h"
#include "report/imports/imported.h"
#include "report/profile/fold.h"
#include "report/profile/loss_list.h"
#include "report/query/report_request.h"
#include "store/reader/reader.h"

struct source {
    const char *path;
    struct imported imported; // where the path is not a store's
    struct store_reader *reader;
    const struct store_event *event;
    struct store_query query;
    struct fold_extent extent; // of what was found
    struct loss_list losses;
    bool for_histogram;          // buckets are wanted, not stacks
    bool has_others;             // the event was chosen among several, by a rule, not by the user
    enum layout_measure measure; // "samples" are counted, all else is added up by value
};

// A store may hold samples of an event and a histogram of it, by one name. Where the request names no event and several
// would do, "cpu" is taken.
enum source_wish {
    SOURCE_STACKS,
    SOURCE_FIRST_STACKS, // without "cpu": the first of them
    SOURCE_HISTOGRAM,    // wanted where the request has buckets, too
};

// -EINVAL with EXIT_CODE_USAGE for an event or a bucket that is not there, or where the event must be chosen. On
// failure too the source must be released.
int source__open(const char *path, const struct report_request *request, enum source_wish wish, struct fault *fault,
                 struct source *source);
// "cpu, off-cpu, off-cpu (histogram)": the names of the store's events, but for that one (NULL: all).
void source__list_events(const struct store_reader *reader, bool only_histograms, const struct store_event *but,
                         char *ret_list, size_t bytes);
void source__release(struct source *source);

// The losses of the intervals asked for.
int source__add_losses(struct source *source, struct fault *fault);

// Widens the extent to all intervals of the range, whatever is in them.
int source__widen(struct source *source, struct fault *fault);
// -ENODATA and EXIT_CODE_EMPTY, with words that say what there is instead.
int source__nothing(struct source *source, struct fault *fault);

// -EINVAL and EXIT_CODE_USAGE: what was asked for needs values with buckets.
int source__no_buckets(const struct source *source, struct fault *fault);

#endif
