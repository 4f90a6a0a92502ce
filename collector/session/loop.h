// Waits for descriptors: each is registered with the function that is called when it can be read.
//
//   loop__add(loop, signal_fd, on_signal, recorder);
//   loop__add_timer(loop, 5000000000u, true, on_drain, recorder);
//   err = loop__run(loop, &fault);
//
// A call may add and remove descriptors, its own too, and end the loop. A descriptor that stays readable waits for its
// turn behind the others. One thread.
#ifndef HEARTH_COLLECTOR_SESSION_LOOP_H
#define HEARTH_COLLECTOR_SESSION_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct loop;

// Not 0: the loop ends with that error.
typedef int loop_call_fn(void *own, struct fault *fault);

int loop__new(struct loop **ret_loop); // -ENOMEM, -EMFILE
void loop__free(struct loop *loop);

// The descriptor stays the caller's. One that was closed since it was added is waited for no more, and may be added
// again, by the same number too. -errno.
int loop__add(struct loop *loop, int fd, loop_call_fn *call, void *own);
void loop__remove(struct loop *loop, int fd); // nothing happens where it was never added

// Calls after so long, once or again and again; what was missed meanwhile is one call. -errno.
int loop__add_timer(struct loop *loop, uint64_t after_ns, bool repeats, loop_call_fn *call, void *own);

// Until loop__stop(), which holds from when it is called on, or the first error.
int loop__run(struct loop *loop, struct fault *fault);
void loop__stop(struct loop *loop);
bool loop__is_stopped(const struct loop *loop);

DEFINE_CLEANUP(struct loop *, loop__free);

#endif
