#include "collector/programs/cgroup_names.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/wire/wire.h"
#include "collector/who/cgroups.h"
#include "store/base/grow.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

struct cgroup_names {
    struct ring_buffer *made;
    struct id_map by_id; // -> index into paths
    char **paths;
    size_t count, capacity;
};

static void forget_all(struct cgroup_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->paths[i]);
    names->count = 0;
    id_map__clear(&names->by_id);
}

static int reserve(struct cgroup_names *names)
{
    return GROW(names->paths, names->capacity, names->count + 1);
}

static int on_made(void *context, void *data, size_t bytes)
{
    struct cgroup_names *names = context;
    const struct wire_cgroup *made = data;
    if (bytes < sizeof(*made) || !made->path[0])
        return 0;
    if (names->count == LIMIT_CGROUP_NAMES)
        forget_all(names);
    char *path = reserve(names) == 0 ? strndup(made->path, sizeof(made->path)) : NULL;
    if (!path)
        return 0; // /sys/fs/cgroup has its path as long as the cgroup exists
    if (id_map__put(&names->by_id, made->id, (uint32_t)names->count) != 0) {
        free(path);
        return 0;
    }
    names->paths[names->count++] = path;
    return 0;
}

int cgroup_names__new(struct loaded *loaded, struct cgroup_names **ret_names)
{
    _cleanup_(cgroup_names__freep) struct cgroup_names *names = calloc(1, sizeof(*names));
    int fd = loaded ? bpf_object__find_map_fd_by_name(loaded__object(loaded), "own_made") : -1;
    if (!names)
        return -ENOMEM;
    names->made = fd >= 0 ? ring_buffer__new(fd, on_made, names, NULL) : NULL;
    *ret_names = take_pointer(names);
    return 0;
}

void cgroup_names__free(struct cgroup_names *names)
{
    if (!names)
        return;
    forget_all(names);
    ring_buffer__free(names->made);
    id_map__release(&names->by_id);
    free(names->paths);
    free(names);
}

int cgroup_names__fd(const struct cgroup_names *names)
{
    return names->made ? ring_buffer__epoll_fd(names->made) : -1;
}

void cgroup_names__read(struct cgroup_names *names)
{
    if (names->made)
        ring_buffer__consume(names->made);
}

int cgroup_names__path(struct cgroup_names *names, uint64_t id, char *ret_path, size_t bytes)
{
    uint32_t index;
    int err = cgroup__path(id, ret_path, bytes);
    if (!err || !id_map__get(&names->by_id, id, &index))
        return err;
    snprintf(ret_path, bytes, "%s", names->paths[index]);
    return 0;
}
