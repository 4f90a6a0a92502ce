// An ELF's call frame information to a table: the functions of .eh_frame and .debug_frame in the order of the file,
// each run by unwind_cfa.c, with what stands between them.
//
//   26000..26360 FDE   -> rows                                    27040..27052 entry point without CFI -> UNWIND_END
//   26360..26368       -> padding: belongs to the row before      270c0..27100 a PLT without CFI       -> UNWIND_PLT
//   26370..26380       -> 16 bytes or more: UNWIND_GAP
#include <errno.h>
#include <string.h>

#include "symbolizer/unwind/unwind_builder.h"
#include "symbolizer/unwind/unwind_cfa.h"
#include "symbolizer/unwind/unwind_extras.h"
#include "symbolizer/unwind/unwind_go.h"

#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "symbolizer/arch/guest_shapes.h"

// Functions are aligned to 16 bytes: shorter holes are padding, which no call returns to.
#define PADDING_BYTES 16

// Code without CFI that is searched for what is known by its instructions, at about 1 GB/s: musl's libc.so has 0.4 MB.
// Code behind that much stays without rows: large holes are programs that leave signals to their libc.
#define TRAMPOLINE_SEARCH_BYTES (2u << 20)

struct function {
    uint32_t start, end; // file offsets
    uint16_t source;     // 0: .eh_frame, 1: .debug_frame, 2: unwind_extras.h
    bool is_understood;  // false: the row is `rule`
    bool is_guest;       // of a guest's loop: its rules are marked
    struct unwind_rule rule;
    struct cfi_fde fde;
};

struct compiler {
    struct unwind_elf elf;
    struct unwind_section sections[2]; // .eh_frame, .debug_frame
    struct cfi_cie *cies[2];
    struct function *functions;
    size_t count, capacity;
    uint16_t source; // of the functions being collected
    struct unwind_builder builder;
    const struct cfi_cie *start_of; // the CIE that `start` belongs to
    struct cfa_state start;
    bool start_is_understood;
    uint32_t function_start, function_end; // of the one being run
    bool needs_rbx;                        // a rule with UNWIND_BX was seen
    bool has_unsupported;
    bool tracks_rbx;
    uint8_t mark; // of the rules of the function being run
};

static void compiler__release(struct compiler *compiler)
{
    unwind_elf__close(&compiler->elf);
    for (size_t i = 0; i < 2; i++) {
        unwind_section__free(&compiler->sections[i]);
        free(compiler->cies[i]);
    }
    free(compiler->functions);
    unwind_builder__release(&compiler->builder);
}

static int add_function(struct compiler *compiler, const struct function *function)
{
    if (GROW(compiler->functions, compiler->capacity, compiler->count + 1) != 0)
        return -ENOMEM;
    compiler->functions[compiler->count++] = *function;
    return 0;
}

// Places a range of addresses in the file; false where it is not (all) executable, or beyond 4 GiB.
static bool place(const struct unwind_elf *elf, uint64_t address, uint64_t bytes, struct function *function)
{
    uint64_t offset, left;
    if (bytes == 0 || !unwind_elf__offset_of(elf, address, &offset, &left))
        return false;
    if (bytes > left)
        bytes = left;
    if (offset + bytes > UINT32_MAX)
        return false;
    function->start = (uint32_t)offset;
    function->end = (uint32_t)(offset + bytes);
    return true;
}

static int take_fde(const struct cfi_fde *fde, void *context)
{
    struct compiler *compiler = context;
    struct function function = {.source = compiler->source, .is_understood = true, .fde = *fde};
    if (!place(&compiler->elf, fde->address, fde->bytes, &function))
        return 0;
    return add_function(compiler, &function);
}

static int take_extra(uint64_t address, uint64_t bytes, struct unwind_rule rule, void *context)
{
    struct compiler *compiler = context;
    struct function function = {.source = 2, .rule = rule};
    if (!place(&compiler->elf, address, bytes, &function))
        return 0;
    return add_function(compiler, &function);
}

// By place; of two at one place .eh_frame's first, then the longer one.
static int compare_functions(const void *a, const void *b)
{
    const struct function *one = a, *other = b;
    if (one->start != other->start)
        return one->start < other->start ? -1 : 1;
    if (one->source != other->source)
        return one->source < other->source ? -1 : 1;
    return one->end > other->end ? -1 : one->end < other->end;
}

static void sort_functions(struct compiler *compiler)
{
    for (size_t i = 1; i < compiler->count; i++)
        if (compare_functions(&compiler->functions[i - 1], &compiler->functions[i]) > 0) {
            qsort(compiler->functions, compiler->count, sizeof(*compiler->functions), compare_functions);
            return;
        }
}

// Drops what a better source has already said. A function of .eh_frame that starts within another one cuts it: look-up
// by .eh_frame_hdr, which every other unwinder does, finds the last start at or before an address.
static void drop_overlaps(struct compiler *compiler)
{
    size_t kept = 0;
    for (size_t i = 0; i < compiler->count; i++) {
        struct function *function = &compiler->functions[i];
        struct function *last = kept ? &compiler->functions[kept - 1] : NULL;
        if (last && function->start < last->end) {
            if (function->start == last->start || function->source > last->source)
                continue;
            last->end = function->start;
        }
        compiler->functions[kept++] = *function;
    }
    compiler->count = kept;
}

static void arrange_functions(struct compiler *compiler)
{
    sort_functions(compiler);
    drop_overlaps(compiler);
}

// Whatever its CFI says (ld.so's has some), the entry point has no caller.
static void end_at_entry(struct compiler *compiler)
{
    struct function entry;
    if (!compiler->elf.entry || !place(&compiler->elf, compiler->elf.entry, 1, &entry))
        return;
    for (size_t i = 0; i < compiler->count; i++)
        if (compiler->functions[i].start == entry.start) {
            compiler->functions[i].is_understood = false;
            compiler->functions[i].rule = (struct unwind_rule){.kind = UNWIND_END};
        }
}

static int take_in_hole(uint64_t file_offset, uint64_t bytes, struct unwind_rule rule, void *context)
{
    struct compiler *compiler = context;
    struct function function = {
        .source = 2, .rule = rule, .start = (uint32_t)file_offset, .end = (uint32_t)(file_offset + bytes)};
    return add_function(compiler, &function);
}

// Looks into the holes between functions, up to a bound: holes larger than that are whole programs without CFI.
static int collect_in_holes(struct compiler *compiler)
{
    size_t functions = compiler->count; // those found here are behind
    uint64_t left = TRAMPOLINE_SEARCH_BYTES;
    for (size_t s = 0; s < compiler->elf.segment_count; s++) {
        const struct unwind_segment *segment = &compiler->elf.segments[s];
        uint64_t at = segment->file_offset, end = at + segment->bytes;
        if (end > UINT32_MAX)
            continue;
        for (size_t i = 0; i <= functions && at < end; i++) {
            const struct function *function = i < functions ? &compiler->functions[i] : NULL;
            uint64_t hole_end = function && function->start < end ? function->start : end;
            uint64_t bytes = hole_end > at ? hole_end - at : 0;
            if (bytes >= PADDING_BYTES && bytes <= left) {
                int err = unwind_extras__each_in_hole(&compiler->elf, at, bytes, take_in_hole, compiler);
                if (err)
                    return err;
                left -= bytes;
            }
            if (function && function->end > at)
                at = function->end;
        }
    }
    return 0;
}

// The function that holds an offset; NULL: none.
static struct function *find_function(struct compiler *compiler, uint64_t offset)
{
    size_t low = 0, high = compiler->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compiler->functions[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low && offset < compiler->functions[low - 1].end ? &compiler->functions[low - 1] : NULL;
}

// A call on another stack. The function has a handful of instructions behind it, on the way back: not unwound.
static int take_switch(uint64_t file_offset, uint64_t bytes, struct unwind_rule rule, void *context)
{
    struct compiler *compiler = context;
    struct function *around = find_function(compiler, file_offset);
    if (file_offset + bytes > UINT32_MAX)
        return 0;
    struct function call = {
        .source = 2, .start = (uint32_t)file_offset, .end = (uint32_t)(file_offset + bytes), .rule = rule};
    struct function rest = {.source = 2, .start = call.end, .rule = {.kind = UNWIND_UNSUPPORTED}};
    if (around) {
        rest.end = around->end;
        around->end = call.start;
    }
    int err = add_function(compiler, &call);
    if (!err && rest.end > rest.start)
        err = add_function(compiler, &rest);
    sort_functions(compiler);
    return err;
}

static bool take_row(uint64_t distance, struct unwind_rule rule, void *context)
{
    struct compiler *compiler = context;
    compiler->needs_rbx |= UNWIND_KIND_OF(rule.kind) == UNWIND_BX;
    compiler->has_unsupported |= UNWIND_KIND_OF(rule.kind) == UNWIND_UNSUPPORTED;
    if (!compiler->tracks_rbx)
        rule.bx_slot = UNWIND_BX_LOST;
    rule.kind |= compiler->mark;
    if (distance < compiler->function_end - compiler->function_start)
        unwind_builder__add(&compiler->builder, compiler->function_start + (uint32_t)distance, rule);
    return true;
}

static bool run_function(struct compiler *compiler, const struct function *function)
{
    if (function->fde.cie != compiler->start_of) {
        compiler->start_of = function->fde.cie;
        compiler->start_is_understood = cfa__start(function->fde.cie, &compiler->start);
    }
    compiler->function_start = function->start;
    compiler->function_end = function->end;
    return compiler->start_is_understood && cfa__run(&function->fde, &compiler->start, take_row, compiler);
}

static void add_rows(struct compiler *compiler, const struct function *function)
{
    compiler->mark = function->is_guest ? UNWIND_GUEST : 0;
    if (!function->is_understood) {
        unwind_builder__add(&compiler->builder, function->start, function->rule);
        return;
    }
    size_t before = compiler->builder.count;
    if (run_function(compiler, function))
        return;
    unwind_builder__truncate(&compiler->builder, before);
    unwind_builder__add(&compiler->builder, function->start, (struct unwind_rule){.kind = UNWIND_UNSUPPORTED});
}

static void run_functions(struct compiler *compiler)
{
    const struct unwind_rule gap = {.kind = UNWIND_GAP};
    uint32_t end = 0;
    for (size_t i = 0; i < compiler->count; i++) {
        const struct function *function = &compiler->functions[i];
        if (i && function->start - end >= PADDING_BYTES)
            unwind_builder__add(&compiler->builder, end, gap);
        add_rows(compiler, function);
        end = function->end;
    }
    if (compiler->count)
        unwind_builder__add(&compiler->builder, end, gap);
}

// A coroutine's outermost function returns to the very start of __start_context, which is looked up one byte before it.
static void end_coroutines(struct compiler *compiler)
{
    for (size_t i = 1; i < compiler->count; i++) {
        struct function *function = &compiler->functions[i];
        if (function->source == 2 || compiler->functions[i - 1].end >= function->start ||
            !unwind_extras__is_start_context(&compiler->elf, function->start, function->end - function->start))
            continue;
        function->start--;
        function->is_understood = false;
        function->rule = (struct unwind_rule){.kind = UNWIND_END};
    }
}

// Where rbx was saved matters below a rule that needs rbx, which is in ld.so, whose resolver calls only ld.so. Every
// file would pay for it with rows (node: 14 %), so only files with such a rule do; elsewhere rbx counts as lost.
//
// Coroutines are looked for where setcontext() may be, which has rules that are not supported.
static void run_functions_as_needed(struct compiler *compiler)
{
    run_functions(compiler);
    if (!compiler->needs_rbx && !compiler->has_unsupported)
        return;
    compiler->tracks_rbx = compiler->needs_rbx;
    end_coroutines(compiler);
    unwind_builder__release(&compiler->builder);
    run_functions(compiler);
}

// The compiler puts what is rare of a large function elsewhere, as a function of its own (".cold"), and jumps there by
// conditional jumps into its middle. A jump to its very start would be a call of another function.
static void mark_jumped_to(struct compiler *compiler, const struct function *loop)
{
    _cleanup_free_ uint8_t *code = NULL;
    uint32_t bytes = loop->end - loop->start, start = loop->start;
    if (unwind_elf__read(&compiler->elf, start, bytes, &code) != 0)
        return;
    for (uint32_t at = 0; at < bytes; at++) {
        int64_t distance;
        if (!guest_shapes__is_far_jump(code + at, bytes - at, &distance))
            continue;
        struct function *cold = find_function(compiler, (uint64_t)((int64_t)start + at + distance));
        if (cold && (int64_t)cold->start != (int64_t)start + at + distance)
            cold->is_guest = true;
    }
}

static void mark_guest(struct compiler *compiler, uint64_t loop_address)
{
    struct function place_of_loop;
    struct function *loop =
        place(&compiler->elf, loop_address, 1, &place_of_loop) ? find_function(compiler, place_of_loop.start) : NULL;
    if (!loop)
        return;
    loop->is_guest = true;
    mark_jumped_to(compiler, loop);
}

static int collect(struct compiler *compiler)
{
    int err = unwind_elf__eh_frame(&compiler->elf, &compiler->sections[0]);
    if (!err && unwind_elf__section(&compiler->elf, ".debug_frame", &compiler->sections[1]) == -ENOMEM)
        err = -ENOMEM; // damaged, it only loses its own rows
    for (uint16_t i = 0; !err && i < 2; i++) {
        compiler->source = i;
        if (compiler->sections[i].data)
            err = cfi__each_fde(&compiler->sections[i], i == 0, take_fde, compiler, &compiler->cies[i]);
    }
    if (err)
        return err;
    err = unwind_extras__each(&compiler->elf, take_extra, compiler);
    if (err)
        return err;
    arrange_functions(compiler);
    end_at_entry(compiler);
    err = collect_in_holes(compiler);
    arrange_functions(compiler);
    return err ? err : unwind_go__each_switch(&compiler->elf, take_switch, compiler);
}

static int compile(struct compiler *compiler, uint64_t guest_loop, struct fault *fault, struct unwind_table **ret_table)
{
    int err = collect(compiler);
    if (err)
        return fault__set(fault, err, "its call frame information cannot be read (%s)", strerror(-err));
    if (guest_loop)
        mark_guest(compiler, guest_loop);
    run_functions_as_needed(compiler);
    err = unwind_builder__pack(&compiler->builder, ret_table);
    return err == -E2BIG ? fault__set(fault, err, "more unwind rows than hearth keeps for one file") : err;
}

static int open_and_compile(int fd, const void *image, size_t bytes, uint64_t guest_loop, struct fault *fault,
                            struct unwind_table **ret_table)
{
    _cleanup_(compiler__release) struct compiler compiler = {0};
    int err = unwind_elf__open(fd, image, bytes, fault, &compiler.elf);
    return err ? err : compile(&compiler, guest_loop, fault, ret_table);
}

int unwind_table__compile(int fd, struct fault *fault, struct unwind_table **ret_table)
{
    return open_and_compile(fd, NULL, 0, 0, fault, ret_table);
}

int unwind_table__compile_marked(int fd, uint64_t guest_loop, struct fault *fault, struct unwind_table **ret_table)
{
    return open_and_compile(fd, NULL, 0, guest_loop, fault, ret_table);
}

int unwind_table__compile_memory(const void *image, size_t bytes, struct fault *fault, struct unwind_table **ret_table)
{
    return open_and_compile(-1, image, bytes, 0, fault, ret_table);
}
