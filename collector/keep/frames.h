// The frames of one stack as the store has them: takes them leaf first, as they come from the kernel, makes each a
// (binary, place) of the store file, asks for names of the new ones, and gives the node of the whole stack.
//
//   frames__begin(frames, file);
//   frames__push_mark(frames, "[D: disk sleep]");
//   frames__push_stack(frames, drain, key->kernel_stack, NULL, &status);
//   frames__push_stack(frames, drain, key->user_stack, process, &status);
//   frames__node(frames, &node);
//
// Errors are the writer's: -ENOBUFS where its memory is full. Main thread only.
#ifndef HEARTH_COLLECTOR_KEEP_FRAMES_H
#define HEARTH_COLLECTOR_KEEP_FRAMES_H

#include <stdint.h>

#include "bpf/wire/wire.h"
#include "collector/keep/store_file.h"
#include "collector/naming/naming.h"
#include "collector/programs/drain.h"
#include "collector/who/processes.h"
#include "store/base/cleanup.h"

struct frames;

struct frames_parts { // borrowed; they outlive the frames
    struct binaries *binaries;
    struct processes *processes;
    struct naming *naming;
    const struct guest_codes *guests; // NULL: no stack has functions of guests
};

int frames__new(const struct frames_parts *parts, struct frames **ret_frames);
void frames__free(struct frames *frames);
DEFINE_CLEANUP(struct frames *, frames__free);

void frames__begin(struct frames *frames, struct store_file *file); // borrowed

// A frame that is no code. `mark` is a constant of the program; NULL or "": nothing is pushed.
int frames__push_mark(struct frames *frames, const char *mark);

// The frames behind a stack id of the drain; process NULL: the kernel's. WIRE_STACK_MISSING: the drain has no such
// stack.
int frames__push_stack(struct frames *frames, const struct drain *drain, uint64_t id, struct process *process,
                       enum wire_stack_status *ret_status);

int frames__node(struct frames *frames, uint32_t *ret_node);

#endif
