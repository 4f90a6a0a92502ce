#include "collector/programs/mapped_files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/programs/iterator.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/system/live_thread.h"
#include "store/system/proc_maps.h"
#include "symbolizer/opening/foreign_file.h"

struct reading {
    const uint32_t *wanted_tgids;
    size_t wanted_count;
    struct id_map active; // processes
    struct mapped_files files;
    struct id_map by_key; // hash of a file -> its index
};

static uint64_t key_of(const struct wire_file *file)
{
    return hash__pair(file->inode, (uint64_t)file->device << 32 | file->generation);
}

static bool is_wanted(const struct reading *reading, uint32_t tgid)
{
    for (size_t i = 0; i < reading->wanted_count; i++)
        if (reading->wanted_tgids[i] == tgid)
            return true;
    return false;
}

static void count_process(const struct reading *reading, uint32_t tgid, struct mapped_file *file)
{
    uint32_t ignored;
    file->processes++;
    file->is_wanted |= is_wanted(reading, tgid);
    file->is_active |= id_map__get(&reading->active, tgid, &ignored);
}

static int add_file(void *context, const void *record)
{
    struct reading *reading = context;
    const struct wire_note *note = record;
    uint32_t index;
    if (id_map__get(&reading->by_key, key_of(&note->file), &index)) {
        count_process(reading, note->tgid, &reading->files.files[index]);
        return 0;
    }
    struct mapped_files *files = &reading->files;
    if (GROW(files->files, files->capacity, files->count + 1) != 0)
        return -ENOMEM;
    files->files[files->count] = (struct mapped_file){.note = *note};
    count_process(reading, note->tgid, &files->files[files->count]);
    return id_map__put(&reading->by_key, key_of(&note->file), (uint32_t)files->count++);
}

static int add_active(void *context, const void *record)
{
    struct reading *reading = context;
    return id_map__put(&reading->active, *(const uint32_t *)record, 1);
}

static int by_processes(const void *a, const void *b)
{
    uint32_t one = ((const struct mapped_file *)a)->processes, other = ((const struct mapped_file *)b)->processes;
    return one > other ? -1 : one < other;
}

int mapped_files__read(struct loader *loader, const uint32_t *wanted_tgids, size_t wanted_count,
                       struct mapped_files *ret_files)
{
    struct reading reading = {.wanted_tgids = wanted_tgids, .wanted_count = wanted_count};
    _cleanup_(loaded__freep) struct loaded *loaded = NULL;
    int err = loader__open(loader, "mapped_files", NULL, &loaded);
    if (!err)
        err = loaded__load(loaded, NULL);
    if (!err)
        err = iterator__run_program(loaded__program(loaded, "list_active"), sizeof(uint32_t), add_active, &reading);
    if (!err)
        err = iterator__run_program(loaded__program(loaded, "list_mapped_files"), sizeof(struct wire_note), add_file,
                                    &reading);
    id_map__release(&reading.active);
    id_map__release(&reading.by_key);
    if (err) {
        free(reading.files.files);
        return err;
    }
    if (reading.files.count)
        qsort(reading.files.files, reading.files.count, sizeof(*reading.files.files), by_processes);
    *ret_files = reading.files;
    return 0;
}

void mapped_files__release(struct mapped_files *files)
{
    free(files->files);
    *files = (struct mapped_files){0};
}

// In a chroot, the links in /proc name files as we see them; the process, and its debug files, as it does.
static void cut_root(uint32_t tgid, char *path)
{
    char link[64], root[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/%d/root", live_thread__of((pid_t)tgid));
    ssize_t length = readlink(link, root, sizeof(root) - 1);
    if (length > 1 && strncmp(path, root, (size_t)length) == 0 && path[length] == '/')
        memmove(path, path + length, strlen(path + length) + 1);
}

int mapped_file__open(const struct wire_note *note, char *path, size_t path_bytes, int *ret_fd)
{
    char link[96];
    snprintf(link, sizeof(link), "/proc/%d/map_files/%llx-%llx", live_thread__of((pid_t)note->tgid),
             (unsigned long long)note->start, (unsigned long long)note->end);
    ssize_t length = readlink(link, path, path_bytes - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    proc_maps__cut_deleted(path);
    cut_root(note->tgid, path);
    return foreign_file__open_mapping(
        &(struct foreign_mapping){
            .pid = (pid_t)note->tgid, .start = note->start, .end = note->end, .device = note->file.device},
        ret_fd);
}
