#include "symbolizer/unwind/unwind_go.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/arch/unwind_shapes.h"

static int search(const struct go_shape *pattern, const uint8_t *code, size_t bytes, uint64_t file_offset,
                  unwind_go_fn *take, void *context)
{
    const uint8_t *at = code, *end = code + bytes;
    int err = 0;
    while (!err && (at = memmem(at, (size_t)(end - at), pattern->head, pattern->head_bytes))) {
        if ((size_t)(end - at) >= pattern->tail_at + pattern->tail_bytes &&
            memcmp(at + pattern->tail_at, pattern->tail, pattern->tail_bytes) == 0)
            err = take(file_offset + (uint64_t)(at - code) + pattern->call_at, pattern->call_bytes, pattern->rule,
                       context);
        at++;
    }
    return err;
}

static bool is_go(const struct unwind_elf *elf)
{
    struct unwind_section note;
    if (unwind_elf__section(elf, ".note.go.buildid", &note) != 0)
        return false;
    bool found = note.data != NULL;
    unwind_section__free(&note);
    return found;
}

int unwind_go__each_switch(const struct unwind_elf *elf, unwind_go_fn *take, void *context)
{
    if (!is_go(elf))
        return 0;
    for (size_t i = 0; i < elf->segment_count; i++) {
        const struct unwind_segment *segment = &elf->segments[i];
        _cleanup_free_ uint8_t *code = NULL;
        int err = unwind_elf__read(elf, segment->file_offset, segment->bytes, &code);
        if (err)
            return err == -ENOMEM ? err : 0;
        for (size_t p = 0; !err && p < go_shape_count; p++)
            err = search(&go_shapes[p], code, segment->bytes, segment->file_offset, take, context);
        if (err)
            return err;
    }
    return 0;
}
