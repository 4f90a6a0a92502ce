#include "collector/unwinding/copy_stacks.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/hash.h"
#include "symbolizer/elf/vdso.h"

_Static_assert(COPY_FRAMES_MAX == WIRE_USER_FRAMES_MAX && ARCH_REGISTERS == ARCH_REGISTERS, "both sides keep as much");
_Static_assert((int)COPY_STACK_COMPAT == (int)WIRE_STACK_COMPAT, "both are bpf/wire/stack_status.def");

struct kept_chunk {
    uint64_t id;
    struct wire_chunk chunk;
};

// The stacks unwound of one set, until it is drained.
struct kept {
    struct kept_chunk *chunks;
    size_t count, capacity;
};

struct copy_stacks {
    struct binaries *binaries;
    struct processes *processes;
    struct perf_records *records; // of the processes
    struct process *process;      // of the copy at hand
    struct ring_buffer *ring;
    struct copy_unwind *unwind;
    struct kept sets[2];
    uint64_t cut, broken;
    struct copy_result result;
    copy_pair_fn *take_pair; // NULL: not for comparing
    void *take_context;
};

static bool find_mapping(uint64_t address, struct copy_mapping *ret_mapping, void *context)
{
    struct copy_stacks *copies = context;
    const struct mapping *found = process__find(copies->processes, copies->process, address);
    if (!found)
        return false;
    struct binary *binary = found->binary;
    *ret_mapping =
        (struct copy_mapping){.start = found->start, .end = found->end, .file_offset = found->file_offset, .fd = -1};
    if (binary->kind == STORE_BINARY_JIT)
        return true;
    binaries__open(copies->binaries, binary, (pid_t)copies->process->tgid, found->start, found->end);
    ret_mapping->binary = binary->number;
    ret_mapping->fd = binary->fd;
    if (binary->kind == STORE_BINARY_VDSO) {
        ret_mapping->file_offset = 0;
        (void)vdso__image(&ret_mapping->image, &ret_mapping->image_bytes); // without one there is no such mapping
    }
    return true;
}

static struct wire_chunk *add_chunk(struct kept *kept, uint64_t id)
{
    if (GROW(kept->chunks, kept->capacity, kept->count + 1) != 0)
        return NULL;
    kept->chunks[kept->count] = (struct kept_chunk){.id = id};
    return &kept->chunks[kept->count++].chunk;
}

static uint64_t wire_frame(const struct copy_frame *frame)
{
    return frame->binary ? WIRE_FRAME(frame->binary, frame->offset) : frame->offset;
}

// The chunks of one stack, leaf first: the first has the copy's id, the others what follows from it.
static int keep(struct copy_stacks *copies, const struct wire_copy *copy)
{
    const struct copy_result *result = &copies->result;
    uint64_t id = copy->id;
    for (size_t from = 0; from < result->count; from += WIRE_CHUNK_FRAMES) {
        struct wire_chunk *chunk = add_chunk(&copies->sets[copy->set & 1], id);
        if (!chunk)
            return -ENOMEM;
        size_t left = result->count - from, count = left < WIRE_CHUNK_FRAMES ? left : WIRE_CHUNK_FRAMES;
        id = hash__pair(copy->id, from + WIRE_CHUNK_FRAMES);
        chunk->caller = left > count ? id : 0;
        chunk->frame_count = (uint8_t)count;
        chunk->status = (uint8_t)result->status;
        for (size_t i = 0; i < count; i++)
            chunk->frames[i] = wire_frame(&result->frames[from + i]);
    }
    return 0;
}

static void compare(struct copy_stacks *copies, const struct wire_copy *copy)
{
    uint64_t kernel_frames[WIRE_USER_FRAMES_MAX], user_frames[COPY_FRAMES_MAX];
    struct copy_pair pair = {
        .tgid = copy->tgid,
        .kernel_count = copy->frame_count < WIRE_USER_FRAMES_MAX ? copy->frame_count : WIRE_USER_FRAMES_MAX,
        .user_count = copies->result.count,
        .kernel_frames = kernel_frames,
        .user_frames = user_frames,
        .kernel_status = copy->frame_status,
        .user_status = (enum wire_stack_status)copies->result.status,
        .binaries = copies->binaries,
    };
    for (size_t i = 0; i < pair.kernel_count; i++) {
        struct copy_mapping mapping;
        uint64_t frame = kernel_frames[i] = copy->frames[i];
        if (!(frame & WIRE_FRAME_IN_BINARY) && find_mapping(frame, &mapping, copies) && mapping.binary)
            kernel_frames[i] = WIRE_FRAME(mapping.binary, frame - mapping.start + mapping.file_offset);
    }
    for (size_t i = 0; i < pair.user_count; i++)
        user_frames[i] = wire_frame(&copies->result.frames[i]);
    copies->take_pair(&pair, copies->take_context);
}

// The function that has returned stands before its caller, in the call and not behind it.
static void put_returned(struct copy_stacks *copies, uint64_t function)
{
    struct copy_result *result = &copies->result;
    struct copy_mapping mapping;
    size_t kept = result->count < COPY_FRAMES_MAX ? result->count : COPY_FRAMES_MAX - 1;
    memmove(result->frames + 1, result->frames, kept * sizeof(result->frames[0]));
    result->count = kept + 1;
    result->frames[0] = (struct copy_frame){.offset = function};
    if (find_mapping(function, &mapping, copies) && mapping.binary)
        result->frames[0] =
            (struct copy_frame){.binary = mapping.binary, .offset = function - mapping.start + mapping.file_offset};
}

static int unwind(struct copy_stacks *copies, const struct wire_copy *copy)
{
    uint64_t registers[ARCH_REGISTERS];
    memcpy(registers, copy->registers, sizeof(registers));
    registers[ARCH_REGISTERS - 1] -= copy->returned_from != 0;
    struct copied_stack stack = {
        .registers = registers,
        .stack_address = copy->stack_address,
        .stack = copy->stack,
        .stack_bytes = copy->stack_bytes,
        .is_cut = copy->stack_bytes == WIRE_COPY_BYTES,
        .find = find_mapping,
        .context = copies,
    };
    copies->process = processes__get(copies->processes, copy->tgid, copy->start_boot_ns);
    if (!copies->process)
        return 0; // its count has no place either, and is counted as lost
    int err = copy->is_compat ? 0 : copy_unwind__run(copies->unwind, &stack, &copies->result);
    if (err)
        return err;
    if (copy->is_compat) {
        copies->result.frames[0] = (struct copy_frame){.offset = copy->registers[ARCH_REGISTERS - 1]};
        copies->result.count = 1;
        copies->result.status = COPY_STACK_COMPAT;
    }
    if (copy->returned_from)
        put_returned(copies, copy->returned_from);
    if (copies->take_pair) {
        compare(copies, copy);
        return 0;
    }
    enum copy_status status = copies->result.status;
    bool is_broken = status != COPY_STACK_WHOLE && status != COPY_STACK_CUT && status != COPY_STACK_FRAME_POINTERS;
    copies->cut += status == COPY_STACK_CUT ? copy->weight : 0;
    copies->broken += is_broken ? copy->weight : 0;
    return keep(copies, copy);
}

static int take(void *context, void *data, size_t bytes)
{
    const struct wire_copy *copy = data;
    struct copy_stacks *copies = context;
    if (bytes < offsetof(struct wire_copy, stack) || bytes < offsetof(struct wire_copy, stack) + copy->stack_bytes)
        return 0;
    int err = perf_records__read_to(copies->records, copies->processes, copy->time_ns);
    return err ? err : unwind(copies, copy);
}

int copy_stacks__new(const struct loader *loader, struct binaries *binaries, struct processes *processes,
                     struct perf_records *records, struct fault *fault, struct copy_stacks **ret_copies)
{
    _cleanup_(copy_stacks__freep) struct copy_stacks *copies = calloc(1, sizeof(*copies));
    if (!copies || copy_unwind__new(&copies->unwind) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    copies->binaries = binaries;
    copies->processes = processes;
    copies->records = records;
    copies->ring = ring_buffer__new(loader__map_fd(loader, "copies"), take, copies, NULL);
    if (!copies->ring)
        return fault__set(fault, -errno, "cannot map the ring buffer of copied stacks: %s", strerror(errno));
    *ret_copies = take_pointer(copies);
    return 0;
}

void copy_stacks__free(struct copy_stacks *copies)
{
    if (!copies)
        return;
    ring_buffer__free(copies->ring);
    copy_unwind__free(copies->unwind);
    for (int set = 0; set < 2; set++)
        free(copies->sets[set].chunks);
    free(copies);
}

int copy_stacks__fd(const struct copy_stacks *copies)
{
    return ring_buffer__epoll_fd(copies->ring);
}

int copy_stacks__read(struct copy_stacks *copies)
{
    int taken = ring_buffer__consume(copies->ring);
    return taken < 0 ? taken : 0;
}

void copy_stacks__compare(struct copy_stacks *copies, copy_pair_fn *take_pair, void *context)
{
    copies->take_pair = take_pair;
    copies->take_context = context;
}

int copy_stacks__hand_over(struct copy_stacks *copies, uint32_t set, struct drain *drain)
{
    struct kept *kept = &copies->sets[set & 1];
    int err = 0;
    for (size_t i = 0; i < kept->count && !err; i++)
        err = drain__put(drain, kept->chunks[i].id, &kept->chunks[i].chunk);
    kept->count = 0;
    return err;
}

uint64_t copy_stacks__cut(const struct copy_stacks *copies)
{
    return copies->cut;
}

uint64_t copy_stacks__broken(const struct copy_stacks *copies)
{
    return copies->broken;
}
