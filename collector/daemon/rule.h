// A rule of the daemon's file, by which more is recorded while something goes wrong; without the kernel.
//
//   when = cpu of unit nginx > 150% for 30s: -F 499 -e off-cpu -d 60
//   when = cpu of comm worker* > 90%
//   when = p99 of runq > 20ms
//   when = memory pressure > 10%
//
// Before ": " stands the condition, behind it the words of a recording beside the daemon's own (side_words.h), to which
// the culprit is added; without them: RULE_WORDS. cpu: of all that match, 100% is one CPU, by the samples of the event
// cpu; names are shell patterns. p99: of a histogram's values in an interval; with --by comm, pid, tid or cgroup the
// key with the highest is the culprit. pressure: avg10 of "some" in /proc/pressure. `for`: how long the condition must
// hold; without it, one interval is enough.
#ifndef HEARTH_COLLECTOR_DAEMON_RULE_H
#define HEARTH_COLLECTOR_DAEMON_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/fault.h"
#include "store/base/limits.h"

#define RULE_WORDS "-F 499 -e cpu -e off-cpu -d 30"

enum rule_kind { RULE_CPU, RULE_P99, RULE_PRESSURE };
enum rule_who { RULE_UNIT, RULE_COMM, RULE_CGROUP, RULE_CONTAINER, RULE_PID, RULE_USER, RULE_WHO_COUNT };

struct rule {
    char text[LIMIT_RULE_BYTES];
    enum rule_kind kind;
    enum rule_who who;                // of RULE_CPU
    char name[LIMIT_RULE_NAME_BYTES]; // whose CPU time; the histogram; the resource: memory, cpu, io
    uint32_t id;                      // of RULE_PID and RULE_USER
    double above;                     // percent, or ns
    uint64_t hold_ns;
    char words[LIMIT_SIDE_WORD_BYTES]; // each with its NUL
    uint32_t word_count;
    // How it goes on:
    uint64_t since_ns; // the condition has held since; 0: it does not
    uint64_t fired_ns; // 0: never
};

// -EINVAL with a fault, which says why.
int rule__parse(const char *text, struct rule *ret_rule, struct fault *fault);

// An interval from start_ns to end_ns had this value. Whether more is to be recorded now: the condition has held for
// long enough, and the last time is LIMIT_RULE_PAUSE_NS ago. Times by one clock that never goes back.
bool rule__judge(struct rule *rule, double value, uint64_t start_ns, uint64_t end_ns);

#endif
