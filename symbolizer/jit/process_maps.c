#include "symbolizer/jit/process_maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "store/base/live_thread.h"
#include "symbolizer/opening/foreign_file.h"

// "START-END PERMS OFFSET DEV INODE   PATH"
static int add_line(char *line, struct process_maps *maps)
{
    struct process_mapping mapping = {0};
    char permissions[8];
    unsigned major = 0, minor = 0;
    int path_at = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping.start, &mapping.end,
               permissions, &mapping.file_offset, &major, &minor, &mapping.inode, &path_at) < 7 ||
        !strchr(permissions, 'x'))
        return 0;
    if (maps->count >= LIMIT_MAPPINGS_A_PROCESS)
        return 0;
    if (RESIZE(maps->mappings, maps->count + 1) != 0)
        return -ENOMEM;
    mapping.device = major << 20 | minor;
    mapping.path = strdup(path_at > 0 ? line + path_at : "");
    if (!mapping.path)
        return -ENOMEM;
    maps->mappings[maps->count++] = mapping;
    return 0;
}

int process_maps__read(pid_t pid, struct process_maps *ret_maps)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", live_thread__of(pid));
    _cleanup_file_ FILE *stream = fopen(path, "re");
    if (!stream)
        return -errno;
    _cleanup_free_ char *line = NULL;
    _cleanup_(process_maps__release) struct process_maps maps = {0};
    size_t capacity = 0;
    int err = 0;
    while (!err && getline(&line, &capacity, stream) > 0)
        err = add_line(line, &maps);
    if (err || ferror(stream))
        return err ? err : -ESRCH; // the process ended meanwhile
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

const struct process_mapping *process_maps__find(const struct process_maps *maps, uint64_t address)
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

static int open_mapping(pid_t pid, const struct process_mapping *mapping, bool no_copy, int *ret_fd)
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

int process_maps__open_itself(pid_t pid, const struct process_mapping *mapping, int *ret_fd)
{
    return open_mapping(pid, mapping, true, ret_fd);
}

int process_maps__open(pid_t pid, const struct process_mapping *mapping, int *ret_fd)
{
    return open_mapping(pid, mapping, false, ret_fd);
}
