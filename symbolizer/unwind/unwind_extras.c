#include "symbolizer/unwind/unwind_extras.h"

#include "symbolizer/arch/code_shapes.h"

// The code at an entry point without CFI: musl's has 21 bytes, ld.so's about 100, with the call of the program behind
// it. Whatever function follows begins a row of its own, if it has CFI.
#define ENTRY_BYTES 128

static int take_section(const struct unwind_elf *elf, const char *name, unwind_extra_fn *take, void *context)
{
    struct unwind_section section;
    if (unwind_elf__section(elf, name, &section) != 0 || !section.data)
        return 0;
    struct unwind_code code = {section.data, section.bytes, section.address};
    int err = unwind_shapes__section(name, &code, take, context);
    unwind_section__free(&section);
    return err;
}

int unwind_extras__each(const struct unwind_elf *elf, unwind_extra_fn *take, void *context)
{
    static const char *const names[] = {".plt", ".plt.sec", ".plt.got", ".iplt", ".init", ".fini"};
    int err = 0;
    for (size_t i = 0; !err && i < sizeof(names) / sizeof(names[0]); i++)
        err = take_section(elf, names[i], take, context);
    if (!err && elf->entry)
        err = take(elf->entry, ENTRY_BYTES, (struct unwind_rule){.kind = UNWIND_END}, context);
    return err;
}

int unwind_extras__each_in_hole(const struct unwind_elf *elf, uint64_t file_offset, uint64_t bytes,
                                unwind_extra_fn *take, void *context)
{
    _cleanup_free_ uint8_t *data = NULL;
    int err = unwind_elf__read(elf, file_offset, bytes, &data);
    return err ? err : unwind_shapes__in_hole(&(struct unwind_code){data, bytes, file_offset}, take, context);
}

bool unwind_extras__is_start_context(const struct unwind_elf *elf, uint64_t file_offset, uint64_t bytes)
{
    const struct code_shape *shape = &code_context_start;
    if (bytes < shape->code_bytes || bytes > 64) // 90 with shadow stacks, whose glibc says that it has no caller
        return false;
    _cleanup_free_ uint8_t *data = NULL;
    return unwind_elf__read(elf, file_offset, shape->code_bytes, &data) == 0 &&
           code_shape__begins(shape, data, shape->code_bytes);
}
