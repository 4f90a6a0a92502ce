// The control socket of the daemon: who may ask, and how much. Requests are one packet each, answers some; the form of
// both is that of store/system/control_client.h. Nothing here waits: an asker that is silent, or does not read, is
// closed.
#ifndef HEARTH_COLLECTOR_DAEMON_CONTROL_H
#define HEARTH_COLLECTOR_DAEMON_CONTROL_H

#include <sys/types.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "store/system/control_client.h"

struct loop;
struct control;
struct asker; // one connection, with one request

// Called once for each asker, which is answered, and ended sooner or later.
typedef void control_request_fn(void *context, struct asker *asker, int argc, const char *const *argv);

// Makes the socket and its folder: mode 0660, of the group CONTROL_GROUP where there is one. -EADDRINUSE: another
// daemon answers there. All with a fault. `context` is that of `request`.
int control__new(const char *path, control_request_fn *request, void *context, struct fault *fault,
                 struct control **ret_control);
void control__free(struct control *control); // removes the socket

// To be called for each loop of the daemon, and with NULL before it goes.
int control__watch(struct control *control, struct loop *loop);

// As "root" or "user 1000": for the log.
void asker__whose(const struct asker *asker, char *ret_text, size_t bytes);
// The text may be longer than a packet; a descriptor (-1: none) goes with the first.
void asker__answer(struct asker *asker, enum control_letter letter, const char *text, int fd);
void asker__end(struct asker *asker, enum exit_code code);
// Sets a function to call when the asker leaves before it was ended: one that may still be answered, and is to be
// ended.
void asker__on_leave(struct asker *asker, void (*left)(void *context), void *context);

DEFINE_CLEANUP(struct control *, control__free);

#endif
