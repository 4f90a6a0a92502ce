// A second thread of a worker: one task at a time, run while the first thread does something else. Made before the
// worker is locked in, for it may make none afterwards.
#ifndef HEARTH_SYMBOLIZER_JAIL_HELPER_H
#define HEARTH_SYMBOLIZER_JAIL_HELPER_H

#include <stdbool.h>
#include <stddef.h>

struct helper;

typedef void helper_fn(void *context);

// An error: there is none to be had; all works without, and slower. The thread lives as long as the process.
// `least_bytes`: shorter work is done by the caller.
int helper__new(size_t least_bytes, struct helper **ret_helper);
bool helper__is_worth(const struct helper *helper, size_t bytes); // false for NULL
// Begins a task. At once, in the caller's thread, when `helper` is NULL.
void helper__begin(struct helper *helper, helper_fn *task, void *context);
// Waits until the task is done.
void helper__wait(struct helper *helper);

#endif
