// Sums of all that the daemon has recorded since it began, as its metrics tell them: one flat record of a bounded size,
// without pointers, which the recording process writes and the process that serves metrics reads.
#ifndef HEARTH_COLLECTOR_METRICS_METRICS_TOTALS_H
#define HEARTH_COLLECTOR_METRICS_METRICS_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/metrics/metrics_names.h"
#include "store/base/bucket.h"
#include "store/base/wide.h"

enum metrics_by { METRICS_BY_UNIT, METRICS_BY_COMM, METRICS_BY_BINARY, METRICS_BY_COUNT };
enum metrics_unit { METRICS_SECONDS, METRICS_BYTES, METRICS_VALUES, METRICS_UNIT_COUNT };

// Counts by powers of two: steps[0] has the values up to 0, steps[k] those of k binary digits.
#define METRICS_STEPS 65

struct metrics_histogram {
    char event[METRICS_NAME_BYTES], key[METRICS_NAME_BYTES]; // clean; key "": there are no keys
    enum metrics_unit unit;
    bool has_negative;
    wide sum; // in ns, bytes or whatever the values are
    uint64_t count, unmatched, steps[METRICS_STEPS];
};

struct metrics_totals {
    uint64_t intervals, incidents, last_end_ns;       // CLOCK_REALTIME
    char events[WIRE_EVENTS_MAX][METRICS_NAME_BYTES]; // of the last interval, clean; "": none
    uint64_t cpu_ns;                                  // of all processes
    struct metrics_name names[METRICS_BY_COUNT][LIMIT_METRICS_NAMES];
    size_t name_count[METRICS_BY_COUNT];
    uint64_t others_ns[METRICS_BY_COUNT];
    struct metrics_histogram histograms[LIMIT_METRICS_HISTOGRAMS];
    size_t histogram_count;
    uint64_t losses[WIRE_LOSS_COUNT];
    uint64_t own_cpu_ns, own_bpf_ns, own_written_bytes;
    uint64_t own_rss_bytes, own_map_bytes; // of the last interval
    uint64_t server_cpu_ns;                // of the process that answers, which fills it in
};

#endif
