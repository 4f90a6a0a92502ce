#include "collector/probes/probe_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/arch/library_places.h"
#include "store/system/proc_maps.h"
#include "symbolizer/arch/elf_machine.h"
#include "symbolizer/companions/debug_dirs.h"
#include "symbolizer/companions/debug_files.h"
#include "symbolizer/elf/mini_debug.h"
#include "symbolizer/opening/foreign_file.h"

// "libc" and "libc.so.6" are libc.so.6; "libc" is not libcrypt.so.1.
static bool is_called(const char *file_name, const char *wanted)
{
    size_t length = strlen(wanted);
    if (strncmp(file_name, wanted, length) != 0)
        return false;
    return !file_name[length] || strncmp(file_name + length, ".so", 3) == 0 ||
           (strstr(wanted, ".so") && file_name[length] == '.');
}

// Opens `path` as the process sees it; as we do without a process, and where it is below /proc, whose PIDs are ours.
static int open_as_seen(struct probe_file *file, const char *path)
{
    _cleanup_fd_ int root = -1;
    bool is_ours = !file->pid || path[0] != '/' || strncmp(path, "/proc/", 6) == 0;
    // Below its root: not where a link of a container's leads outside of it.
    int err = is_ours ? 0 : foreign_file__open_root((pid_t)file->pid, &root);
    if (!err)
        err = foreign_file__open_with_place(root, path, &file->fd, &file->place_fd);
    return err == -EINVAL ? -EISDIR : err;
}

struct called {
    struct probe_file *probe;
    const char *name;
};

// 1: that is the file, and its path is now the probe's.
static int take_called(const struct proc_mapping *mapping, void *context)
{
    const struct called *called = context;
    const char *path = mapping->path;
    if (path[0] != '/' || !is_called(strrchr(path, '/') + 1, called->name) || strlen(path) >= PATH_MAX)
        return 0;
    snprintf(called->probe->path, sizeof(called->probe->path), "%s", path);
    return 1;
}

static int open_mapped(struct probe_file *probe, const char *name)
{
    struct called called = {.probe = probe, .name = name};
    return proc_maps__each((pid_t)probe->pid, take_called, &called) == 1 ? open_as_seen(probe, probe->path) : -ENOENT;
}

// The cache of glibc's ldconfig (sysdeps/generic/dl-cache.h): a head of 48 bytes, whose word 5 counts the entries; then
// those, of 24 bytes, with flags, key and value as places of strings in the file.
static int open_cached(struct probe_file *file, const char *name)
{
    enum { MOST_BYTES = 4 << 20, HEAD_BYTES = 48, ENTRY_BYTES = 24 };
    static const char magic[] = "glibc-ld.so.cache1.1";
    _cleanup_(probe_file__release) struct probe_file list = PROBE_FILE_NONE;
    _cleanup_free_ char *cache = malloc(MOST_BYTES + 1);
    list.pid = file->pid;
    int err = open_as_seen(&list, "/etc/ld.so.cache");
    ssize_t bytes = err || !cache ? 0 : pread(list.fd, cache, MOST_BYTES, 0);
    if (bytes < HEAD_BYTES || memcmp(cache, magic, sizeof(magic) - 1) != 0)
        return err == -ETIMEDOUT ? err : -ENOENT;
    cache[bytes] = '\0';
    uint32_t count;
    memcpy(&count, cache + sizeof(magic) - 1, sizeof(count));
    for (uint32_t i = 0; i < count && HEAD_BYTES + (i + 1ll) * ENTRY_BYTES <= bytes; i++) {
        uint32_t entry[3]; // flags, key, value
        memcpy(entry, cache + HEAD_BYTES + (size_t)i * ENTRY_BYTES, sizeof(entry));
        if (entry[0] != LIBRARY_CACHE_FLAGS || entry[1] >= bytes || entry[2] >= bytes ||
            !is_called(cache + entry[1], name))
            continue;
        snprintf(file->path, sizeof(file->path), "%s", cache + entry[2]);
        return open_as_seen(file, file->path);
    }
    return -ENOENT;
}

static int open_in_folders(struct probe_file *file, const char *name)
{
    static const char *const folders[] = {"/lib/" LIBRARY_FOLDER,
                                          "/usr/lib/" LIBRARY_FOLDER,
                                          "/lib64",
                                          "/usr/lib64",
                                          "/usr/local/lib",
                                          "/lib",
                                          "/usr/lib"};
    _cleanup_fd_ int root = -1;
    int err = file->pid ? foreign_file__open_root((pid_t)file->pid, &root) : 0;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !err; i++) {
        char path[PATH_MAX], link[32];
        snprintf(path, sizeof(path), "%s/%s%s", folders[i], name, strstr(name, ".so") ? "" : ".so");
        err = foreign_file__find_with_place(root, path, &file->fd, &file->place_fd);
        if (!err) {
            snprintf(link, sizeof(link), "/proc/self/fd/%d", file->place_fd);
            ssize_t length = readlink(link, file->path, sizeof(file->path) - 1);
            file->path[length > 0 ? length : 0] = '\0';
            return 0;
        }
        err = err == -ETIMEDOUT ? err : 0;
    }
    return err ? err : -ENOENT;
}

static int open_program(struct probe_file *file, const char *name)
{
    const char *folders = getenv("PATH");
    for (const char *at = folders && *folders ? folders : "/usr/bin:/bin"; *at; at += *at == ':') {
        int length = (int)strcspn(at, ":");
        if (snprintf(file->path, sizeof(file->path), "%.*s/%s", length, at, name) < PATH_MAX) {
            int err = open_as_seen(file, file->path);
            if (!err || err == -ETIMEDOUT)
                return err;
        }
        at += length;
    }
    return -ENOENT;
}

typedef int way_fn(struct probe_file *, const char *);

// Tries each way until one finds the file, or its file system does not answer.
static int find(struct probe_file *file, const char *name)
{
    bool is_library = strncmp(name, "lib", 3) == 0 || strstr(name, ".so");
    way_fn *const ways[] = {file->pid ? open_mapped : NULL, is_library ? NULL : open_program, open_cached,
                            open_in_folders, is_library ? open_program : NULL};
    int err = -ENOENT;
    if (strchr(name, '/')) {
        snprintf(file->path, sizeof(file->path), "%s", name);
        return open_as_seen(file, name);
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && err && err != -ETIMEDOUT; i++)
        err = ways[i] ? ways[i](file, name) : err;
    return err;
}

// --- Its functions

static int open_companion(void *context, const struct companion *companion, int *ret_fd)
{
    static const char *const dirs[] = {"/usr/lib/debug", NULL};
    const struct probe_file *file = context;
    _cleanup_fd_ int root_fd = -1;
    if (file->pid)
        foreign_file__open_root((pid_t)file->pid, &root_fd);
    struct debug_dirs where = {.dirs = dirs, .root_fd = root_fd, .path = file->path};
    return debug_dirs__open(&where, companion, ret_fd);
}

static int add_from_debug_file(const struct probe_file *file, const char *pattern, struct function_list *list)
{
    _cleanup_(debug_file__release) struct debug_file debug = {.fd = -1};
    struct companion_opener companions = {open_companion, (void *)file};
    int err = debug_file__find(&companions, file->elf, &debug);
    return err ? err : function_list__find(list, debug.elf, file->elf, pattern);
}

static int add_from_mini_debug(const struct probe_file *file, const char *pattern, struct function_list *list)
{
    _cleanup_(elf_file__freep) struct elf_file *mini = NULL;
    int err = mini_debug__open(file->elf, &mini);
    return err ? err : function_list__find(list, mini, file->elf, pattern);
}

int probe_file__functions(const struct probe_file *file, const char *pattern, struct function_list *list)
{
    int err = function_list__find(list, file->elf, file->elf, pattern);
    if (err || !list->is_stripped)
        return err;
    // A debug file that cannot be read is none.
    bool found = add_from_debug_file(file, pattern, list) == 0 || add_from_mini_debug(file, pattern, list) == 0;
    list->is_stripped = !found;
    return 0;
}

// --- The file

// Why a file is no ELF file of this machine; a script starts a program that could be probed.
static int say_no_program(const struct probe_file *file, int err, struct fault *fault)
{
    char head[2] = "";
    if (pread(file->fd, head, sizeof(head), 0) == sizeof(head) && memcmp(head, "#!", sizeof(head)) == 0)
        return fault__set(fault, err,
                          "cannot put a probe into '%s': it is a script; give the path of the program it runs",
                          file->path);
    return fault__set(fault, err, "cannot put a probe into '%s': it is no ELF file of this machine", file->path);
}

bool probe_file__is_there(const char *path, uint32_t pid)
{
    _cleanup_(probe_file__release) struct probe_file file = PROBE_FILE_NONE;
    file.pid = pid;
    return open_as_seen(&file, path) == 0;
}

int probe_file__open(const char *name, uint32_t pid, struct fault *fault, struct probe_file *ret_file)
{
    _cleanup_(probe_file__release) struct probe_file file = PROBE_FILE_NONE;
    file.pid = pid;
    int err = find(&file, name);
    if (err == -ENOENT && !strchr(name, '/'))
        return fault__set(fault, err, "no library and no program '%s' is found%s; give its path", name,
                          pid ? " in that process's file system" : "");
    if (err == -ETIMEDOUT)
        return fault__set(fault, err, "cannot open '%s': its file system does not answer; see to its mount", name);
    if (err)
        return fault__set(fault, err, "cannot open '%s': %s", name, strerror(-err));
    err = elf_file__open(file.fd, ELF_BOUNDED, &file.elf);
    if (err)
        return say_no_program(&file, err, fault);
    if (!elf_file__is_64(file.elf) || elf_file__machine(file.elf) != elf_machine__own()->number)
        return fault__set(fault, -ENOTSUP, "cannot put a probe into '%s': it is %s; hearth knows the code of %s only",
                          file.path, elf_file__is_64(file.elf) ? "for another processor" : "a 32-bit file",
                          elf_machine__own()->name);
    *ret_file = file;
    file = PROBE_FILE_NONE;
    return 0;
}

void probe_file__release(struct probe_file *file)
{
    elf_file__free(file->elf);
    fd__close(&file->fd);
    fd__close(&file->place_fd);
}
