#include "symbolizer/unwind/copy_unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/id_map.h"
#include "symbolizer/unwind/copy_module.h"

struct copy_unwind {
    unw_addr_space_t space;
    struct copy_pages *pages;
    struct copy_module **modules;
    size_t module_count;
    struct id_map by_binary; // -> index into modules
    struct copy_image image;

    // Of the stack at hand:
    const struct copied_stack *stack;
    uint64_t registers[COPY_REGISTERS]; // libunwind starts from these
    struct copy_mapping mapping;        // the one looked up last; start == end: none
    struct copy_module *module;         // whose call frame information libunwind reads now
    uint64_t bias;
    bool has_no_rule;  // the step at hand found no call frame information
    bool unreadable;   // ... asked for memory that is neither in the copy nor in a file
    bool beyond_copy;  // ... above the copy's end
    uint64_t zero_at;  // ... read a zero there, and nothing after it
    bool is_uncertain; // a file's code was passed by its frame pointer, which may have skipped callers
};

// --- Where things are

static bool find_mapping(struct copy_unwind *unwind, uint64_t address)
{
    struct copy_mapping *mapping = &unwind->mapping;
    if (address >= mapping->start && address < mapping->end)
        return true;
    if (unwind->stack->find(address, mapping, unwind->stack->context))
        return true;
    *mapping = (struct copy_mapping){0};
    return false;
}

// The module of the mapping looked up last; NULL: code without a file, or no memory for it.
static struct copy_module *find_module(struct copy_unwind *unwind)
{
    const struct copy_mapping *mapping = &unwind->mapping;
    uint32_t index;
    if (!mapping->binary || (mapping->fd < 0 && !mapping->image))
        return NULL;
    if (id_map__get(&unwind->by_binary, mapping->binary, &index))
        return unwind->modules[index];
    struct copy_module **grown = reallocarray(unwind->modules, unwind->module_count + 1, sizeof(struct copy_module *));
    if (!grown)
        return NULL;
    unwind->modules = grown;
    struct copy_module *module;
    if (copy_module__new(mapping->fd, mapping->image, mapping->image_bytes, unwind->pages, &module) != 0)
        return NULL;
    if (id_map__put(&unwind->by_binary, mapping->binary, (uint32_t)unwind->module_count) != 0) {
        copy_module__free(module);
        return NULL;
    }
    unwind->modules[unwind->module_count++] = module;
    return module;
}

// The module with code at an address, and what the process adds to the file's own addresses there.
static struct copy_module *module_at(struct copy_unwind *unwind, uint64_t address, uint64_t *ret_bias)
{
    struct copy_module *module = find_mapping(unwind, address) ? find_module(unwind) : NULL;
    uint64_t own;
    if (!module ||
        !copy_module__address_of(module, address - unwind->mapping.start + unwind->mapping.file_offset, &own))
        return NULL;
    *ret_bias = address - own;
    return module;
}

// --- Memory

static bool read_stack(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes)
{
    const struct copied_stack *stack = unwind->stack;
    uint64_t from = address - stack->stack_address;
    if (address < stack->stack_address || from > stack->stack_bytes || bytes > stack->stack_bytes - from)
        return false;
    memcpy(to, stack->stack + from, bytes);
    return true;
}

static bool read_image(const struct copy_image *image, uint64_t address, void *to, size_t bytes)
{
    uint64_t from = address - image->start;
    if (!image->length_bytes || address < image->start || from >= image->length_bytes)
        return false;
    size_t left = image->length_bytes - from;
    memset(to, 0, bytes);
    memcpy(to, image->bytes + from, left < bytes ? left : bytes);
    return true;
}

static bool read_code(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes)
{
    uint64_t bias;
    struct copy_module *module = module_at(unwind, address, &bias);
    return module && copy_module__read(module, address - bias, to, bytes);
}

static void note_unreadable(struct copy_unwind *unwind, uint64_t address)
{
    const struct copied_stack *stack = unwind->stack;
    unwind->unreadable = true;
    // A stack of 8 MiB, the usual limit, may reach so far above the copy.
    if (stack->is_cut && address >= stack->stack_address && address - stack->stack_address < (8u << 20))
        unwind->beyond_copy = true;
}

static int access_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int is_write, void *argument)
{
    struct copy_unwind *unwind = argument;
    (void)space;
    if (is_write)
        return -UNW_EINVAL;
    if (read_stack(unwind, address, value, sizeof(*value)) ||
        read_image(&unwind->image, address, value, sizeof(*value)) ||
        (unwind->module && copy_module__read(unwind->module, address - unwind->bias, value, sizeof(*value))) ||
        read_code(unwind, address, value, sizeof(*value))) {
        unwind->zero_at = *value ? 0 : address;
        return 0;
    }
    note_unreadable(unwind, address);
    return -UNW_EINVAL;
}

static int access_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int is_write, void *argument)
{
    const struct copy_unwind *unwind = argument;
    (void)space;
    if (is_write || number < 0 || number >= COPY_REGISTERS)
        return -UNW_EBADREG;
    *value = unwind->registers[number];
    return 0;
}

// --- What libunwind asks for beside it

static int find_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *ret_info, int need_unwind_info,
                     void *argument)
{
    struct copy_unwind *unwind = argument;
    uint64_t avoid = unwind->stack->stack_address;
    unwind->image.length_bytes = 0;
    unwind->module = module_at(unwind, ip, &unwind->bias);
    int err = -UNW_ENOINFO;
    if (unwind->module)
        err = copy_module__find(unwind->module, space, ip, unwind->bias, &unwind->image, avoid,
                                avoid + unwind->stack->stack_bytes, ret_info, need_unwind_info, argument);
    unwind->has_no_rule = err == -UNW_ENOINFO;
    return err;
}

static void put_info(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
    (void)space, (void)info, (void)argument;
}

static int find_dynamic(unw_addr_space_t space, unw_word_t *ret_address, void *argument)
{
    (void)space, (void)ret_address, (void)argument;
    return -UNW_ENOINFO;
}

static int access_float(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int is_write, void *argument)
{
    (void)space, (void)number, (void)value, (void)is_write, (void)argument;
    return -UNW_EBADREG;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *argument)
{
    (void)space, (void)cursor, (void)argument;
    return -UNW_EINVAL;
}

int copy_unwind__new(struct copy_unwind **ret_unwind)
{
    static unw_accessors_t accessors = {
        .find_proc_info = find_info,
        .put_unwind_info = put_info,
        .get_dyn_info_list_addr = find_dynamic,
        .access_mem = access_memory,
        .access_reg = access_register,
        .access_fpreg = access_float,
        .resume = resume,
    };
    _cleanup_(copy_unwind__freep) struct copy_unwind *unwind = calloc(1, sizeof(*unwind));
    if (!unwind || copy_pages__new(&unwind->pages) != 0)
        return -ENOMEM;
    unwind->space = unw_create_addr_space(&accessors, 0);
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
    if (find_mapping(unwind, address) && unwind->mapping.binary) {
        frame.binary = unwind->mapping.binary;
        frame.offset = address - unwind->mapping.start + unwind->mapping.file_offset;
    }
    result->frames[result->count++] = frame;
}

// Whether the instruction before an address is a call: e8 with 4 bytes, or ff /2 with 2 to 7 bytes in all. Code that
// cannot be read, a JIT's, is believed.
static bool is_behind_call(struct copy_unwind *unwind, uint64_t address)
{
    uint8_t code[7];
    uint64_t bias;
    if (!find_mapping(unwind, address - 1))
        return false;
    if (!unwind->mapping.binary)
        return true;
    struct copy_module *module = module_at(unwind, address - 1, &bias);
    if (!module || !copy_module__read(module, address - bias - sizeof(code), code, sizeof(code)))
        return false;
    if (code[2] == 0xe8)
        return true;
    for (size_t i = 0; i < 6; i++)
        if (code[i] == 0xff && (code[i + 1] >> 3 & 7) == 2)
            return true;
    return false;
}

struct place {
    uint64_t ip, sp, bp;
};

// The caller by the frame pointer; of a leaf without a frame, by the return address on top of the stack.
static bool follow_frame_pointer(struct copy_unwind *unwind, const struct place *at, bool is_leaf, struct place *ret_up)
{
    uint64_t saved[2];
    if (is_leaf && read_stack(unwind, at->sp, saved, 8) && is_behind_call(unwind, saved[0])) {
        *ret_up = (struct place){.ip = saved[0], .sp = at->sp + 8, .bp = at->bp};
        return true;
    }
    if (at->bp < at->sp || !read_stack(unwind, at->bp, saved, 16) || !is_behind_call(unwind, saved[1]))
        return false;
    *ret_up = (struct place){.ip = saved[1], .sp = at->bp + 16, .bp = saved[0]};
    return true;
}

static bool is_entry(struct copy_unwind *unwind, uint64_t address)
{
    uint64_t bias;
    const struct copy_module *module = module_at(unwind, address, &bias);
    return module && copy_module__is_entry(module, address - bias);
}

static bool begins_with(struct copy_unwind *unwind, uint64_t address, const void *code, size_t bytes)
{
    uint8_t found[16];
    return read_code(unwind, address, found, bytes) && memcmp(found, code, bytes) == 0;
}

// mov $15, %rax (rt_sigreturn); syscall: what debuggers know a signal's frame by, too.
static bool is_signal_return(struct copy_unwind *unwind, uint64_t address)
{
    return begins_with(unwind, address, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9);
}

// Where a function that makecontext() has started returns to: glibc's __start_context, which nobody has called, and
// whose call frame information does not say so. mov %rbx, %rsp; mov (%rsp), %rdi; test %rdi, %rdi.
static bool is_context_start(struct copy_unwind *unwind, uint64_t address)
{
    return begins_with(unwind, address, "\x48\x89\xdc\x48\x8b\x3c\x24\x48\x85\xff", 10);
}

// libunwind goes on from a place that it did not find itself.
static int restart(struct copy_unwind *unwind, const struct place *at, unw_cursor_t *cursor)
{
    unwind->registers[UNW_X86_64_RIP] = at->ip;
    unwind->registers[UNW_X86_64_RSP] = at->sp;
    unwind->registers[UNW_X86_64_RBP] = at->bp;
    return unw_init_remote(cursor, unwind->space, unwind) == 0 ? 0 : -ENOMEM;
}

// The code that a signal interrupted, where the trampoline has no call frame information (musl's): the kernel has put
// its registers behind 40 bytes of struct ucontext (uapi asm/sigcontext.h).
static bool follow_signal(struct copy_unwind *unwind, uint64_t sp, struct place *ret_up)
{
    // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip
    static const uint8_t dwarf_numbers[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    uint64_t saved[COPY_REGISTERS];
    if (!read_stack(unwind, sp + 40, saved, sizeof(saved)))
        return false;
    for (size_t i = 0; i < COPY_REGISTERS; i++)
        unwind->registers[dwarf_numbers[i]] = saved[i];
    *ret_up = (struct place){.ip = unwind->registers[16], .sp = unwind->registers[7], .bp = unwind->registers[6]};
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
    const struct copy_module *module = module_at(unwind, address, &bias);
    return module && copy_module__switch_rule(module, address - bias, ret_rule);
}

static bool is_end(struct copy_unwind *unwind, uint64_t address)
{
    struct unwind_rule rule;
    return is_context_start(unwind, address + 1) ||
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
    if (!find_mapping(unwind, at->address)) {
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
        if (!read_stack(unwind, place->sp + offset, &cfa, sizeof(cfa)))
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
    if (!find_cfa(unwind, rule, place, &up.sp) || up.sp <= place->sp || !read_stack(unwind, up.sp - 8, &up.ip, 8))
        return false;
    if (UNWIND_RBP_OF(rule.kind) == UNWIND_RBP_AT_CFA &&
        !read_stack(unwind, up.sp + (uint64_t)(int64_t)rule.rbp_offset, &up.bp, 8))
        return false;
    *ret_status = COPY_STACK_NO_RETURN;
    if (!up.ip)
        return false;
    at->address = --up.ip; // inside the call
    at->is_leaf = false;
    return restart(unwind, &up, cursor) == 0;
}

// libunwind ends a stack where the code says that it has no caller, and where the return address is zero, which is no
// end. It reads that last, below the canonical frame address.
static bool lacks_return_address(const struct copy_unwind *unwind, unw_cursor_t *cursor)
{
    unw_word_t cfa = 0;
    unw_get_reg(cursor, UNW_X86_64_RSP, &cfa);
    return cfa && unwind->zero_at == cfa - 8;
}

static bool step(struct copy_unwind *unwind, unw_cursor_t *cursor, struct at *at, enum copy_status *ret_status)
{
    struct place place = {0};
    unw_get_reg(cursor, UNW_X86_64_RIP, &place.ip);
    unw_get_reg(cursor, UNW_X86_64_RSP, &place.sp);
    unw_get_reg(cursor, UNW_X86_64_RBP, &place.bp);
    struct unwind_rule rule;
    if (!at->is_leaf && find_switch(unwind, at->address, &rule))
        return step_by_switch(unwind, cursor, rule, &place, at, ret_status);
    bool is_signal = is_signal_return(unwind, place.ip);
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
    struct at at = {.address = stack->registers[UNW_X86_64_RIP], .is_leaf = true};
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
