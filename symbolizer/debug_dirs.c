#include "symbolizer/debug_dirs.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "symbolizer/foreign_file.h"

static int try(int root_fd, int *ret_fd, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int try(int root_fd, int *ret_fd, const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(path))
        return -ENAMETOOLONG;
    return foreign_file__open(root_fd, path, ret_fd);
}

static int open_by_id(const struct debug_dirs *where, int root_fd, const struct companion *companion, int *ret_fd)
{
    char hex[41] = "";
    for (uint32_t i = 0; i < companion->build_id_bytes && i < 20; i++)
        snprintf(hex + 2 * i, 3, "%02x", companion->build_id[i]);
    if (companion->build_id_bytes < 2)
        return -ENOENT;
    for (const char *const *dir = where->dirs; *dir; dir++)
        if (try(root_fd, ret_fd, "%s/.build-id/%.2s/%s.debug", *dir, hex, hex + 2) == 0)
            return 0;
    return -ENOENT;
}

// The folder of the binary, with its last slash.
static int folder_bytes(const struct debug_dirs *where)
{
    const char *slash = where->path ? strrchr(where->path, '/') : NULL;
    return slash ? (int)(slash - where->path) + 1 : 0;
}

static int open_by_link(const struct debug_dirs *where, int root_fd, const struct companion *companion, int *ret_fd)
{
    int folder = folder_bytes(where);
    if (folder == 0 || strchr(companion->name, '/'))
        return -ENOENT;
    if (try(root_fd, ret_fd, "%.*s%s", folder, where->path, companion->name) == 0 ||
        try(root_fd, ret_fd, "%.*s.debug/%s", folder, where->path, companion->name) == 0)
        return 0;
    for (const char *const *dir = where->dirs; *dir; dir++)
        if (try(root_fd, ret_fd, "%s%.*s%s", *dir, folder, where->path, companion->name) == 0)
            return 0;
    return -ENOENT;
}

// A relative name is meant from the debug file's folder (dwz -r) or from the debug folder.
static int open_alternate(const struct debug_dirs *where, int root_fd, const struct companion *companion, int *ret_fd)
{
    int folder = folder_bytes(where);
    if (open_by_id(where, root_fd, companion, ret_fd) == 0)
        return 0;
    if (companion->name[0] == '/')
        return try(root_fd, ret_fd, "%s", companion->name);
    if (folder > 0 && try(root_fd, ret_fd, "%.*s%s", folder, where->path, companion->name) == 0)
        return 0;
    for (const char *const *dir = where->dirs; *dir; dir++)
        if (try(root_fd, ret_fd, "%s/.dwz/%s", *dir, companion->name) == 0 ||
            try(root_fd, ret_fd, "%s/%s", *dir, companion->name) == 0)
            return 0;
    return -ENOENT;
}

static int open_dwp(const struct debug_dirs *where, int root_fd, const struct companion *companion, int *ret_fd)
{
    (void)companion;
    return where->path ? try(root_fd, ret_fd, "%s.dwp", where->path) : -ENOENT;
}

static int open_dwo(const struct debug_dirs *where, int root_fd, const struct companion *companion, int *ret_fd)
{
    int folder = folder_bytes(where);
    const char *slash = strrchr(companion->name, '/');
    if (companion->name[0] == '/' && try(root_fd, ret_fd, "%s", companion->name) == 0)
        return 0;
    if (companion->name[0] != '/' && companion->folder[0] == '/' &&
        try(root_fd, ret_fd, "%s/%s", companion->folder, companion->name) == 0)
        return 0;
    // Moved together with the binary.
    return folder > 0 ? try(root_fd, ret_fd, "%.*s%s", folder, where->path, slash ? slash + 1 : companion->name)
                      : -ENOENT;
}

static int (*const openers[])(const struct debug_dirs *, int, const struct companion *, int *) = {
    [COMPANION_DEBUG_BY_ID] = open_by_id,
    [COMPANION_DEBUG_BY_LINK] = open_by_link,
    [COMPANION_ALTERNATE] = open_alternate,
    [COMPANION_DWP] = open_dwp,
    [COMPANION_DWO] = open_dwo,
};

int debug_dirs__open(const struct debug_dirs *where, const struct companion *companion, int *ret_fd)
{
    if ((size_t)companion->kind >= sizeof(openers) / sizeof(openers[0]))
        return -EINVAL;
    if (where->root_fd >= 0 && openers[companion->kind](where, where->root_fd, companion, ret_fd) == 0)
        return 0;
    // Debug packages of the host serve containers of the same distribution too: what is found by build id is checked.
    if (where->root_fd >= 0 && companion->kind != COMPANION_DEBUG_BY_ID && companion->kind != COMPANION_ALTERNATE)
        return -ENOENT;
    return openers[companion->kind](where, -1, companion, ret_fd);
}
