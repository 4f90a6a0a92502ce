#include "symbolizer/jit/process_maps.h"

#include <errno.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/opening/foreign_file.h"

static int add_mapping(const struct proc_mapping *line, void *context)
{
    struct process_maps *maps = context;
    if (!line->is_executable || maps->count >= LIMIT_MAPPINGS_A_PROCESS)
        return 0;
    if (RESIZE(maps->mappings, maps->count + 1) != 0)
        return -ENOMEM;
    struct proc_mapping mapping = *line;
    mapping.path = strdup(line->path);
    if (!mapping.path)
        return -ENOMEM;
    maps->mappings[maps->count++] = mapping;
    return 0;
}

int process_maps__read(pid_t pid, struct process_maps *ret_maps)
{
    _cleanup_(process_maps__release) struct process_maps maps = {0};
    int err = proc_maps__each(pid, add_mapping, &maps);
    if (err)
        return err;
    *ret_maps = maps;
    maps = (struct process_maps){0};
    return 0;
}

void process_maps__release(struct process_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        free(maps->mappings[i].path);
    free(maps->mappings);
    *maps = (struct process_maps){0};
}

const struct proc_mapping *process_maps__find(const struct process_maps *maps, uint64_t address)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->mappings[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < maps->mappings[low - 1].end ? &maps->mappings[low - 1] : NULL;
}

static int open_mapping(pid_t pid, const struct proc_mapping *mapping, bool no_copy, int *ret_fd)
{
    const struct foreign_mapping foreign = {
        .pid = pid, .start = mapping->start, .end = mapping->end, .device = mapping->device, .no_copy = no_copy};
    _cleanup_fd_ int root = -1;
    int err = foreign_file__open_mapping(&foreign, ret_fd);
    if (!err || err == -ETIMEDOUT)
        return err;
    err = foreign_file__open_root(pid, &root);
    return err       ? err
           : no_copy ? foreign_file__open_itself(root, mapping->path, ret_fd)
                     : foreign_file__open(root, mapping->path, ret_fd);
}

int process_maps__open_itself(pid_t pid, const struct proc_mapping *mapping, int *ret_fd)
{
    return open_mapping(pid, mapping, true, ret_fd);
}

int process_maps__open(pid_t pid, const struct proc_mapping *mapping, int *ret_fd)
{
    return open_mapping(pid, mapping, false, ret_fd);
}
