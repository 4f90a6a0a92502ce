// The daemon's totals as text that Prometheus scrapes: OpenMetrics 1.0, or the older format (0.0.4) for those who do
// not ask for it.
//
//   # TYPE hearth_unit_cpu_seconds counter
//   # UNIT hearth_unit_cpu_seconds seconds
//   # HELP hearth_unit_cpu_seconds CPU time by systemd unit
//   hearth_unit_cpu_seconds_total{unit="nginx.service"} 12.315789444
//   hearth_unit_cpu_seconds_total{unit="other"} 0.421052608
//   # EOF
//
// A histogram has classic buckets by powers of two: `le` is the greatest value that a bucket can have, so that the
// counts are exact. Native histograms have no text format: only protobuf carries them.
#ifndef HEARTH_COLLECTOR_METRICS_METRICS_TEXT_H
#define HEARTH_COLLECTOR_METRICS_METRICS_TEXT_H

#include "collector/metrics/metrics_totals.h"
#include "store/base/buf.h"

enum metrics_format { METRICS_OPENMETRICS, METRICS_PLAIN, METRICS_FORMAT_COUNT };

void metrics_text__append(struct buf *buf, const struct metrics_totals *totals, enum metrics_format format);

#endif
