// CPython. Each call of _PyEval_EvalFrameDefault runs one or more frames, struct _PyInterpreterFrame, linked by
// `previous`:
//
//   3.11    PyThreadState.cframe -> _PyCFrame on the C stack {current_frame, previous}; its frames end with is_entry
//   3.13    PyThreadState.current_frame -> frames -> one of owner 3 on the C stack -> the frames of the loop outside
//   ...
//
// The thread's state is the value of a pthread key: the thread variable of 3.12 and later is empty while a thread
// waits. A frame's place is that of its instruction, in code units from where its bytecode begins.
#ifndef HEARTH_BPF_UNWIND_GUEST_CPYTHON_H
#define HEARTH_BPF_UNWIND_GUEST_CPYTHON_H

#define CPYTHON_FRAME_BYTES   80 // of a frame that are read
#define CPYTHON_CODE_BYTES    96 // of a code object, from code_from on
#define CPYTHON_OWNED_BY_LOOP 3
#define CPYTHON_MISSED        4  // loops whose native frame was missed, one after the other
#define CPYTHON_TYPE          8  // PyObject.ob_type
#define CPYTHON_LENGTH        16 // PyASCIIObject.length, and its state 16 bytes on; PyVarObject.ob_size
#define CPYTHON_BYTES_DATA    32 // PyBytesObject.ob_sval

static __always_inline __u64 cpython__word(const struct guest_walk *guest, __u32 offset)
{
    return guest->block[offset / 8 & 15];
}

static __always_inline void cpython__begin(struct unwind_walk *walk, const struct wire_guest *guest)
{
    __u64 thread = guest__thread_value(walk->guest.bias + guest->key), first = 0;
    walk->guest.offsets = guest->cpython;
    if (!thread || unwind_read(&first, sizeof(first), thread + guest->cpython.thread_frame) != 0)
        return;
    if (guest->cpython.anchor == WIRE_CPYTHON_CFRAME)
        walk->guest.anchor = first;
    else
        walk->guest.frame = first;
}

struct cpython_cframe { // 3.11: from 8 bytes on
    __u64 frame, previous;
};

// Whether the loop in [low, high) has frames, and where they begin.
static __always_inline bool cpython__pair(struct unwind_walk *walk)
{
    struct guest_walk *guest = &walk->guest;
    guest->stop = 0;
    if (guest->offsets.anchor != WIRE_CPYTHON_CFRAME)
        return guest->frame != 0; // the end of the frames tells
    struct cpython_cframe *cframe = (struct cpython_cframe *)guest->block;
    for (__u32 i = 0; i <= CPYTHON_MISSED; i++) {
        if (!guest->anchor || guest->anchor >= guest->high ||
            unwind_read(cframe, sizeof(*cframe), guest->anchor + 8) != 0)
            return false;
        __u64 anchor = guest->anchor;
        guest->anchor = cframe->previous;
        guest->frame = cframe->frame;
        if (anchor < guest->low)
            continue;
        // is_entry is set after the frame is linked: the frames end where those of the next loop begin, too.
        if (guest->anchor)
            unwind_read(&guest->stop, sizeof(guest->stop), guest->anchor + 8);
        return guest->frame != 0;
    }
    return false;
}

// Characters of a str to the note: as many as fit. 0: they can be read.
static __always_inline int cpython__text(const struct guest_walk *guest, __u64 text, __u8 *to, __u32 *ret_bytes,
                                         __u32 *ret_width)
{
    __u64 head[3]; // length, hash, state
    if (unwind_read(head, sizeof(head), text + CPYTHON_LENGTH) != 0)
        return -1;
    __u32 state = head[2], width = state >> (guest->offsets.kind_shift & 31) & 7;
    __u32 is_ascii = state >> ((guest->offsets.kind_shift + 4) & 31) & 1;
    if (width != 1 && width != 2 && width != 4)
        return -1;
    __u64 bytes = head[0] > WIRE_GUEST_TEXT_BYTES ? WIRE_GUEST_TEXT_BYTES : head[0] * width;
    if (bytes > WIRE_GUEST_TEXT_BYTES)
        bytes = WIRE_GUEST_TEXT_BYTES;
    *(volatile __u32 *)ret_bytes = bytes;
    *ret_width = width;
    bytes = *(volatile __u32 *)ret_bytes & (2 * WIRE_GUEST_TEXT_BYTES - 1); // read anew: the verifier lost the bound
    return unwind_read(to, bytes, text + (is_ascii ? guest->offsets.text_ascii : guest->offsets.text_compact)) != 0;
}

// As much of the table of lines as fits.
static __always_inline int cpython__table(struct wire_guest_note *note, __u64 table)
{
    __u64 length = 0;
    if (unwind_read(&length, sizeof(length), table + CPYTHON_LENGTH) != 0)
        return -1;
    note->table_length = length;
    *(volatile __u32 *)&note->table_bytes = length > WIRE_GUEST_TABLE_BYTES ? WIRE_GUEST_TABLE_BYTES : length;
    return 0;
}

static __always_inline void cpython__read_table(struct wire_guest_note *note, __u64 table)
{
    __u32 bytes = *(volatile __u32 *)&note->table_bytes;
    if (bytes >= WIRE_GUEST_TABLE_BYTES)
        note->table_bytes = unwind_read(note->table, WIRE_GUEST_TABLE_BYTES, table + CPYTHON_BYTES_DATA) == 0
                                ? WIRE_GUEST_TABLE_BYTES
                                : 0;
    else if (unwind_read(note->table, bytes & (WIRE_GUEST_TABLE_BYTES - 1), table + CPYTHON_BYTES_DATA) != 0)
        note->table_bytes = 0; // its functions have names, and no lines
}

// The number of the code object walk->guest.code, whose head is in walk->guest.block; 0: none. Remembers it.
__noinline __u32 cpython__learn(struct unwind_walk *walk, __u32 slot)
{
    struct guest_cpu *cpu = guest__cpu(slot);
    if (!cpu || !walk)
        return 0;
    struct guest_walk *guest = &walk->guest;
    struct wire_guest_note *note = &cpu->note;
    cpu->is_announced = 0;
    __u32 from = guest->offsets.code_from;
    __u64 type = 0, table = cpython__word(guest, guest->offsets.code_table - from);
    __builtin_memset(note->name, 0, sizeof(note->name) + sizeof(note->file));
    note->kind = WIRE_GUEST_CPYTHON;
    note->version = guest->version;
    note->first_line = cpython__word(guest, guest->offsets.code_line - from) >> 8 * (guest->offsets.code_line & 4);
    if (unwind_read(&type, sizeof(type), guest->code + CPYTHON_TYPE) != 0 || type != guest->bias + guest->code_type ||
        cpython__text(guest, cpython__word(guest, guest->offsets.code_name - from), note->name, &note->name_bytes,
                      &note->name_width) != 0 ||
        cpython__text(guest, cpython__word(guest, guest->offsets.code_file - from), note->file, &note->file_bytes,
                      &note->file_width) != 0 ||
        cpython__table(note, table) != 0) {
        tally__lose(WIRE_LOSS_GUEST_UNREAD);
        return 0;
    }
    struct guest_name name;
    guest__hash(note, 2 * WIRE_GUEST_TEXT_BYTES / 8, &name);
    __u32 id = guest__number(cpu, &name);
    if (!id || cpu->is_announced)
        return id;
    cpython__read_table(note, table);
    guest__announce(cpu, &name);
    return id;
}

// The number of a code object by the cache of this CPU, or by its contents.
__noinline __u32 cpython__id(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    struct guest_walk *guest = &walk->guest;
    __u32 from = guest->offsets.code_from, slot;
    struct guest_cpu *cpu = guest__enter(walk, from, CPYTHON_CODE_BYTES, &slot);
    if (!cpu)
        return 0;
    __u64 check = guest__stir(guest->code, cpython__word(guest, guest->offsets.code_line - from));
    check = guest__stir(check, cpython__word(guest, guest->offsets.code_file - from));
    check = guest__stir(check, cpython__word(guest, guest->offsets.code_name - from));
    check = guest__stir(check, cpython__word(guest, guest->offsets.code_table - from));
    struct guest_cached *cached = &cpu->cache[check >> 40 & (GUEST_CACHED - 1)];
    __u32 id = guest__recall(walk, cached, check);
    if (!id) {
        id = cpython__learn(walk, slot);
        guest__remember(walk, cpu, cached, check, id);
    }
    guest__leave(cpu);
    return id;
}

static __always_inline __u32 cpython__place(const struct guest_walk *guest, __u64 instruction)
{
    __u64 place = (instruction - guest->code - guest->offsets.code_bytes) / 2;
    // 3.11 has the code unit before the first one there, in a frame that has not begun.
    return place < WIRE_GUEST_PLACE_NONE ? place : 0;
}

static __always_inline __u32 cpython__end(struct guest_walk *guest, enum guest_step step)
{
    guest->step = step;
    return 0;
}

// A frame of owner 3, on the C stack, ends the frames of the loop that it lies in. One below the native frame is of a
// loop whose native frame was missed.
static __always_inline __u32 cpython__end_at_entry(struct unwind_walk *walk, __u64 entry)
{
    if (entry >= walk->guest.low)
        return cpython__end(&walk->guest, entry < walk->guest.high ? GUEST_ENDS : GUEST_NOT_YET);
    walk->count = walk->guest.first;
    return 1;
}

// Puts the frame walk->guest.frame and goes on to the one that called it.
static __always_inline __u32 cpython__frame(struct unwind_walk *walk, struct unwind_frames *frames)
{
    struct guest_walk *guest = &walk->guest;
    bool is_by_cframe = guest->offsets.anchor == WIRE_CPYTHON_CFRAME;
    __u64 here = guest->frame;
    guest->step = GUEST_ENDS;
    if (!here || here == guest->stop)
        return cpython__end(guest, is_by_cframe ? GUEST_ENDS : GUEST_NOT_YET);
    if (unwind_read(guest->block, CPYTHON_FRAME_BYTES, here) != 0) {
        tally__lose(WIRE_LOSS_GUEST_UNREAD);
        guest->frame = 0;
        return 0;
    }
    __u64 instruction = cpython__word(guest, guest->offsets.frame_instruction);
    __u32 place_of_end = guest->offsets.frame_end;
    __u8 end = cpython__word(guest, place_of_end) >> 8 * (place_of_end & 7);
    guest->frame = cpython__word(guest, guest->offsets.frame_previous);
    if (!is_by_cframe && end == CPYTHON_OWNED_BY_LOOP)
        return cpython__end_at_entry(walk, here);
    guest->code = cpython__word(guest, guest->offsets.frame_code) & ~7ull; // 3.14 has tags in the low bits
    if (guest->code != guest->last_code) {
        guest->last_id = cpython__id(walk);
        guest->last_code = guest->code;
    }
    __u32 at = walk->count;
    if (at >= WIRE_USER_FRAMES_MAX)
        return 0; // unwind__follow() says that the stack is cut
    frames->at[at] = WIRE_FRAME_OF_GUEST(WIRE_GUEST_CPYTHON, guest->last_id, cpython__place(guest, instruction));
    walk->count = at + 1;
    return !(is_by_cframe && end);
}

#endif
