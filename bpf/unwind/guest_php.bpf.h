// PHP without threads (NTS). Each call of execute_ex runs one or more frames, struct _zend_execute_data, linked by
// `prev_execute_data` from executor_globals.current_execute_data on; its last one has ZEND_CALL_TOP. A function of C
// has a frame too: its native frames stand for it.
//
//   frames     {closure} (TOP)   array_map (of C)              by_map, main.php (TOP)
//   natives    execute_ex        zend_call_function zif_array_map   execute_ex          main
//
// Loops leave nothing on the C stack that tells which is whose, so they take turns. Two states would shift them:
//
//   before its loop    zend_call_function() has made the function's frame the current one, and not entered execute_ex
//   after its end      execute_ex has made the caller's frame the current one, and not returned
//
// The first is told by the leaf (struct wire_php_caller); the second by the registers of a leaf in execute_ex, where
// GCC's builds keep the frame and its instruction. A destructor that runs in the second stays unknown: its functions
// are right, their places among the native frames are not.
//
// A frame's place is its line: of `opline`, which PHP saves before what may call or fail, and the leaf has in a
// register.
#ifndef HEARTH_BPF_UNWIND_GUEST_PHP_H
#define HEARTH_BPF_UNWIND_GUEST_PHP_H

struct php_frame { // struct _zend_execute_data
    __u64 opline, call, return_value, function, object;
    __u32 call_info, arguments;
    __u64 previous;
};

#define PHP_TURNS (2 * WIRE_USER_FRAMES_MAX) // frames of a stack that are read: functions, and those of C between them

#define PHP_CALL_TOP       (1 << 17)
#define PHP_CALL_GENERATOR (1 << 24)

#define PHP_CODE_FROM   8 // of struct _zend_op_array, where what is read begins: function_name, scope
#define PHP_CODE_BYTES  176
#define PHP_CLASS_NAME  8 // struct _zend_class_entry
#define PHP_STRING_HASH 8 // struct _zend_string: hash, length, characters
#define PHP_STRING_DATA 24
#define PHP_OPLINE      32 // sizeof(zend_op)
#define PHP_OPLINE_LINE 24

static __always_inline __u64 php__word(const struct guest_walk *guest, __u32 offset)
{
    return guest->block[(offset - PHP_CODE_FROM) / 8 & 31];
}

static __always_inline __u32 php__half(const struct guest_walk *guest, __u32 offset)
{
    return php__word(guest, offset) >> 8 * (offset & 4);
}

static __always_inline void php__begin(struct unwind_walk *walk, const struct wire_guest *guest)
{
    walk->guest.php = guest->php;
    walk->guest.is_paired = walk->guest.turns = 0;
    if (unwind_read(&walk->guest.frame, sizeof(walk->guest.frame), walk->guest.bias + guest->key) != 0)
        walk->guest.frame = 0;
}

// Functions of C have an odd type.
static __always_inline bool php__is_of_c(__u64 function)
{
    __u8 type = 0;
    return unwind_read(&type, sizeof(type), function) == 0 && type & 1;
}

// Which of the functions that begin a loop the leaf is in; WIRE_PHP_CALLERS: none.
static __always_inline __u32 php__caller(const struct unwind_walk *walk, __u64 leaf)
{
    const struct wire_php *php = &walk->guest.php;
    __u32 offset = WIRE_FRAME_OFFSET(leaf), found = WIRE_PHP_CALLERS;
    if (!(leaf & WIRE_FRAME_IN_BINARY) || WIRE_FRAME_BINARY(leaf) != walk->guest.binary)
        return found;
    for (__u32 i = 0; i < WIRE_PHP_CALLERS; i++)
        if (offset - php->callers[i].from < php->callers[i].to - php->callers[i].from)
            found = i;
    return found;
}

// Passes the current frame where its loop has not begun, or a generator's has just ended. A function that has not begun
// stands at its first instruction, or behind those that receive arguments.
static __always_inline void php__pass_not_begun(struct unwind_walk *walk, __u64 leaf)
{
    struct guest_walk *guest = &walk->guest;
    const struct php_frame *frame = (const struct php_frame *)guest->block;
    __u32 caller = php__caller(walk, leaf);
    if (caller >= WIRE_PHP_CALLERS || unwind_read(guest->block, sizeof(*frame), guest->frame) != 0)
        return;
    __u64 previous = frame->previous, opline = frame->opline, function = frame->function;
    __u32 info = frame->call_info, arguments = frame->arguments;
    if (!(info & PHP_CALL_TOP) || !function || php__is_of_c(function))
        return;
    if (caller == WIRE_PHP_GENERATOR) {
        if (info & PHP_CALL_GENERATOR)
            guest->frame = previous;
        return;
    }
    __u64 opcodes = 0;
    if (!(info & PHP_CALL_GENERATOR) &&
        unwind_read(&opcodes, sizeof(opcodes), function + guest->php.code_opcodes) == 0 &&
        opline - opcodes <= (__u64)arguments * PHP_OPLINE)
        guest->frame = previous;
}

// Whether the loop has frames. Takes the leaf's instruction.
__noinline __u32 php__pair(struct unwind_walk *walk, struct unwind_frames *frames)
{
    if (!walk || !frames || !walk->guest.frame)
        return 0;
    struct guest_walk *guest = &walk->guest;
    const struct php_frame *frame = (const struct php_frame *)guest->block;
    bool is_first = !guest->is_paired;
    guest->is_paired = 1;
    guest->opline = guest->opcodes = guest->opcode_bytes = guest->last_code = 0;
    if (!is_first)
        return 1;
    if (walk->count != 1) {
        php__pass_not_begun(walk, frames->at[0]);
        return guest->frame != 0;
    }
    struct task_struct *task = bpf_get_current_task_btf();
    struct pt_regs *user = (struct pt_regs *)bpf_task_pt_regs(task);
    __u64 here = registers__php_frame(user);
    if (here == guest->frame)
        guest->opline = registers__php_opline(user);
    else if (unwind_read(guest->block, sizeof(*frame), here) == 0 && frame->previous == guest->frame &&
             frame->call_info & PHP_CALL_TOP) {
        guest->is_paired = 0;
        return 0; // it has ended
    }
    return 1;
}

// As many bytes of a string as fit. 0: they can be read.
static __always_inline int php__text(__u64 text, __u8 *to, __u32 *ret_bytes)
{
    __u64 length = 0;
    if (unwind_read(&length, sizeof(length), text + PHP_STRING_HASH + 8) != 0)
        return -1;
    *(volatile __u32 *)ret_bytes = length > WIRE_GUEST_TEXT_BYTES ? WIRE_GUEST_TEXT_BYTES : length;
    __u32 bytes = *(volatile __u32 *)ret_bytes & (2 * WIRE_GUEST_TEXT_BYTES - 1); // read anew, for the verifier
    return unwind_read(to, bytes, text + PHP_STRING_DATA) != 0;
}

// The name of a function's class, into the note's table.
static __always_inline int php__class(struct wire_guest_note *note, __u64 scope)
{
    __u64 name = 0;
    if (!scope)
        return 0;
    if (unwind_read(&name, sizeof(name), scope + PHP_CLASS_NAME) != 0)
        return -1;
    return php__text(name, note->table, &note->table_bytes);
}

// The number of the function walk->guest.code, whose head is in walk->guest.block; 0: none.
__noinline __u32 php__learn(struct unwind_walk *walk, __u32 slot)
{
    struct guest_cpu *cpu = guest__cpu(slot);
    if (!cpu || !walk)
        return 0;
    struct guest_walk *guest = &walk->guest;
    struct wire_guest_note *note = &cpu->note;
    __u64 name = guest->block[0];
    cpu->is_announced = 0;
    __builtin_memset(note->name, 0, sizeof(note->name) + sizeof(note->file) + WIRE_GUEST_TEXT_BYTES);
    note->kind = WIRE_GUEST_PHP;
    note->version = guest->version;
    note->first_line = php__half(guest, guest->php.code_line);
    note->name_bytes = note->table_bytes = 0;
    note->name_width = note->file_width = WIRE_GUEST_UTF8;
    if ((name && php__text(name, note->name, &note->name_bytes) != 0) || php__class(note, guest->block[1]) != 0 ||
        php__text(php__word(guest, guest->php.code_file), note->file, &note->file_bytes) != 0) {
        tally__lose(WIRE_LOSS_GUEST_UNREAD);
        return 0;
    }
    note->table_length = note->table_bytes;
    struct guest_name key;
    guest__hash(note, 3 * WIRE_GUEST_TEXT_BYTES / 8, &key);
    __u32 id = guest__number(cpu, &key);
    if (id && !cpu->is_announced)
        guest__announce(cpu, &key);
    return id;
}

static __always_inline __u64 php__stir_text(__u64 check, __u64 text)
{
    __u64 head[2] = {0}; // hash and length
    if (text)
        unwind_read(head, sizeof(head), text + PHP_STRING_HASH);
    return guest__stir(guest__stir(guest__stir(check, text), head[0]), head[1]);
}

// The number of the function walk->guest.code, by the cache of this CPU or by its contents. A request's functions are
// freed at its end, and those of the next one stand in their memory: the check has the hashes of their texts.
__noinline __u32 php__id(struct unwind_walk *walk)
{
    if (!walk)
        return 0;
    struct guest_walk *guest = &walk->guest;
    __u32 slot;
    struct guest_cpu *cpu = guest__enter(walk, PHP_CODE_FROM, PHP_CODE_BYTES, &slot);
    if (!cpu)
        return 0;
    guest->opcodes = php__word(guest, guest->php.code_opcodes);
    guest->opcode_bytes = (__u64)php__half(guest, guest->php.code_count) * PHP_OPLINE;
    __u64 check = guest__stir(guest->code, guest->opcodes);
    check = guest__stir(check, guest->opcode_bytes << 32 | php__half(guest, guest->php.code_line));
    check = guest__stir(check, guest->block[1]);
    check = php__stir_text(check, guest->block[0]);
    check = php__stir_text(check, php__word(guest, guest->php.code_file));
    struct guest_cached *cached = &cpu->cache[check >> 40 & (GUEST_CACHED - 1)];
    __u32 id = guest__recall(walk, cached, check);
    if (!id) {
        id = php__learn(walk, slot);
        guest__remember(walk, cpu, cached, check, id);
    }
    guest__leave(cpu);
    return id;
}

// The line of an instruction of the function whose bytecode is known; a frame that has just been made has none yet.
static __always_inline __u32 php__line(const struct guest_walk *guest, __u64 opline)
{
    __u32 line = 0;
    if (opline - guest->opcodes >= guest->opcode_bytes ||
        unwind_read(&line, sizeof(line), opline + PHP_OPLINE_LINE) != 0 || line >= WIRE_GUEST_PLACE_NONE)
        return WIRE_GUEST_PLACE_NONE;
    return line;
}

// Puts the frame walk->guest.frame, unless it is a function of C, and goes on to the one that called it.
static __always_inline __u32 php__frame(struct unwind_walk *walk, struct unwind_frames *frames)
{
    struct guest_walk *guest = &walk->guest;
    const struct php_frame *frame = (const struct php_frame *)guest->block;
    guest->step = GUEST_ENDS;
    if (guest->turns++ > PHP_TURNS) // a circle
        guest->frame = 0;
    if (!guest->frame)
        return 0;
    if (unwind_read(guest->block, sizeof(*frame), guest->frame) != 0) {
        tally__lose(WIRE_LOSS_GUEST_UNREAD);
        guest->frame = 0;
        return 0;
    }
    __u64 opline = guest->opline ? guest->opline : frame->opline;
    __u32 goes_on = !(frame->call_info & PHP_CALL_TOP);
    guest->code = frame->function;
    guest->frame = frame->previous;
    guest->opline = 0;
    if (!guest->code) // PHP's own mark, at a call from within an instruction
        return 1;
    if (guest->code != guest->last_code) {
        if (php__is_of_c(guest->code))
            return 1;
        guest->opcode_bytes = 0;
        guest->last_id = php__id(walk);
        guest->last_code = guest->code;
    }
    __u32 at = walk->count;
    if (at >= WIRE_USER_FRAMES_MAX)
        return 0; // unwind__follow() says that the stack is cut
    frames->at[at] = WIRE_FRAME_OF_GUEST(WIRE_GUEST_PHP, guest->last_id, php__line(guest, opline));
    walk->count = at + 1;
    return goes_on;
}

#endif
