// A report straight from a store file: what `hearth report` does, for other commands (`hearth record -o out.html`).
//
//   struct report_request request = {0};            // everything, in the format that "out.html" names
//   struct report_summary summary;
//   err = report__write("hearth.db", &request, "out.html", &summary, &fault);
#ifndef HEARTH_REPORT_QUERY_REPORT_H
#define HEARTH_REPORT_QUERY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/query/report_request.h"
#include "store/base/fault.h"

// The numbers of the picture that was drawn, for the line that the command says after it.
struct report_summary {
    uint64_t samples;
    uint64_t value;              // in the event's unit
    uint64_t since_ns, until_ns; // of the intervals that had samples
    char buckets[160];           // "15.7 ms and above": where whole buckets made more of the range asked for; else ""
    char events[512],
        others[320];  // "'cpu', 'wall'", those shown, and those the store holds besides: where none was chosen; else ""
    bool lacks_lines; // lines or addresses were asked for, and part of the range is kept by function alone
    bool shows_losses; // the format has shown the losses itself
    char losses[512];  // "stack-cut 12, counts-full 3"; "" when nothing was lost
};

// Whether a file of this name is a report ("x.html", "x.pb.gz"), not a store.
bool report__is_report(const char *output);
// Whether it is one of a histogram ("x.hist.json").
bool report__is_of_histogram(const char *output);

// Whether a report can be written there, asked before hours are spent on what it is to show. Leaves nothing behind.
int report__check_output(const char *output, struct fault *fault);

// Writes the report of the store to the file `output` (aside, then renamed, so that it is there whole or not at all),
// or to stdout for "-". -ENODATA with EXIT_CODE_EMPTY when nothing is in the range, -EINVAL with EXIT_CODE_USAGE for
// an unknown format or event. ret_summary may be NULL.
int report__write(const char *store_path, const struct report_request *request, const char *output,
                  struct report_summary *ret_summary, struct fault *fault);

// Two ranges, processes or stores against each other: as report__write, with what was before beside it. The requests'
// titles name the sides. Where they ask for different processes, threads or comms, these are not told apart by name.
int report__compare(const char *before_path, const struct report_request *before, const char *after_path,
                    const struct report_request *after, const char *output, struct report_summary *ret_summary,
                    struct fault *fault);

#endif
