#include "symbolizer/kernel/kernel_modules.h"

#include <elf.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/elf_notes.h"
#include "symbolizer/opening/foreign_file.h"

// Where distributions put them; %s is the root and the release.
static const char *const places[] = {
    "%s/usr/lib/debug/lib/modules/%s", "%s/usr/lib/debug/usr/lib/modules/%s",
    "%s/lib/modules/%s", // built here, with debug information inside
};

struct kernel_module_section {
    uint64_t start, bytes; // in the kernel
    uint64_t offset;       // in the file
};

struct entry {
    struct kernel_module module; // fd -1: there is none for it
    char *path;                  // NULL: it was tried
    size_t place;                // in the order they were found
};

struct kernel_modules {
    const char *root;
    bool has_listed;
    struct entry *entries;
    size_t count, capacity;
};

int kernel_modules__new(const char *root, struct kernel_modules **ret_modules)
{
    struct kernel_modules *modules = calloc(1, sizeof(*modules));
    if (!modules)
        return -ENOMEM;
    modules->root = root;
    *ret_modules = modules;
    return 0;
}

void kernel_modules__free(struct kernel_modules *modules)
{
    if (!modules)
        return;
    for (size_t i = 0; i < modules->count; i++) {
        fd__close(&modules->entries[i].module.fd);
        free(modules->entries[i].module.sections);
        free(modules->entries[i].path);
    }
    free(modules->entries);
    free(modules);
}

int kernel_modules__release_of(const char *root, char *ret_release, size_t release_bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", root);
    _cleanup_file_ FILE *stream = fopen(path, "re");
    if (!stream || !fgets(ret_release, (int)release_bytes, stream))
        return -ENOENT;
    ret_release[strcspn(ret_release, "\n")] = '\0';
    return ret_release[0] && !strchr(ret_release, '/') ? 0 : -EBADMSG;
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->module.name, b->module.name);
    return order ? order : a->place < b->place ? -1 : a->place > b->place;
}

static struct entry *add_entry(struct kernel_modules *modules)
{
    if (GROW(modules->entries, modules->capacity, modules->count + 1) != 0)
        return NULL;
    struct entry *entry = &modules->entries[modules->count];
    *entry = (struct entry){.module.fd = -1, .place = modules->count++};
    return entry;
}

// "snd-hda-intel.ko.debug" is the file of snd_hda_intel.
static bool module_of_file(const char *file, char *name, size_t name_bytes)
{
    const char *end = strstr(file, ".ko");
    if (!end || (strcmp(end, ".ko") != 0 && strcmp(end, ".ko.debug") != 0) || (size_t)(end - file) >= name_bytes)
        return false;
    for (; file < end; file++)
        *name++ = *file == '-' ? '_' : *file;
    *name = '\0';
    return true;
}

static int list_tree(struct kernel_modules *modules, char *folder)
{
    char *const folders[] = {folder, NULL};
    char name[sizeof(((struct kernel_module *)NULL)->name)];
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    int err = tree ? 0 : -errno;
    for (FTSENT *file; !err && modules->count < LIMIT_KERNEL_MODULES && (file = fts_read(tree));) {
        if (!module_of_file(file->fts_name, name, sizeof(name)))
            continue;
        struct entry *entry = add_entry(modules);
        if (!entry)
            err = -ENOMEM;
        else
            memcpy(entry->module.name, name, sizeof(name));
        if (entry && !(entry->path = strdup(file->fts_path)))
            err = -ENOMEM;
    }
    if (tree)
        fts_close(tree);
    return err;
}

static void list_all(struct kernel_modules *modules)
{
    char release[128], folder[PATH_MAX];
    modules->has_listed = true;
    if (kernel_modules__release_of(modules->root, release, sizeof(release)) != 0)
        return;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (snprintf(folder, sizeof(folder), places[i], modules->root, release) < (int)sizeof(folder))
            list_tree(modules, folder); // what there is of it counts
    qsort(modules->entries, modules->count, sizeof(*modules->entries), compare);
}

// Where the kernel has put a section of a module.
static int read_start(const struct kernel_modules *modules, const char *module, const char *section,
                      uint64_t *ret_start)
{
    char path[PATH_MAX], text[64];
    if (strchr(section, '/') || snprintf(path, sizeof(path), "%s/sys/module/%s/sections/%s", modules->root, module,
                                         section) >= (int)sizeof(path))
        return -ENOENT;
    _cleanup_file_ FILE *stream = fopen(path, "re");
    if (!stream || !fgets(text, sizeof(text), stream))
        return -ENOENT;
    *ret_start = strtoull(text, NULL, 16);
    return *ret_start ? 0 : -EACCES; // hidden, as the addresses of kallsyms are
}

static int read_sections(const struct kernel_modules *modules, const struct elf_file *file,
                         struct kernel_module *module)
{
    module->sections = calloc(elf_file__section_count(file) + 1, sizeof(*module->sections));
    if (!module->sections)
        return -ENOMEM;
    for (size_t i = 1; i < elf_file__section_count(file); i++) {
        const struct elf_section *section = elf_file__section(file, i);
        struct kernel_module_section *row = &module->sections[module->section_count];
        if (!(section->flags & SHF_ALLOC) || !(section->flags & SHF_EXECINSTR) ||
            read_start(modules, module->name, section->name, &row->start) != 0)
            continue;
        row->bytes = section->bytes;
        row->offset = section->address;
        module->section_count++;
    }
    return module->section_count ? 0 : -ENOENT;
}

static int read_loaded_id(const struct kernel_modules *modules, const char *name, uint8_t ret_build_id[20],
                          size_t *ret_bytes)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sys/module/%s/notes/.note.gnu.build-id", modules->root, name);
    return elf_notes__build_id_of(path, ret_build_id, ret_bytes);
}

// Opens the debug file, root's own and no stranger's, and keeps it if it is that of the module which is loaded.
static int open_module(const struct kernel_modules *modules, const char *path, struct kernel_module *module)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    uint8_t build_id[20];
    size_t bytes;
    _cleanup_fd_ int fd = -1;
    int err = foreign_file__open(-1, path, &fd);
    if (!err)
        err = read_loaded_id(modules, module->name, module->build_id, &module->build_id_bytes);
    if (!err)
        err = elf_file__open(fd, ELF_BOUNDED, &file);
    if (!err)
        err = elf_file__build_id(file, build_id, &bytes);
    if (!err && (bytes != module->build_id_bytes || memcmp(build_id, module->build_id, sizeof(build_id)) != 0))
        err = -ESTALE;
    if (!err)
        err = read_sections(modules, file, module);
    if (!err)
        module->fd = take_fd(&fd);
    return err;
}

// The first file of that name; files of the same name are tried one after the other, until one is the module's.
static struct entry *first_entry(const struct kernel_modules *modules, const char *name)
{
    size_t low = 0, high = modules->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(modules->entries[middle].module.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return &modules->entries[low];
}

static const struct kernel_module *find_module(const struct kernel_modules *modules, const char *name)
{
    const struct entry *end = modules->entries + modules->count;
    for (struct entry *entry = first_entry(modules, name); entry < end && strcmp(entry->module.name, name) == 0;
         entry++) {
        if (entry->path)
            open_module(modules, entry->path, &entry->module);
        free(entry->path);
        entry->path = NULL;
        if (entry->module.fd >= 0)
            return &entry->module;
    }
    return NULL;
}

int kernel_modules__find(struct kernel_modules *modules, const char *name, uint64_t address,
                         const struct kernel_module **ret_module, uint64_t *ret_offset)
{
    if (!modules->has_listed)
        list_all(modules);
    const struct kernel_module *module = find_module(modules, name);
    for (size_t i = 0; module && i < module->section_count; i++) {
        const struct kernel_module_section *section = &module->sections[i];
        if (address < section->start || address - section->start >= section->bytes)
            continue;
        *ret_module = module;
        *ret_offset = address - section->start + section->offset;
        return 0;
    }
    return -ENOENT;
}
