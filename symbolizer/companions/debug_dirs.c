#include "symbolizer/companions/debug_dirs.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "symbolizer/companions/debug_files.h"
#include "symbolizer/elf/file_identity.h"
#include "symbolizer/opening/foreign_file.h"

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

static bool is_believed(const struct debug_dirs *where, const struct companion *companion, int fd)
{
    uint64_t owner = file_identity__owner(fd);
    bool is_of_stranger = where->has_owner && owner != where->owner && owner != 0 && owner != geteuid();
    return !is_of_stranger && debug_file__is(fd, companion);
}

typedef int opener_fn(const struct debug_dirs *, int, const struct companion *, int *);

static int open_below(const struct debug_dirs *where, opener_fn *opener, int root_fd, const struct companion *companion,
                      int *ret_fd)
{
    _cleanup_fd_ int fd = -1;
    int err = opener(where, root_fd, companion, &fd);
    if (!err && !is_believed(where, companion, fd))
        err = -ENOENT;
    if (!err)
        *ret_fd = take_fd(&fd);
    return err;
}

int debug_dirs__open(const struct debug_dirs *where, const struct companion *companion, int *ret_fd)
{
    if ((size_t)companion->kind >= sizeof(openers) / sizeof(openers[0]))
        return -EINVAL;
    if (where->root_fd < 0)
        return open_below(where, openers[companion->kind], -1, companion, ret_fd);
    if (open_below(where, openers[companion->kind], where->root_fd, companion, ret_fd) == 0)
        return 0;
    // Debug packages of the host serve containers of the same distribution too, by build id alone.
    if (companion->kind != COMPANION_DEBUG_BY_ID && companion->kind != COMPANION_ALTERNATE)
        return -ENOENT;
    return open_below(where, open_by_id, -1, companion, ret_fd);
}
