#include "symbolizer/worker/frame_functions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "symbolizer/index/range.h"
#include "symbolizer/unwind/unwind_cfi.h"

struct collector {
    const struct unwind_elf *elf;
    uint64_t base;
    struct buf layers; // struct layer; value: the offset in the file, which fits: files of 4 GiB and more have no index
};

static int collect(const struct cfi_fde *fde, void *context)
{
    struct collector *collector = context;
    uint64_t offset, left, start = fde->address - collector->base;
    if (fde->address < collector->base || start >= UINT32_MAX || fde->bytes == 0 ||
        !unwind_elf__offset_of(collector->elf, fde->address, &offset, &left) || offset > UINT32_MAX)
        return 0;
    uint64_t bytes = fde->bytes < left ? fde->bytes : left, end = start + bytes;
    struct layer layer = {
        .start = (uint32_t)start, .end = (uint32_t)(end < UINT32_MAX ? end : UINT32_MAX), .value = (uint32_t)offset};
    buf__append(&collector->layers, &layer, sizeof(layer));
    return collector->layers.failed ? -ENOMEM : 0;
}

static uint32_t name_of(const struct range *function, struct string_pool *pool)
{
    char name[32];
    int length = snprintf(name, sizeof(name), FRAME_FUNCTIONS_PREFIX "%" PRIx32 "]", function->value);
    return string_pool__append(pool, name, (size_t)length);
}

static void append_gap(uint32_t start, uint32_t end, uint32_t value, struct buf *out)
{
    struct range gap = {start, end, value};
    if (start < end)
        buf__append(out, &gap, sizeof(gap));
}

// Appends what the named ranges leave of the functions, and the named ranges themselves, in order.
static int merge(const struct range *functions, size_t function_count, const struct range *named, size_t named_count,
                 struct string_pool *pool, struct buf *out)
{
    size_t next = 0;
    uint32_t covered = 0; // to here by named ranges
    for (size_t i = 0; i < function_count; i++) {
        const struct range *function = &functions[i];
        while (next < named_count && named[next].end <= function->start)
            buf__append(out, &named[next++], sizeof(*named));
        bool has_name = next < named_count && named[next].start == function->start;
        uint32_t value = has_name ? named[next].value : 0;
        for (uint32_t at = covered > function->start ? covered : function->start; at < function->end; at = covered) {
            bool is_last = next == named_count || named[next].start >= function->end;
            uint32_t end = is_last ? function->end : named[next].start;
            if (at < end && !value)
                value = name_of(function, pool);
            append_gap(at, end, value, out);
            covered = is_last ? end : named[next].end;
            if (!is_last)
                buf__append(out, &named[next++], sizeof(*named));
        }
    }
    buf__append(out, named + next, (named_count - next) * sizeof(*named));
    return out->failed || pool->bytes.failed ? -ENOMEM : 0;
}

static int read_functions(const struct unwind_elf *elf, uint64_t base, struct buf *functions)
{
    struct unwind_section section;
    struct cfi_cie *cies = NULL;
    struct collector collector = {.elf = elf, .base = base};
    int err = unwind_elf__eh_frame(elf, &section);
    if (err)
        return err;
    err = section.data ? cfi__each_fde(&section, true, collect, &collector, &cies) : -ENOENT;
    free(cies);
    unwind_section__free(&section);
    if (!err)
        err = range__flatten((struct layer *)collector.layers.data,
                             collector.layers.length_bytes / sizeof(struct layer), functions);
    buf__release(&collector.layers);
    return err;
}

int frame_functions__add(int fd, uint64_t base, struct string_pool *pool, struct buf *ranges)
{
    struct unwind_elf elf;
    struct fault fault = {0};
    _cleanup_(buf__release) struct buf functions = {0};
    _cleanup_(buf__release) struct buf merged = {0};
    int err = unwind_elf__open(fd, NULL, 0, &fault, &elf);
    if (err)
        return err;
    err = read_functions(&elf, base, &functions);
    unwind_elf__close(&elf);
    if (!err)
        err = merge((const struct range *)functions.data, functions.length_bytes / sizeof(struct range),
                    (const struct range *)ranges->data, ranges->length_bytes / sizeof(struct range), pool, &merged);
    if (err)
        return err;
    buf__release(ranges);
    *ranges = merged;
    merged = (struct buf){0};
    return 0;
}
