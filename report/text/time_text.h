// Points in time as journalctl takes them (systemd.time(7)):
//
//   now  today  yesterday  tomorrow        12:30  12:30:05.5  2026-11-21  2026-11-21 12:30  2026-11-21T12:30:05Z
//   -1h  +5min  -1h30m  "2 days ago"       @1795264200  @1795264200.25
//
// Without a zone ("UTC", "Z", "+02:00") in local time; relative ones are relative to now.
#ifndef HEARTH_REPORT_TEXT_TIME_TEXT_H
#define HEARTH_REPORT_TEXT_TIME_TEXT_H

#include <stdint.h>

#include "store/base/fault.h"

// Wall-clock nanoseconds since 1970, never 0. -EINVAL with a fault where the text is no such time.
int time_text__parse(const char *text, uint64_t now_ns, struct fault *fault, uint64_t *ret_ns);

#endif
