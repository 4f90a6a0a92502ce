#include "collector/who/kernel_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "symbolizer/elf/elf_notes.h"

enum { NAMED_PARTS = 2 }; // the text, and code in no module

struct kernel_map {
    struct kernel_part text;
    struct kernel_part other;     // code in no module: BPF programs, trampolines
    struct kernel_part **modules; // never moved: callers keep pointers
    size_t module_count;
    uint64_t last_missed;
};

// The size of the kernel's text, as /proc/iomem gives it to root; 0 where it does not.
static uint64_t text_bytes(void)
{
    _cleanup_file_ FILE *file = fopen("/proc/iomem", "re");
    char line[256];
    unsigned long long start, end;
    while (file && fgets(line, sizeof(line), file))
        if (strstr(line, "Kernel code") && sscanf(line, "%llx-%llx", &start, &end) == 2 && start && end > start)
            return end - start + 1;
    return 0;
}

// _stext is among the first lines of kallsyms, which is sorted by address, but _etext behind some 50,000, each of which
// costs the kernel a microsecond: the size comes from elsewhere if it can. Zeroes where addresses are hidden.
static void find_text(struct kernel_part *text)
{
    _cleanup_file_ FILE *file = fopen("/proc/kallsyms", "re");
    char line[512], name[256], type;
    unsigned long long address;
    uint64_t bytes = text_bytes();
    while (file && !text->end && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%llx %c %255s", &address, &type, name) != 3)
            continue;
        if (!text->start && strcmp(name, "_stext") == 0) {
            if (!address)
                return;
            text->start = address;
            text->end = bytes ? address + bytes : 0;
        } else if (strcmp(name, "_etext") == 0) {
            text->end = address;
        }
    }
}

static bool knows_module(const struct kernel_map *map, const char *name, uint64_t start)
{
    for (size_t i = 0; i < map->module_count; i++)
        if (map->modules[i]->start == start && strcmp(map->modules[i]->name, name) == 0)
            return true;
    return false;
}

static void read_modules(struct kernel_map *map)
{
    _cleanup_file_ FILE *file = fopen("/proc/modules", "re");
    char line[1024], name[56];
    unsigned long long bytes, start;
    while (file && fgets(line, sizeof(line), file)) { // "NAME BYTES USES USERS STATE ADDRESS"
        if (sscanf(line, "%55s %llu %*s %*s %*s %llx", name, &bytes, &start) != 3 || !start)
            continue;
        struct kernel_part *part = RESIZE(map->modules, map->module_count + 1) == 0 ? calloc(1, sizeof(*part)) : NULL;
        if (!part)
            return;
        part->start = start;
        part->end = start + bytes;
        snprintf(part->name, sizeof(part->name), "[%s]", name);
        if (knows_module(map, part->name, start)) {
            free(part);
            continue;
        }
        char path[128];
        snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", name);
        (void)elf_notes__build_id_of(path, part->build_id, &part->build_id_bytes);
        part->number = NAMED_PARTS + (uint32_t)++map->module_count;
        map->modules[map->module_count - 1] = part;
    }
}

int kernel_map__new(struct kernel_map **ret_map)
{
    struct kernel_map *map = calloc(1, sizeof(*map));
    if (!map)
        return -ENOMEM;
    map->text.number = 1, map->other.number = NAMED_PARTS;
    snprintf(map->text.name, sizeof(map->text.name), "[kernel]");
    snprintf(map->other.name, sizeof(map->other.name), "[bpf]");
    find_text(&map->text);
    if (!map->text.start || map->text.end <= map->text.start)
        map->text.start = 0, map->text.end = UINT64_MAX;
    (void)elf_notes__build_id_of("/sys/kernel/notes", map->text.build_id, &map->text.build_id_bytes);
    read_modules(map);
    *ret_map = map;
    return 0;
}

void kernel_map__free(struct kernel_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->module_count; i++)
        free(map->modules[i]);
    free(map->modules);
    free(map);
}

static struct kernel_part *find_module(struct kernel_map *map, uint64_t address)
{
    for (size_t i = map->module_count; i-- > 0;) // the newest first: an address may have changed hands
        if (map->modules[i]->start <= address && address < map->modules[i]->end)
            return map->modules[i];
    return NULL;
}

struct kernel_part *kernel_map__find(struct kernel_map *map, uint64_t address)
{
    if (map->text.start <= address && address < map->text.end)
        return &map->text;
    struct kernel_part *part = find_module(map, address);
    if (!part && map->last_missed != address) {
        map->last_missed = address;
        read_modules(map);
        part = find_module(map, address);
    }
    return part ? part : &map->other;
}
