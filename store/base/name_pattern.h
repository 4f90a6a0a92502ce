// The one rule by which every command takes --comm: for names of threads, live and stored.
//
// The kernel keeps 15 bytes of a thread's name (TASK_COMM_LEN) and cuts what is longer, so the first 15 bytes of a name
// are compared. The pattern is a shell's: `*` any bytes, `?` one byte, `[...]` one of these, `\` before any of
// them the byte itself. A pattern is cut like a name, behind the parts that stand for its first 15 bytes, so that
// `a-very-long-program-name` finds the thread that the kernel calls `a-very-long-pro`. A pattern that goes on for more
// than 15 bytes behind a `*` cannot be cut and matches no name: name_pattern__parse refuses it.
//
// Compiled, a pattern is an automaton of at most 16 states, state N for "N of its parts have matched", a bit each in a
// word. One load and four operations a byte step all of them: short enough to run in the kernel, on every sample
// (bpf/wire/name_pattern.h).
#ifndef HEARTH_STORE_BASE_NAME_PATTERN_H
#define HEARTH_STORE_BASE_NAME_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/fault.h"

#define NAME_PATTERN_BYTES 15 // TASK_COMM_LEN - 1

struct name_pattern {
    uint32_t steps[256]; // by byte: low half, the states that go on to the next one; high half, those that stay
    uint32_t end;        // the last state's bit
};

// For the row of --comm in every table of options.
#define NAME_PATTERN_HELP "only threads of this name: 15 bytes count, as in the kernel; * ? [...] as in a shell"

// -EINVAL and EXIT_CODE_USAGE where no name could match.
int name_pattern__parse(const char *text, struct fault *fault, struct name_pattern *ret_pattern);
bool name_pattern__matches(const struct name_pattern *pattern, const char *name);

#endif
