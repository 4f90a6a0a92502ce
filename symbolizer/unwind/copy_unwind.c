#include "symbolizer/unwind/copy_unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/arch/code_shapes.h"
#include "symbolizer/unwind/copy_unwind_insides.h"

int copy_unwind__new(struct copy_unwind **ret_unwind)
{
    _cleanup_(copy_unwind__freep) struct copy_unwind *unwind = calloc(1, sizeof(*unwind));
    if (!unwind || copy_pages__new(&unwind->pages) != 0)
        return -ENOMEM;
    unwind->space = copy_unwind__new_space();
    if (!unwind->space)
        return -ENOMEM;
    // Its cache is keyed by return addresses, which do not tell a caller from an interrupted frame at that place.
    unw_set_caching_policy(unwind->space, UNW_CACHE_NONE);
    *ret_unwind = take_pointer(unwind);
    return 0;
}

void copy_unwind__free(struct copy_unwind *unwind)
{
    if (!unwind)
        return;
    if (unwind->space)
        unw_destroy_addr_space(unwind->space);
    for (size_t i = 0; i < unwind->module_count; i++)
        copy_module__free(unwind->modules[i]);
    free(unwind->modules);
    free(unwind->image.bytes);
    id_map__release(&unwind->by_binary);
    copy_pages__free(unwind->pages);
    free(unwind);
}

// --- Frames

static void push(struct copy_unwind *unwind, uint64_t address, struct copy_result *result)
{
    struct copy_frame frame = {.offset = address};
    if (copy_unwind__find_mapping(unwind, address) && unwind->mapping.binary) {
        frame.binary = unwind->mapping.binary;
        frame.offset = address - unwind->mapping.start + unwind->mapping.file_offset;
    }
    result->frames[result->count++] = frame;
}

// Whether the instruction before an address is a call. Code that cannot be read, a JIT's, is believed.
static bool is_behind_call(struct copy_unwind *unwind, uint64_t address)
{
    uint8_t code[CODE_CALL_BYTES];
    uint64_t bias;
    if (!copy_unwind__find_mapping(unwind, address - 1))
        return false;
    if (!unwind->mapping.binary)
        return true;
    struct copy_module *module = copy_unwind__module_at(unwind, address - 1, &bias);
    if (!module || !copy_module__read(module, address - bias - sizeof(code), code, sizeof(code)))
        return false;
    return code__is_call_before(code);
}

struct place {
    uint64_t ip, sp, bp;
};

// The caller by the frame pointer; of a leaf without a frame, by the return address on top of the stack.
static bool follow_frame_pointer(struct copy_unwind *unwind, const struct place *at, bool is_leaf, struct place *ret_up)
{
    uint64_t saved[2];
    if (is_leaf && copy_unwind__read_stack(unwind, at->sp, saved, 8) && is_behind_call(unwind, saved[0])) {
        *ret_up = (struct place){.ip = saved[0], .sp = at->sp + 8, .bp = at->bp};
        return true;
    }
    if (at->bp < at->sp || !copy_unwind__read_stack(unwind, at->bp, saved, 16) || !is_behind_call(unwind, saved[1]))
        return false;
    *ret_up = (struct place){.ip = saved[1], .sp = at->bp + 16, .bp = saved[0]};
    return true;
}

static bool is_entry(struct copy_unwind *unwind, uint64_t address)
{
    uint64_t bias;
    const struct copy_module *module = copy_unwind__module_at(unwind, address, &bias);
    return module && copy_module__is_entry(module, address - bias);
}

static bool is_code(struct copy_unwind *unwind, uint64_t address, const struct code_shape *shape)
{
    uint8_t found[sizeof(shape->code)];
    return copy_unwind__read_code(unwind, address, found, shape->code_bytes) &&
           code_shape__begins(shape, found, shape->code_bytes);
}

// libunwind goes on from a place that it did not find itself.
static int restart(struct copy_unwind *unwind, const struct place *at, unw_cursor_t *cursor)
{
    unwind->registers[REGISTER_IP] = at->ip;
    unwind->registers[REGISTER_SP] = at->sp;
    unwind->registers[REGISTER_BP] = at->bp;
    return unw_init_remote(cursor, unwind->space, unwind) == 0 ? 0 : -ENOMEM;
}

// The code that a signal interrupted, where the trampoline has no call frame information (musl's): the kernel has put
// its registers on the stack.
static bool follow_signal(struct copy_unwind *unwind, uint64_t sp, struct place *ret_up)
{
    uint64_t saved[ARCH_REGISTERS];
    if (!copy_unwind__read_stack(unwind, sp + code_signal_registers.at, saved, sizeof(saved)))
        return false;
    for (size_t i = 0; i < ARCH_REGISTERS; i++)
        unwind->registers[code_signal_registers.numbers[i]] = saved[i];
    *ret_up =
        (struct place){unwind->registers[REGISTER_IP], unwind->registers[REGISTER_SP], unwind->registers[REGISTER_BP]};
    return true;
}

static enum copy_status why_it_failed(const struct copy_unwind *unwind)
{
    if (unwind->beyond_copy)
        return COPY_STACK_CUT;
    return unwind->unreadable ? COPY_STACK_UNREADABLE : COPY_STACK_UNSUPPORTED;
}

static bool find_switch(struct copy_unwind *unwind, uint64_t address, struct unwind_rule *ret_rule)
{
    uint64_t bias;
    const struct copy_module *module = copy_unwind__module_at(unwind, address, &bias);
    return module && copy_module__switch_rule(module, address - bias, ret_rule);
}

static bool is_end(struct copy_unwind *unwind, uint64_t address)
{
    struct unwind_rule rule;
    return is_code(unwind, address + 1, &code_context_start) ||
           (find_switch(unwind, address, &rule) && UNWIND_KIND_OF(rule.kind) == UNWIND_END);
}

// The frame at hand.
struct at {
    uint64_t address; // inside the call, or the interrupted instruction
    bool is_leaf;
};

// The caller of code without call frame information. True: there is one; false: the stack ends, with a status.
static bool step_without_rule(struct copy_unwind *unwind, unw_cursor_t *cursor, const struct place *place,
                              bool is_signal, struct at *at, enum copy_status *ret_status)
{
    struct place up;
    if (!copy_unwind__find_mapping(unwind, at->address)) {
        *ret_status = COPY_STACK_NO_MAPPING;
        return false;
    }
    if (is_entry(unwind, at->address)) {
        *ret_status = COPY_STACK_WHOLE;
        return false;
    }
    bool is_file = unwind->mapping.binary != 0;
    bool found =
        is_signal ? follow_signal(unwind, place->sp, &up) : follow_frame_pointer(unwind, place, at->is_leaf, &up);
    if (!found) {
        *ret_status = COPY_STACK_NO_ROWS;
        return false;
    }
    if (!is_signal) {
        unwind->is_uncertain |= is_file;
        up.ip--; // what libunwind looks up is the call, not what is behind it
    }
    *at = (struct at){.address = up.ip};
    return restart(unwind, &up, cursor) == 0;
}

// The canonical frame address of a caller; false: it cannot be read. The goroutine's stack is not the one copied.
static bool find_cfa(struct copy_unwind *unwind, struct unwind_rule rule, const struct place *place, uint64_t *ret_cfa)
{
    uint64_t offset = (uint64_t)(int64_t)rule.cfa_offset, cfa;
    switch (UNWIND_KIND_OF(rule.kind)) {
    case UNWIND_SP:
        *ret_cfa = place->sp + offset;
        return true;
    case UNWIND_BP:
        *ret_cfa = place->bp + offset;
        return true;
    case UNWIND_SP_DEREF_8:
        if (!copy_unwind__read_stack(unwind, place->sp + offset, &cfa, sizeof(cfa)))
            return false;
        *ret_cfa = cfa + 8;
        return true;
    default:
        return false;
    }
}

// The caller of a call to another stack (unwind_go.h). As step_without_rule.
static bool step_by_switch(struct copy_unwind *unwind, unw_cursor_t *cursor, struct unwind_rule rule,
                           const struct place *place, struct at *at, enum copy_status *ret_status)
{
    struct place up = {.bp = place->bp};
    *ret_status = COPY_STACK_UNREADABLE;
    if (!find_cfa(unwind, rule, place, &up.sp) || up.sp <= place->sp ||
        !copy_unwind__read_stack(unwind, up.sp - 8, &up.ip, 8))
        return false;
    if (UNWIND_BP_OF(rule.kind) == UNWIND_BP_AT_CFA &&
        !copy_unwind__read_stack(unwind, up.sp + (uint64_t)(int64_t)rule.bp_offset, &up.bp, 8))
        return false;
    *ret_status = COPY_STACK_NO_RETURN;
    if (!up.ip)
        return false;
    at->address = --up.ip; // inside the call
    at->is_leaf = false;
    return restart(unwind, &up, cursor) == 0;
}

// libunwind ends a stack where the code says that it has no caller, and where the return address is zero, which is no
// end. libunwind reads that address last, below the canonical frame address.
static bool lacks_return_address(const struct copy_unwind *unwind, unw_cursor_t *cursor)
{
    unw_word_t cfa = 0;
    unw_get_reg(cursor, REGISTER_SP, &cfa);
    return cfa && unwind->zero_at == cfa - 8;
}

static bool step(struct copy_unwind *unwind, unw_cursor_t *cursor, struct at *at, enum copy_status *ret_status)
{
    struct place place = {0};
    unw_get_reg(cursor, REGISTER_IP, &place.ip);
    unw_get_reg(cursor, REGISTER_SP, &place.sp);
    unw_get_reg(cursor, REGISTER_BP, &place.bp);
    struct unwind_rule rule;
    if (!at->is_leaf && find_switch(unwind, at->address, &rule))
        return step_by_switch(unwind, cursor, rule, &place, at, ret_status);
    bool is_signal = is_code(unwind, place.ip, &code_signal_return);
    unwind->has_no_rule = unwind->unreadable = unwind->beyond_copy = false;
    unwind->zero_at = 0;
    int err = unw_step(cursor);
    if (unwind->has_no_rule)
        return step_without_rule(unwind, cursor, &place, is_signal, at, ret_status);
    unw_word_t ip = 0;
    if (err >= 0)
        unw_get_reg(cursor, UNW_REG_IP, &ip);
    if (err < 0)
        *ret_status = why_it_failed(unwind);
    else
        *ret_status = lacks_return_address(unwind, cursor) ? COPY_STACK_NO_RETURN : COPY_STACK_WHOLE;
    *at = (struct at){.address = is_signal ? ip : ip - 1};
    return err > 0 && ip != 0;
}

int copy_unwind__run(struct copy_unwind *unwind, const struct copied_stack *stack, struct copy_result *ret_result)
{
    unw_cursor_t cursor;
    struct at at = {.address = stack->registers[REGISTER_IP], .is_leaf = true};
    unwind->stack = stack;
    unwind->mapping = (struct copy_mapping){0};
    unwind->module = NULL;
    unwind->image.length_bytes = 0;
    unwind->is_uncertain = false;
    memcpy(unwind->registers, stack->registers, sizeof(unwind->registers));
    ret_result->count = 0;
    if (unw_init_remote(&cursor, unwind->space, unwind) != 0)
        return -ENOMEM;
    do {
        if (ret_result->count == COPY_FRAMES_MAX) {
            ret_result->status = COPY_STACK_CUT;
            return 0;
        }
        push(unwind, at.address, ret_result);
        if (!at.is_leaf && is_end(unwind, at.address)) {
            ret_result->status = unwind->is_uncertain ? COPY_STACK_FRAME_POINTERS : COPY_STACK_WHOLE;
            return 0;
        }
    } while (step(unwind, &cursor, &at, &ret_result->status));
    if (ret_result->status == COPY_STACK_WHOLE && unwind->is_uncertain)
        ret_result->status = COPY_STACK_FRAME_POINTERS;
    return 0;
}
