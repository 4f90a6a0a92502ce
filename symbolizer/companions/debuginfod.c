#include "symbolizer/companions/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>

#include "store/base/cleanup.h"

// The part of elfutils/debuginfod.h that is used; its ABI is stable since 0.178.
struct library {
    void *(*begin)(void);
    int (*find_debuginfo)(void *client, const unsigned char *build_id, int build_id_bytes, char **path);
    void (*end)(void *client);
};

static int load(struct library *ret_library)
{
    void *handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return -ENOSYS;
    // POSIX lets a void * be a function; the language does not, so they are written through.
    *(void **)&ret_library->begin = dlsym(handle, "debuginfod_begin");
    *(void **)&ret_library->find_debuginfo = dlsym(handle, "debuginfod_find_debuginfo");
    *(void **)&ret_library->end = dlsym(handle, "debuginfod_end");
    return ret_library->begin && ret_library->find_debuginfo && ret_library->end ? 0 : -ENOSYS;
}

int debuginfod__open(const uint8_t *build_id, size_t build_id_bytes, int *ret_fd)
{
    static struct library library;
    static int loaded = 1; // not yet tried
    _cleanup_free_ char *path = NULL;
    if (loaded > 0)
        loaded = load(&library);
    void *client = loaded == 0 ? library.begin() : NULL;
    if (!client)
        return loaded < 0 ? loaded : -ENOMEM;
    int fd = library.find_debuginfo(client, build_id, (int)build_id_bytes, &path); // a file of its cache
    library.end(client);
    if (fd < 0)
        return fd == -ENOSYS ? -ENOENT : fd;
    *ret_fd = fd;
    return 0;
}
