#include "collector/keep/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/naming/code.h"
#include "collector/naming/guest_codes.h"
#include "collector/who/kernel_map.h"

enum { FRAMES_MAX = WIRE_USER_FRAMES_MAX + WIRE_KERNEL_FRAMES_MAX + 8 };

struct frames {
    struct frames_parts parts;
    struct kernel_map *kernel;
    struct store_file *file;  // of the stack that is being put together
    uint32_t ids[FRAMES_MAX]; // leaf first, turned round at the end
    size_t count;
};

int frames__new(const struct frames_parts *parts, struct frames **ret_frames)
{
    _cleanup_(frames__freep) struct frames *frames = calloc(1, sizeof(*frames));
    if (!frames || kernel_map__new(&frames->kernel) != 0)
        return -ENOMEM;
    frames->parts = *parts;
    *ret_frames = take_pointer(frames);
    return 0;
}

void frames__free(struct frames *frames)
{
    if (!frames)
        return;
    kernel_map__free(frames->kernel);
    free(frames);
}

void frames__begin(struct frames *frames, struct store_file *file)
{
    frames->file = file;
    frames->count = 0;
}

static void push(struct frames *frames, uint32_t id)
{
    if (frames->count < FRAMES_MAX)
        frames->ids[frames->count++] = id;
}

// The one road of all code, whatever its kind, from a place in it to a frame of the store.
// `asked` is the place as the resolver knows it.
static int push_frame_as(struct frames *frames, const struct code *code, uint64_t place, uint64_t asked)
{
    uint32_t frame;
    bool is_new;
    int err = interned__frame(frames->file->interned, code, place, &frame, &is_new);
    if (!err && is_new)
        err = naming__want(frames->parts.naming, code, asked, store_file__tag(frames->file, frame));
    if (!err)
        push(frames, frame);
    return err;
}

static int push_frame(struct frames *frames, const struct code *code, uint64_t place)
{
    return push_frame_as(frames, code, place, place);
}

int frames__push_mark(struct frames *frames, const char *mark)
{
    uint32_t frame;
    if (!mark || !mark[0])
        return 0;
    int err = interned__mark(frames->file->interned, mark, &frame);
    if (!err)
        push(frames, frame);
    return err;
}

// --- Code

static int push_kernel_frame(struct frames *frames, uint64_t address)
{
    const struct kernel_part *part = kernel_map__find(frames->kernel, address);
    struct code code = {.kind = STORE_BINARY_KERNEL,
                        .path = part->name,
                        .build_id = part->build_id,
                        .build_id_bytes = part->build_id_bytes,
                        .number = part->number,
                        .start = part->start};
    return push_frame(frames, &code, address - part->start);
}

static int push_binary_frame(struct frames *frames, struct binary *binary, const struct process *process,
                             uint64_t place)
{
    struct code code = {.kind = binary->kind,
                        .path = binary->path,
                        .build_id = binary->contents.build_id,
                        .build_id_bytes = binary->contents.build_id_bytes,
                        .digest = binary->contents.digest,
                        .number = binary->number,
                        .binary = binary,
                        .process = process};
    return push_frame(frames, &code, place);
}

static int push_jit_frame(struct frames *frames, const struct process *process, uint64_t address)
{
    struct binary *binary;
    int err = binaries__jit(frames->parts.binaries, (pid_t)process->tgid, &binary);
    return err ? err : push_binary_frame(frames, binary, process, address);
}

// An address in no mapping that is known. All of them are one frame: address space randomization would make each
// process's a different one.
static int push_unknown(struct frames *frames)
{
    return frames__push_mark(frames, STORE_MARK_UNKNOWN);
}

static int push_address(struct frames *frames, struct process *process, uint64_t address)
{
    const struct mapping *mapping = process__find(frames->parts.processes, process, address);
    if (!mapping)
        return push_unknown(frames);
    struct binary *binary = mapping->binary;
    if (binary->kind == STORE_BINARY_JIT)
        return push_jit_frame(frames, process, address);
    binaries__open(frames->parts.binaries, binary, (pid_t)process->tgid, mapping->start, mapping->end);
    return push_binary_frame(frames, binary, NULL, address - mapping->start + mapping->file_offset);
}

// A function's frame: the same in every process and every recording, by its file, its name and first line, and the
// place.
static int push_guest_frame(struct frames *frames, uint64_t frame)
{
    const struct guest_code *guest =
        frames->parts.guests ? guest_codes__find(frames->parts.guests, WIRE_FRAME_GUEST_CODE(frame)) : NULL;
    struct code code = {.kind = STORE_BINARY_RUNTIME, .path = "", .guests = frames->parts.guests};
    if (!frames->parts.guests || (guest && guest->is_hidden))
        return 0;
    uint32_t kind = WIRE_FRAME_GUEST_KIND(frame);
    if (!guest) // all of one runtime are one frame
        return push_frame_as(frames, &code, kind, WIRE_FRAME_OF_GUEST(kind, 0, WIRE_GUEST_PLACE_NONE));
    code.path = guest->file;
    code.number = guest->file_number;
    return push_frame_as(frames, &code, guest->identity << WIRE_GUEST_PLACE_BITS | WIRE_FRAME_GUEST_PLACE(frame),
                         frame);
}

static int push_user_frame(struct frames *frames, struct process *process, uint64_t frame)
{
    if (WIRE_FRAME_IS_GUEST(frame))
        return push_guest_frame(frames, frame);
    if (!(frame & WIRE_FRAME_IN_BINARY))
        return push_address(frames, process, frame);
    struct binary *binary = binaries__by_number(frames->parts.binaries, WIRE_FRAME_BINARY(frame));
    return binary ? push_binary_frame(frames, binary, NULL, WIRE_FRAME_OFFSET(frame)) : push_unknown(frames);
}

// Kernel callers are return addresses: taken one byte back, into the call.
static int push_chunk(struct frames *frames, const struct wire_chunk *chunk, bool is_first, struct process *process)
{
    int err = 0;
    for (size_t i = 0; i < chunk->frame_count && i < WIRE_CHUNK_FRAMES && !err; i++)
        err = process ? push_user_frame(frames, process, chunk->frames[i])
                      : push_kernel_frame(frames, chunk->frames[i] - (is_first && i == 0 ? 0 : 1));
    return err;
}

int frames__push_stack(struct frames *frames, const struct drain *drain, uint64_t id, struct process *process,
                       enum wire_stack_status *ret_status)
{
    int err = 0;
    *ret_status = id == WIRE_STACK_LOST ? WIRE_STACK_MISSING : WIRE_STACK_WHOLE;
    if (id == WIRE_STACK_LOST)
        return 0;
    for (bool is_first = true; id && !err; is_first = false) {
        const struct wire_chunk *chunk = drain__chunk(drain, id);
        if (!chunk) {
            *ret_status = WIRE_STACK_MISSING;
            return 0;
        }
        if (is_first)
            *ret_status = chunk->status;
        err = push_chunk(frames, chunk, is_first, process);
        id = chunk->caller;
    }
    return err;
}

static void reverse(struct frames *frames)
{
    for (size_t i = 0, j = frames->count; i + 1 < j; i++) {
        uint32_t frame = frames->ids[i];
        frames->ids[i] = frames->ids[--j];
        frames->ids[j] = frame;
    }
}

int frames__node(struct frames *frames, uint32_t *ret_node)
{
    reverse(frames);
    return interned__stack(frames->file->interned, frames->ids, frames->count, ret_node);
}
