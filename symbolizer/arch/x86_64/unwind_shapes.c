#include "symbolizer/arch/unwind_shapes.h"

#include <string.h>

#include "symbolizer/arch/code_shapes.h"

#define PLT_ENTRY_BYTES 16

// The rows of a lazy .plt: its first entry is entered with the index of the function pushed, and pushes the link map;
// the others push the index behind `threshold` bytes.
//
//   ff 35 ..      push  link map         <- rsp + 16              f3 0f 1e fa      endbr64            <- rsp + 8
//   ff 25 ..      jmp   resolver         <- rsp + 24              68 ..            push  index
//   ff 25 ..      jmp   *slot            <- rsp + 8               f2 e9 ..         bnd jmp            <- rsp + 16
//   68 ..         push  index
//   e9 ..         jmp   first entry      <- rsp + 16
static int threshold_of(const uint8_t *entry)
{
    if (memcmp(entry, "\xff\x25", 2) == 0 && entry[6] == 0x68)
        return 11;
    if (memcmp(entry, "\xf3\x0f\x1e\xfa\x68", 5) == 0)
        return 9;
    return 0;
}

static struct unwind_rule at_sp(int32_t offset)
{
    return (struct unwind_rule){.kind = UNWIND_SP, .cfa_offset = offset};
}

static int take_lazy_plt(const struct unwind_code *plt, unwind_extra_fn *take, void *context)
{
    if (plt->bytes < 2 * PLT_ENTRY_BYTES || plt->address % PLT_ENTRY_BYTES || memcmp(plt->data, "\xff\x35", 2) != 0)
        return 0;
    int threshold = threshold_of(plt->data + PLT_ENTRY_BYTES);
    if (!threshold)
        return 0;
    int err = take(plt->address, 6, at_sp(16), context);
    if (!err)
        err = take(plt->address + 6, PLT_ENTRY_BYTES - 6, at_sp(24), context);
    if (!err)
        err = take(plt->address + PLT_ENTRY_BYTES, plt->bytes - PLT_ENTRY_BYTES,
                   (struct unwind_rule){.kind = UNWIND_PLT, .cfa_offset = 8, .bp_offset = (int16_t)threshold}, context);
    return err;
}

// Entries that only jump.
static int take_jump_plt(const struct unwind_code *plt, unwind_extra_fn *take, void *context)
{
    if (plt->bytes < 8 || (memcmp(plt->data, "\xff\x25", 2) != 0 && memcmp(plt->data, "\xf3\x0f\x1e\xfa", 4) != 0))
        return 0;
    return take(plt->address, plt->bytes, at_sp(8), context);
}

// _init and _fini, each alone in its section: [endbr64]; sub $8, %rsp; ...; add $8, %rsp; ret (glibc's crti.S, crtn.S).
static int take_init(const struct unwind_code *code, unwind_extra_fn *take, void *context)
{
    static const uint8_t head[] = {0x48, 0x83, 0xec, 0x08}, tail[] = {0x48, 0x83, 0xc4, 0x08, 0xc3};
    size_t inside = sizeof(head) + (code->bytes > 4 && memcmp(code->data, "\xf3\x0f\x1e\xfa", 4) == 0 ? 4 : 0);
    if (code->bytes < inside + sizeof(tail) || memcmp(code->data + inside - sizeof(head), head, sizeof(head)) != 0 ||
        memcmp(code->data + code->bytes - sizeof(tail), tail, sizeof(tail)) != 0)
        return 0;
    int err = take(code->address, inside, at_sp(8), context);
    if (!err)
        err = take(code->address + inside, code->bytes - 1 - inside, at_sp(16), context);
    return err ? err : take(code->address + code->bytes - 1, 1, at_sp(8), context);
}

int unwind_shapes__section(const char *name, const struct unwind_code *code, unwind_extra_fn *take, void *context)
{
    if (strcmp(name, ".init") == 0 || strcmp(name, ".fini") == 0)
        return take_init(code, take, context);
    return strcmp(name, ".plt") == 0 ? take_lazy_plt(code, take, context) : take_jump_plt(code, take, context);
}

// gcc's crtstuff.c, in every program and library: what calls __cxa_finalize at its end. Bytes in hex; ".." is any.
//
//   cmpb $0, done; jne 1f; push %rbp; cmpq $0, ..; mov %rsp, %rbp; je; mov .., %rdi; call; call; movb $1, done; pop
//   %rbp; ret; nop; 1: ret                                 the second is that of programs that are not position
//   independent
static const char *const destructors[] = {
    "803d........0075..5548833d........004889e574..488b3d........e8........e8........c605........015dc3",
    "803d........0075..554889e5e8........c605........015dc3",
};
#define DESTRUCTORS_JUMP_AT 8 // the distance of the jne
#define DESTRUCTORS_PUSH_AT 9

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bool is_code(const char *pattern, const uint8_t *code)
{
    for (; pattern[0]; pattern += 2, code++)
        if (pattern[0] != '.' && *code != digit(pattern[0]) * 16 + digit(pattern[1]))
            return false;
    return true;
}

// deregister_tm_clones, where it begins: lea .., %rdi; lea .., %rax; cmp %rdi, %rax; je. Else: mov $.., %eax; cmp $..,
// %rax; je.
static const char *const clones[] = {"488d3d........488d05........4839f874", "b8........483d........74"};

// deregister_tm_clones and register_tm_clones stand before it, and push nothing: the return address is on top. So does
// the endbr64 that it may begin with.
static int take_clones(const uint8_t *data, size_t before, uint64_t file_offset, unwind_extra_fn *take, void *context)
{
    enum { CLONES_BYTES = 0x90 }; // both of them
    size_t from = before > CLONES_BYTES ? before - CLONES_BYTES : 0;
    for (size_t at = from; at < before; at++)
        for (size_t i = 0; i < sizeof(clones) / sizeof(clones[0]); i++)
            if (before - at >= strlen(clones[i]) / 2 && is_code(clones[i], data + at))
                return take(file_offset + at, before - at, at_sp(8), context);
    return 0;
}

// frame_dummy, the next function behind it, jumps to register_tm_clones: [endbr64]; jmp.
static int take_dummy(const uint8_t *data, size_t behind, uint64_t bytes, uint64_t file_offset, unwind_extra_fn *take,
                      void *context)
{
    size_t at = behind + (-(file_offset + behind) & 15), jump = at;
    if (bytes >= at + 4 && memcmp(data + at, "\xf3\x0f\x1e\xfa", 4) == 0)
        jump += 4;
    if (bytes < jump + 2 || (data[jump] != 0xeb && data[jump] != 0xe9))
        return 0;
    return take(file_offset + at, jump + 1 - at, at_sp(8), context);
}

// The function's rows: before the push, between it and the pop, and behind.
static int take_destructors(uint64_t file_offset, const uint8_t *code, size_t length, size_t *ret_end,
                            unwind_extra_fn *take, void *context)
{
    const struct unwind_rule pushed = {.kind = UNWIND_SP | UNWIND_BP_AT_CFA << 4, .cfa_offset = 16, .bp_offset = -16};
    uint64_t push_end = DESTRUCTORS_PUSH_AT + 1, pop_end = length - 1;
    uint64_t end = DESTRUCTORS_PUSH_AT + code[DESTRUCTORS_JUMP_AT] + 1; // behind the last ret
    *ret_end = end > length ? end : length;
    int err = take(file_offset, push_end, at_sp(8), context);
    if (!err)
        err = take(file_offset + push_end, pop_end - push_end, pushed, context);
    return err ? err : take(file_offset + pop_end, *ret_end - pop_end, at_sp(8), context);
}

static int take_crt(const uint8_t *data, uint64_t bytes, size_t at, size_t length, uint64_t file_offset,
                    unwind_extra_fn *take, void *context)
{
    size_t end;
    int err = take_clones(data, at, file_offset, take, context);
    if (!err)
        err = take_destructors(file_offset + at, data + at, length, &end, take, context);
    return err ? err : take_dummy(data, at + end, bytes, file_offset, take, context);
}

static int find_destructors(const uint8_t *data, uint64_t bytes, uint64_t file_offset, unwind_extra_fn *take,
                            void *context)
{
    for (size_t i = 0; i < sizeof(destructors) / sizeof(destructors[0]); i++) {
        size_t length = strlen(destructors[i]) / 2;
        const uint8_t *at = data, *end = data + bytes;
        while ((size_t)(end - at) >= length && (at = memmem(at, (size_t)(end - at), "\x80\x3d", 2))) {
            if ((size_t)(end - at) >= length && is_code(destructors[i], at))
                return take_crt(data, bytes, (size_t)(at - data), length, file_offset, take, context);
            at++;
        }
    }
    return 0;
}

int unwind_shapes__in_hole(const struct unwind_code *code, unwind_extra_fn *take, void *context)
{
    const struct code_shape *shape = &code_signal_return;
    const uint8_t *at = code->data, *end = at + code->bytes;
    int err = find_destructors(code->data, code->bytes, code->address, take, context);
    while (!err && (at = memmem(at, (size_t)(end - at), shape->code, shape->code_bytes))) {
        // From one byte before: a handler returns to the trampoline's first byte, and callers are looked up at the
        // return address minus one.
        uint64_t before = at > code->data ? 1 : 0;
        err = take(code->address + (uint64_t)(at - code->data) - before, shape->code_bytes + before,
                   (struct unwind_rule){.kind = UNWIND_SIGNAL, .cfa_offset = 160}, context);
        at += shape->code_bytes;
    }
    return err;
}

const char *unwind_shapes__register(enum unwind_kind kind)
{
    return kind == UNWIND_SP ? "rsp" : kind == UNWIND_BP ? "rbp" : "rbx";
}
