// The functions of guests (bpf/wire/guest.h) in the place of the native frame of their loop.
//
//   native    cfunction_call   _PyEval_EvalFrameDefault   list_sort   _PyEval_EvalFrameDefault   main
//   becomes   cfunction_call   key                        list_sort   sort_them, run, <module>   main
//
// The rule of a loop's code is marked (UNWIND_GUEST). A native frame spans [low, high) of the stack, from the stack
// pointer before the step to the one after it. Each loop has left something on the C stack, and is the one of the
// native frame where that lies; a loop that has not linked itself yet, or no more, stays native.
//
// A guest is three functions, called by its kind:
//
//   NAME__begin(walk, guest)   takes the offsets over, and finds the thread's state: walk->guest.anchor and frame
//   NAME__pair(walk)           readies the frames of the loop in [low, high); 0: it has none
//   NAME__frame(walk, frames)  puts one; 0: it was the loop's last, or walk->guest.step says what else
//
// A code object is known by its contents. guest_ids keeps their numbers; in front of it stands a cache by (process,
// address, what the code object points to), since memory is used again for other code objects.
#ifndef HEARTH_BPF_UNWIND_GUEST_H
#define HEARTH_BPF_UNWIND_GUEST_H

#include "bpf/arch/machine.bpf.h"
#include "bpf/unwind/unwind_maps.bpf.h"

#include <bpf/bpf_core_read.h>

struct guest_name { // two hashes of all that names a code object
    __u64 a, b;
};

struct guest_id {
    __u32 id;
    __u32 is_announced; // the collector has its note
};

struct guest_cached {
    __u64 code, check;
    __u32 epoch, id;
};

#define GUEST_CACHED 512 // a CPU and slot
#define GUEST_SLOTS  2   // a program that interrupts another one takes the second, as struct scratch

struct guest_cpu {
    __u32 taken;
    __u32 is_announced; // the collector has been told of what is in the note
    struct guest_cached cache[GUEST_CACHED];
    struct wire_guest_note note;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, WIRE_GUESTS_MAX);
    __type(key, __u32); // number of a binary
    __type(value, struct wire_guest);
} guests SEC(".maps");

struct { // allocated at once, 1.2 MiB: an interrupt's program gets no memory for the many functions of a start
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, WIRE_GUEST_CODES_MAX);
    __type(key, struct guest_name);
    __type(value, struct guest_id);
} guest_ids SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, GUEST_SLOTS);
    __type(key, __u32);
    __type(value, struct guest_cpu);
} guest_cpus SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64); // the last number given
} guest_state SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024 * 1024);
} guest_notes SEC(".maps");

enum guest_step {
    GUEST_ENDS = 0,    // the loop has no more frames
    GUEST_NOT_YET = 1, // the frames are those of a loop further out: this native frame has none
};

static __always_inline struct guest_cpu *guest__cpu(__u32 slot)
{
    return bpf_map_lookup_elem(&guest_cpus, &slot);
}

// The value of a pthread key in the current thread; 0: none.
static __always_inline __u64 guest__thread_value(__u64 key_at)
{
    __u64 block = 0, value = 0;
    __u32 key = 0;
    if (unwind_read(&key, sizeof(key), key_at) != 0 || key >= 1024) // PTHREAD_KEYS_MAX
        return 0;
    __u64 keys = thread__pointer(bpf_get_current_task_btf()) + THREAD_KEYS;
    if (unwind_read(&block, sizeof(block), keys + 8 * (key / 32)) != 0 ||
        unwind_read(&value, sizeof(value), block + 16 * (key % 32) + 8) != 0)
        return 0;
    return value;
}

// The number of what is in the note, with which it is told to the collector unless it was before. 0: none can be given.
static __always_inline __u32 guest__number(struct guest_cpu *cpu, const struct guest_name *name)
{
    __u32 zero = 0;
    struct guest_id *known = bpf_map_lookup_elem(&guest_ids, name);
    __u64 *last = bpf_map_lookup_elem(&guest_state, &zero);
    if (!known && last) {
        struct guest_id fresh = {.id = __sync_fetch_and_add(last, 1) + 1};
        bpf_map_update_elem(&guest_ids, name, &fresh, BPF_NOEXIST);
        known = bpf_map_lookup_elem(&guest_ids, name); // another CPU may have been faster
    }
    if (!known) {
        tally__lose(WIRE_LOSS_GUEST_CODES_FULL);
        return 0;
    }
    cpu->is_announced = known->is_announced;
    cpu->note.id = known->id;
    return known->id;
}

static __always_inline void guest__announce(struct guest_cpu *cpu, const struct guest_name *name)
{
    struct guest_id *known = bpf_map_lookup_elem(&guest_ids, name);
    volatile __u32 *length = &cpu->note.table_bytes;
    __u64 bytes = __builtin_offsetof(struct wire_guest_note, table) + (*length & (2 * WIRE_GUEST_TABLE_BYTES - 1));
    if (bytes > sizeof(cpu->note))
        return;
    if (bpf_ringbuf_output(&guest_notes, &cpu->note, bytes, 0) != 0)
        tally__lose(WIRE_LOSS_GUEST_NOTES_FULL);
    else if (known)
        cpu->is_announced = known->is_announced = 1;
}

static __always_inline __u64 guest__stir(__u64 state, __u64 word)
{
    state = (state ^ word) * 0x9fb21c651e98df25ull;
    return state ^ (state >> 32);
}

// Of the note's first words from its name on, and its numbers.
static __always_inline void guest__hash(const struct wire_guest_note *note, __u32 word_count,
                                        struct guest_name *ret_name)
{
    const __u64 *words = (const __u64 *)note->name;
    __u64 a = config.stack_seed ^ ((__u64)note->table_length << 32 | note->first_line);
    __u64 b = ~config.stack_seed + note->name_width + 8 * note->file_width + ((__u64)note->version << 8);
    for (__u32 i = 0; i < word_count; i++) {
        a = guest__stir(a, words[i]);
        b = guest__stir(b, words[i] + a);
    }
    ret_name->a = guest__stir(a, b);
    ret_name->b = guest__stir(b, note->name_bytes + ((__u64)note->file_bytes << 32));
}

static __always_inline __u32 guest__slot(void)
{
    for (__u32 slot = 0; slot < GUEST_SLOTS; slot++) {
        struct guest_cpu *cpu = guest__cpu(slot);
        if (cpu && __sync_val_compare_and_swap(&cpu->taken, 0, 1) == 0)
            return slot;
    }
    return GUEST_SLOTS;
}

// The head of the code object walk->guest.code, from an offset on, into walk->guest.block, and a place of this CPU for
// what is made of it, to be given back by guest__leave(). NULL: it cannot be read, or no place is free.
static __always_inline struct guest_cpu *guest__enter(struct unwind_walk *walk, __u32 from, __u32 bytes,
                                                      __u32 *ret_slot)
{
    if (unwind_read(walk->guest.block, bytes, walk->guest.code + from) != 0 ||
        (*ret_slot = guest__slot()) >= GUEST_SLOTS) {
        tally__lose(WIRE_LOSS_GUEST_UNREAD);
        return NULL;
    }
    return guest__cpu(*ret_slot);
}

static __always_inline void guest__leave(struct guest_cpu *cpu)
{
    __sync_lock_test_and_set(&cpu->taken, 0);
}

// The number that the cache has of the code object walk->guest.code; 0: none. Without a CPU's caches a process has no
// epoch.
static __always_inline __u32 guest__recall(const struct unwind_walk *walk, const struct guest_cached *cached,
                                           __u64 check)
{
    bool is_known = walk->cpu != UNWIND_NO_CPU && cached->code == walk->guest.code && cached->check == check &&
                    cached->epoch == walk->epoch;
    return is_known ? cached->id : 0;
}

// The collector may not have been told yet: then the cache has no number, and it is told at the next sight.
static __always_inline void guest__remember(const struct unwind_walk *walk, const struct guest_cpu *cpu,
                                            struct guest_cached *cached, __u64 check, __u32 id)
{
    cached->code = walk->guest.code;
    cached->check = check;
    cached->epoch = walk->epoch;
    cached->id = walk->cpu != UNWIND_NO_CPU && cpu->is_announced ? id : 0;
}

#include "bpf/unwind/guest_cpython.bpf.h"
#include "bpf/unwind/guest_php.bpf.h"

// Takes the guest's offsets over, and finds what its thread has. Once a stack.
static __always_inline void guest__begin(struct unwind_walk *walk)
{
    __u32 binary = WIRE_FRAME_BINARY(walk->frame);
    struct wire_guest *guest = bpf_map_lookup_elem(&guests, &binary);
    walk->guest.anchor = walk->guest.frame = walk->guest.last_code = 0;
    walk->guest.kind = guest ? guest->kind : WIRE_GUEST_NONE;
    walk->guest.binary = binary;
    if (!guest)
        return;
    walk->guest.bias = walk->pc - WIRE_FRAME_OFFSET(walk->frame) - guest->text_delta;
    walk->guest.version = guest->version;
    walk->guest.code_type = guest->code_type;
    if (guest->kind == WIRE_GUEST_PHP)
        php__begin(walk, guest);
    else
        cpython__begin(walk, guest);
}

static __always_inline bool guest__pair(struct unwind_walk *walk, struct unwind_frames *frames)
{
    return walk->guest.kind == WIRE_GUEST_PHP ? php__pair(walk, frames) != 0 : cpython__pair(walk);
}

// A function that the verifier checks once, though it is called in a loop.
__noinline __u32 guest__frame(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk || !frames)
        return 0;
    return walk->guest.kind == WIRE_GUEST_PHP ? php__frame(walk, frames) : cpython__frame(walk, frames);
}

// The frame that was put last is the loop's; puts its guest frames in its place. A global function, as is each turn.
__noinline __u32 guest__expand(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk || !frames)
        return 0;
    walk->met_guest = 1;
    if (!(walk->frame & WIRE_FRAME_IN_BINARY) || walk->count == 0)
        return 0;
    if (!walk->guest.kind)
        guest__begin(walk);
    else if (walk->guest.binary != WIRE_FRAME_BINARY(walk->frame))
        return 0; // another guest below: one a stack
    if (!walk->guest.kind)
        return 0;
    volatile __u32 *first = &walk->guest.first; // in memory: to the verifier, each turn is the same then
    __u64 anchor = walk->guest.anchor, frame = walk->guest.frame, native = walk->frame;
    walk->guest.high = walk->registers.sp;
    walk->guest.step = GUEST_ENDS;
    if (!guest__pair(walk, frames))
        return 0;
    *first = walk->count = walk->count - 1;
    for (__u32 turn = 0; turn < WIRE_USER_FRAMES_MAX + 8; turn++)
        if (!guest__frame(walk, frames))
            break;
    if (walk->guest.step == GUEST_NOT_YET) {
        walk->guest.anchor = anchor;
        walk->guest.frame = frame;
        walk->count = *first;
    }
    __u32 at = *first;
    if (walk->count == at) {
        frames->at[at & (WIRE_USER_FRAMES_MAX - 1)] = native; // a mask: 6.1 does not carry a bound over an equality
        walk->count = at + 1;
    }
    return 1;
}

#endif
