#include "store/system/proc_maps.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/system/live_thread.h"

static bool parse(char *line, struct proc_mapping *ret_mapping)
{
    struct proc_mapping mapping = {0};
    char permissions[8];
    unsigned major, minor;
    int path_at = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping.start, &mapping.end,
               permissions, &mapping.file_offset, &major, &minor, &mapping.inode, &path_at) < 7)
        return false;
    mapping.device = major << 20 | minor;
    mapping.is_executable = strchr(permissions, 'x') != NULL;
    mapping.path = path_at > 0 ? line + path_at : line + strlen(line);
    *ret_mapping = mapping;
    return true;
}

int proc_maps__each(pid_t pid, proc_mapping_fn *take, void *context)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", live_thread__of(pid));
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    _cleanup_free_ char *line = NULL;
    size_t capacity = 0;
    struct proc_mapping mapping;
    int err = 0;
    while (!err && getline(&line, &capacity, file) > 0)
        if (parse(line, &mapping))
            err = take(&mapping, context);
    return !err && ferror(file) ? -ESRCH : err;
}

void proc_maps__cut_deleted(char *path)
{
    static const char deleted[] = " (deleted)";
    size_t length = strlen(path), suffix = sizeof(deleted) - 1;
    if (length > suffix && strcmp(path + length - suffix, deleted) == 0)
        path[length - suffix] = '\0';
}
