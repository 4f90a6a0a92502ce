#include "symbolizer/kernel/kernel_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/base/hash.h"
#include "store/system/boot_id.h"
#include "store/system/disk_cache.h"

#define FILE_NAME "kernel.symbols"

static const struct disk_cache_kind kind = {.holds = "names", .suffix = ".symbols", .mode = 0600};

// "NAME BYTES USERS USED-BY STATE ADDRESS": all but who uses it now. A kernel without modules has no such file.
static void hash_modules(uint64_t *hash)
{
    char line[4096], name[64];
    unsigned long long bytes, address;
    _cleanup_file_ FILE *file = fopen("/proc/modules", "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *last = strrchr(line, ' ');
        if (sscanf(line, "%63s %llu", name, &bytes) != 2 || !last)
            continue;
        // "... Live 0xffffffffc0401000 (OE)": the address may have flags behind it.
        char *shown = strstr(line, " 0x");
        address = strtoull(shown ? shown + 1 : last + 1, NULL, 16);
        *hash = hash__pair(*hash, hash__bytes(name, strlen(name)));
        *hash = hash__pair(*hash, hash__pair(bytes, address));
    }
}

// The first lines of /proc/kallsyms; -EACCES where no address among them is told.
static int hash_first_symbols(uint64_t *hash)
{
    char text[4096];
    _cleanup_fd_ int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    bool is_shown = false;
    if (bytes <= 0)
        return -EACCES;
    text[bytes] = '\0';
    for (char *line = text; line && *line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
        is_shown |= strtoull(line, NULL, 16) != 0;
    *hash = hash__pair(*hash, hash__bytes(text, (size_t)bytes));
    return is_shown ? 0 : -EACCES;
}

static int current_key(uint64_t *ret_key)
{
    uint64_t hash;
    int err = boot_id__hash(&hash);
    if (!err)
        err = hash_first_symbols(&hash);
    hash_modules(&hash);
    if (!err)
        *ret_key = hash;
    return err;
}

int kernel_cache__load(const char *folder, struct kernel_symbols **ret_symbols)
{
    uint64_t key;
    size_t bytes;
    _cleanup_(disk_cache__freep) struct disk_cache *cache = NULL;
    _cleanup_fd_ int fd = -1;
    if (disk_cache__open(folder, &kind, 0, NULL, &cache) != 0 || current_key(&key) != 0 ||
        disk_cache__read(cache, FILE_NAME, &fd, &bytes) != 0)
        return -ENOENT;
    return kernel_symbols__map(fd, key, ret_symbols) == 0 ? 0 : -ENOENT;
}

struct kept {
    const struct kernel_symbols *symbols;
    uint64_t key;
};

static int write_kept(int fd, const void *context)
{
    const struct kept *kept = context;
    return kernel_symbols__write(kept->symbols, kept->key, fd);
}

void kernel_cache__save(const char *folder, const struct kernel_symbols *symbols)
{
    struct kept kept = {.symbols = symbols};
    _cleanup_(disk_cache__freep) struct disk_cache *cache = NULL;
    if (disk_cache__open(folder, &kind, 0, NULL, &cache) == 0 && current_key(&kept.key) == 0)
        (void)disk_cache__save(cache, FILE_NAME, write_kept, &kept);
}
