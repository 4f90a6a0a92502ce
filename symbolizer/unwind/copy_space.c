// Memory and registers of a copied stack, as libunwind asks for them.
#include <stdlib.h>
#include <string.h>

#include "symbolizer/unwind/copy_unwind_insides.h"

#include "store/base/grow.h"

// --- Where things are

bool copy_unwind__find_mapping(struct copy_unwind *unwind, uint64_t address)
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
    if (RESIZE(unwind->modules, unwind->module_count + 1) != 0)
        return NULL;
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

struct copy_module *copy_unwind__module_at(struct copy_unwind *unwind, uint64_t address, uint64_t *ret_bias)
{
    struct copy_module *module = copy_unwind__find_mapping(unwind, address) ? find_module(unwind) : NULL;
    uint64_t own;
    if (!module ||
        !copy_module__address_of(module, address - unwind->mapping.start + unwind->mapping.file_offset, &own))
        return NULL;
    *ret_bias = address - own;
    return module;
}

// --- Memory

bool copy_unwind__read_stack(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes)
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

bool copy_unwind__read_code(struct copy_unwind *unwind, uint64_t address, void *to, size_t bytes)
{
    uint64_t bias;
    struct copy_module *module = copy_unwind__module_at(unwind, address, &bias);
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
    if (copy_unwind__read_stack(unwind, address, value, sizeof(*value)) ||
        read_image(&unwind->image, address, value, sizeof(*value)) ||
        (unwind->module && copy_module__read(unwind->module, address - unwind->bias, value, sizeof(*value))) ||
        copy_unwind__read_code(unwind, address, value, sizeof(*value))) {
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
    if (is_write || number < 0 || number >= ARCH_REGISTERS)
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
    unwind->module = copy_unwind__module_at(unwind, ip, &unwind->bias);
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

unw_addr_space_t copy_unwind__new_space(void)
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
    return unw_create_addr_space(&accessors, 0);
}
