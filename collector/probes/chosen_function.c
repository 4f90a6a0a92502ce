#include "collector/probes/chosen_function.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>

static void close_library(void **library)
{
    if (*library)
        dlclose(*library);
}

int chosen_function__find(const struct probe_file *file, const char *name, uint64_t *ret_file_offset)
{
    char path[64]; // compared by device and inode with what is loaded already, so that nothing of the file ever runs
                   // here
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
    _cleanup_(close_library) void *library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    const struct link_map *map;
    if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0)
        return -ENOENT;
    const void *function = dlsym(library, name);
    if (!function)
        return -ENOENT;
    return function_list__file_offset(file->elf, (uint64_t)function - map->l_addr, ret_file_offset);
}
