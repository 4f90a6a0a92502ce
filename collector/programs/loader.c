#include "collector/programs/loader.h"
#include "collector/programs/slow_close.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/programs/embedded.h"
#include "collector/programs/feature.h"
#include "collector/programs/kernel_types.h"
#include "collector/programs/map_memory.h"
#include "store/base/grow.h"

enum { SHARED_MAPS_MAX = 32, LINKS_GROWTH = 16, PATH_BYTES = 32 };

struct loader {
    struct wire_config config;
    struct loader_bounds bounds;
    struct {
        char name[BPF_OBJ_NAME_LEN];
        int fd;
    } shared[SHARED_MAPS_MAX];
    size_t shared_count;
    struct loaded *first;       // of all that are open
    struct kernel_types *types; // NULL: libbpf reads the kernel's itself
    bool preallocate;           // the kernel wants hash maps of perf_event programs allocated at once
};

struct loaded {
    struct loader *loader;
    struct loaded *next;
    struct bpf_object *object;
    const char *name;
    int types_fd; // the kernel's types for this object; -1: none
    struct bpf_link **links;
    size_t link_count;
    int *link_fds;
    size_t link_fd_count;
    int *slow_fds;
    size_t slow_fd_count;
};

// libbpf's messages are dropped, but for the last warning, which explains a failure better than an errno does.
static __thread char last_warning[256];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
    if (level == LIBBPF_WARN)
        vsnprintf(last_warning, sizeof(last_warning), format, arguments);
    last_warning[strcspn(last_warning, "\n")] = '\0';
    return 0;
}

int loader__new(const struct wire_config *config, const struct loader_bounds *bounds, struct fault *fault,
                struct loader **ret_loader)
{
    struct loader *loader = calloc(1, sizeof(*loader));
    if (!loader)
        return fault__set(fault, -ENOMEM, "out of memory");
    libbpf_set_print(keep_warning);
    loader->config = *config;
    loader->bounds = *bounds;
    loader->preallocate = feature__lazy_maps() != 0;
    *ret_loader = loader;
    return 0;
}

void loader__free(struct loader *loader)
{
    if (!loader)
        return;
    for (size_t i = 0; i < loader->shared_count; i++)
        close(loader->shared[i].fd);
    kernel_types__free(loader->types);
    free(loader);
}

void loader__keep_types(struct loader *loader, const char *folder)
{
    iterator_ids__begin();
    if (!loader->types && kernel_types__new(folder, &loader->types) != 0)
        loader->types = NULL;
}

void loader__give_back_types(struct loader *loader)
{
    if (loader->types)
        kernel_types__give_back(loader->types);
}

int loader__map_fd(const struct loader *loader, const char *name)
{
    for (size_t i = 0; i < loader->shared_count; i++)
        if (strcmp(loader->shared[i].name, name) == 0)
            return loader->shared[i].fd;
    return -1;
}

static bool is_shared(const struct bpf_map *map)
{
    const char *name = bpf_map__name(map);
    // libbpf's own maps for USDT arguments begin with "__bpf_".
    return !strchr(name, '.') && strncmp(name, "own_", 4) != 0 && strncmp(name, "__", 2) != 0;
}

static uint32_t bound_of(const struct loader *loader, const char *name, uint32_t otherwise)
{
    bool is_of_targets = strcmp(name, "targets") == 0 || strcmp(name, "targets_tid") == 0;
    if (is_of_targets && !loader->config.by_tgid && !loader->config.by_tid)
        return 1; // the processes of threads stand there, too
    if (strncmp(name, "counts_", 7) == 0)
        return loader->bounds.counts;
    if (strncmp(name, "stacks_", 7) == 0)
        return loader->bounds.stacks;
    if (strncmp(name, "hists_", 6) == 0)
        return loader->bounds.hists;
    if (strncmp(name, "cells_", 6) == 0)
        return loader->bounds.cells ? loader->bounds.cells : 1;
    if (strcmp(name, "unwind_cpus") == 0)
        return loader->bounds.cpus ? loader->bounds.cpus : 1;
    if (loader->bounds.copy_bytes && strcmp(name, "copies") == 0)
        return loader->bounds.copy_bytes;
    if (loader->bounds.copy_bytes && strcmp(name, "own_copy") == 0)
        return (uint32_t)libbpf_num_possible_cpus();
    return otherwise;
}

// Shared maps that exist are reused; all others are given their bounds.
static int prepare_maps(struct loaded *loaded)
{
    struct loader *loader = loaded->loader;
    struct bpf_map *map;
    bpf_object__for_each_map(map, loaded->object)
    {
        const char *name = bpf_map__name(map);
        int fd = loader__map_fd(loader, name), err;
        if (fd >= 0) {
            err = bpf_map__reuse_fd(map, fd);
            if (err)
                return err;
            continue;
        }
        uint32_t bound = bound_of(loader, name, bpf_map__max_entries(map));
        err = bound == bpf_map__max_entries(map) ? 0 : bpf_map__set_max_entries(map, bound);
        if (!err && is_shared(map) && loader->preallocate && bpf_map__type(map) == BPF_MAP_TYPE_HASH)
            err = bpf_map__set_map_flags(map, 0);
        if (err)
            return err;
    }
    return 0;
}

static int remember_shared(struct loaded *loaded)
{
    struct loader *loader = loaded->loader;
    struct bpf_map *map;
    bpf_object__for_each_map(map, loaded->object)
    {
        const char *name = bpf_map__name(map);
        if (!is_shared(map) || loader__map_fd(loader, name) >= 0)
            continue;
        if (loader->shared_count == SHARED_MAPS_MAX)
            return -E2BIG;
        int fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return -errno;
        loader->shared[loader->shared_count].fd = fd;
        strncpy(loader->shared[loader->shared_count].name, name, BPF_OBJ_NAME_LEN - 1);
        loader->shared_count++;
    }
    return 0;
}

static const struct embedded *find_embedded(const char *name)
{
    for (const struct embedded *object = embedded_objects; object->name; object++)
        if (strcmp(object->name, name) == 0)
            return object;
    return NULL;
}

static int refused(struct fault *fault, int err, const char *object)
{
    if (err == -EPERM || err == -EACCES)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "cannot load the BPF programs: %s; run as root, or with CAP_BPF and CAP_PERFMON",
                               strerror(-err));
    if (err == -EMFILE || err == -ENFILE)
        return fault__set(fault, err, "cannot load the BPF object '%s': too many open files", object);
    return fault__set_code(fault, EXIT_CODE_LACKS, err, "cannot load the BPF object '%s': %s (%s); see `hearth doctor`",
                           object, strerror(-err), last_warning[0] ? last_warning : "no reason given");
}

// A file for the kernel's types, which are written there once the object's own are known.
static int open_types(struct loaded *loaded, char path[PATH_BYTES])
{
    loaded->types_fd = loaded->loader->types ? memfd_create(loaded->name, MFD_CLOEXEC) : -1;
    snprintf(path, PATH_BYTES, "/proc/self/fd/%d", loaded->types_fd);
    return loaded->types_fd;
}

int loader__open(struct loader *loader, const char *name, struct fault *fault, struct loaded **ret_loaded)
{
    const struct embedded *embedded = find_embedded(name);
    if (!embedded)
        return fault__set(fault, -ENOENT, "no BPF object '%s' in this build", name);
    _cleanup_(loaded__freep) struct loaded *loaded = calloc(1, sizeof(*loaded));
    if (!loaded)
        return fault__set(fault, -ENOMEM, "out of memory");
    loaded->loader = loader;
    loaded->next = loader->first;
    loader->first = loaded;
    loaded->name = name;
    char path[PATH_BYTES];
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
    if (open_types(loaded, path) >= 0)
        options.btf_custom_path = path;
    loaded->object = bpf_object__open_mem(embedded->start, embedded__bytes(embedded), &options);
    if (!loaded->object)
        return refused(fault, -errno, name);
    int err = loaded__set(loaded, "config", &loader->config, sizeof(loader->config), fault);
    if (err)
        return err;
    *ret_loaded = take_pointer(loaded);
    return 0;
}

// Where a variable stands in .rodata, by the object's own BTF.
static int find_variable(const struct bpf_object *object, const char *name, size_t bytes, uint32_t *ret_offset)
{
    const struct btf *btf = bpf_object__btf(object);
    int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
    if (id < 0)
        return -ENOENT;
    const struct btf_type *section = btf__type_by_id(btf, (uint32_t)id);
    const struct btf_var_secinfo *variable = btf_var_secinfos(section);
    for (uint32_t i = 0; i < btf_vlen(section); i++, variable++) {
        const struct btf_type *type = btf__type_by_id(btf, variable->type);
        if (strcmp(btf__name_by_offset(btf, type->name_off), name) == 0 && variable->size == bytes) {
            *ret_offset = variable->offset;
            return 0;
        }
    }
    return -ENOENT;
}

static int set_in_section(struct bpf_map *map, uint32_t offset, const void *value, size_t bytes)
{
    size_t section_bytes = 0;
    const void *section = bpf_map__initial_value(map, &section_bytes);
    if (!section || offset + bytes > section_bytes)
        return -ENOENT;
    _cleanup_free_ char *changed = malloc(section_bytes);
    if (!changed)
        return -ENOMEM;
    memcpy(changed, section, section_bytes);
    memcpy(changed + offset, value, bytes);
    return bpf_map__set_initial_value(map, changed, section_bytes);
}

static bool is_read_only_section(const char *map)
{
    const char *section = strstr(map, ".rodata");
    return section && section[strlen(".rodata")] == '\0';
}

int loaded__set(struct loaded *loaded, const char *variable, const void *value, size_t bytes, struct fault *fault)
{
    uint32_t offset;
    struct bpf_map *map;
    int err = find_variable(loaded->object, variable, bytes, &offset);
    if (!err) {
        err = -ENOENT;
        bpf_object__for_each_map(map, loaded->object)
        {
            // The compiler may make another one, ".rodata.cst16". Names begin with the object's, cut to 15 in all.
            if (is_read_only_section(bpf_map__name(map)))
                err = set_in_section(map, offset, value, bytes);
        }
    }
    if (!err)
        return 0;
    return fault__set(fault, err, "cannot set '%s' in the BPF object '%s': %s; this is a fault of the build", variable,
                      loaded->name, strerror(-err));
}

static int give_types(struct loaded *loaded)
{
    uint32_t iterators[ITERATOR_IDS_MAX];
    int err = kernel_types__write(loaded->loader->types, loaded->name, loaded->object, loaded->types_fd, iterators);
    if (!err)
        iterator_ids__give(loaded->object, iterators);
    return err;
}

static int load(struct loaded *loaded)
{
    last_warning[0] = '\0';
    int err = prepare_maps(loaded);
    if (!err && loaded->types_fd >= 0)
        err = give_types(loaded);
    if (!err)
        err = bpf_object__load(loaded->object);
    fd__close(&loaded->types_fd);
    loaded->types_fd = -1;
    return err;
}

int loaded__load(struct loaded *loaded, struct fault *fault)
{
    int err = load(loaded);
    if (err)
        return refused(fault, err, loaded->name);
    err = remember_shared(loaded);
    return err ? refused(fault, err, loaded->name) : 0;
}

struct bpf_object *loaded__object(const struct loaded *loaded)
{
    return loaded->object;
}

struct bpf_program *loaded__program(const struct loaded *loaded, const char *name)
{
    return bpf_object__find_program_by_name(loaded->object, name);
}

int loaded__keep(struct loaded *loaded, struct bpf_link *link)
{
    if (loaded->link_count % LINKS_GROWTH == 0 && RESIZE(loaded->links, loaded->link_count + LINKS_GROWTH) != 0) {
        bpf_link__destroy(link);
        return -ENOMEM;
    }
    loaded->links[loaded->link_count++] = link;
    return 0;
}

void loaded__drop(struct loaded *loaded, struct bpf_link *link)
{
    for (size_t i = 0; i < loaded->link_count; i++) {
        if (loaded->links[i] != link)
            continue;
        loaded->links[i] = loaded->links[--loaded->link_count];
        bpf_link__destroy(link);
        return;
    }
}

static int keep_fd(int **fds, size_t *count, int fd)
{
    if (*count % LINKS_GROWTH == 0 && RESIZE(*fds, *count + LINKS_GROWTH) != 0) {
        close(fd);
        return -ENOMEM;
    }
    (*fds)[(*count)++] = fd;
    return 0;
}

int loaded__keep_fd(struct loaded *loaded, int link_fd)
{
    return keep_fd(&loaded->link_fds, &loaded->link_fd_count, link_fd);
}

int loaded__keep_slow_fd(struct loaded *loaded, int event_fd)
{
    return keep_fd(&loaded->slow_fds, &loaded->slow_fd_count, event_fd);
}

void loaded__detach(struct loaded *loaded)
{
    if (!loaded)
        return;
    slow_close__links(loaded->link_fds, loaded->link_fd_count);
    free(loaded->link_fds);
    loaded->link_fds = NULL;
    loaded->link_fd_count = 0;
    for (size_t i = 0; i < loaded->link_count; i++)
        bpf_link__destroy(loaded->links[i]);
    free(loaded->links);
    loaded->links = NULL;
    loaded->link_count = 0;
    slow_close__events(loaded->slow_fds, loaded->slow_fd_count);
    free(loaded->slow_fds);
    loaded->slow_fds = NULL;
    loaded->slow_fd_count = 0;
}

static void unlist(struct loaded *loaded)
{
    struct loaded **at = &loaded->loader->first;
    while (*at && *at != loaded)
        at = &(*at)->next;
    if (*at)
        *at = loaded->next;
}

static uint64_t own_map_bytes(const struct loaded *loaded)
{
    uint64_t bytes = 0;
    struct bpf_map *map;
    bpf_object__for_each_map(map, loaded->object) bytes += is_shared(map) ? 0 : map_memory__bytes(bpf_map__fd(map));
    return bytes;
}

uint64_t loader__map_bytes(const struct loader *loader)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < loader->shared_count; i++)
        bytes += map_memory__bytes(loader->shared[i].fd);
    for (const struct loaded *loaded = loader->first; loaded; loaded = loaded->next)
        bytes += own_map_bytes(loaded);
    return bytes;
}

void loaded__free(struct loaded *loaded)
{
    if (!loaded)
        return;
    loaded__detach(loaded);
    unlist(loaded);
    bpf_object__close(loaded->object);
    fd__close(&loaded->types_fd);
    free(loaded);
}
