// The rows of one store file for what outlives the file: a process, code and a place in it, a mark, an event. One for
// each store file, begun empty and freed with it; nobody else keeps a row of a store.
//
//   interned__thread(interned, &process, tid, comm, &thread);
//   interned__frame(interned, &code, place, &frame, &is_new);
//   interned__stack(interned, frames, count, &node);
//
// Errors are the writer's: -ENOBUFS where its memory is full. Main thread only.
#ifndef HEARTH_COLLECTOR_KEEP_INTERNED_H
#define HEARTH_COLLECTOR_KEEP_INTERNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/naming/code.h"
#include "store/base/cleanup.h"
#include "store/store_types.h"
#include "store/writer/writer.h"

struct interned;

// The writer is borrowed, and outlives it. -ENOMEM.
int interned__new(struct store_writer *writer, struct interned **ret_interned);
void interned__free(struct interned *interned);

// The event at this place among the recording's; interned__events() has the rows in the same order. -E2BIG.
int interned__set_event(struct interned *interned, size_t index, const struct store_event *event);
const uint32_t *interned__events(const struct interned *interned);

int interned__thread(struct interned *interned, const struct store_process *process, uint32_t tid, const char *comm,
                     uint32_t *ret_thread);
// ret_is_new: the file had no such frame, and wants a name for it.
int interned__frame(struct interned *interned, const struct code *code, uint64_t place, uint32_t *ret_frame,
                    bool *ret_is_new);
// A frame that is no code, named at once. `mark` is a constant of the program.
int interned__mark(struct interned *interned, const char *mark, uint32_t *ret_frame);
// Frames, root first.
int interned__stack(struct interned *interned, const uint32_t *frames, size_t count, uint32_t *ret_node);

DEFINE_CLEANUP(struct interned *, interned__free);

#endif
