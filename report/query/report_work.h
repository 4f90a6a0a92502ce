// The picture of one event of a store, or of the difference of two: the store is read, and what the request asks for is
// made of it, in the form that the format draws.
#ifndef HEARTH_REPORT_QUERY_REPORT_WORK_H
#define HEARTH_REPORT_QUERY_REPORT_WORK_H

#include "report/formats/format.h"
#include "report/histograms/heatmap.h"
#include "report/profile/profile.h"
#include "report/query/report_request.h"
#include "report/query/source.h"
#include "store/base/fault.h"

// All that stands behind one report, or one difference.
struct report_work {
    const struct report_request *request, *before_request; // before: NULL without a difference
    const struct format *format;
    struct source source, before_source;
    struct picture_before before;
    struct profile *profile, *by_thread; // by_thread: of a format that holds threads
    uint32_t *thread_places;
    struct picture_threads threads;
    struct histogram_list histograms, before_histograms;
    struct heatmap heatmap;
    struct annotation annotation;
    struct picture picture;
    char *title, *before_name, *after_name; // clean
    struct report_work *others;             // of the store's other events, for a format that holds several
    const struct picture **other_pictures;
    char left_out[320];
};

void report_work__release(struct report_work *work);

// The source is open. -ENODATA: nothing in it is in the range, or passes the filters.
int report_work__draw(struct report_work *work, struct fault *fault);
// After report_work__draw(), of a difference: the side that is compared with. -ENODATA.
int report_work__draw_before(struct report_work *work, struct fault *fault);

// Functions, lines or frames: the nodes that stand apart in the profile.
enum profile_grain report_work__grain(const struct report_work *work);

#endif
