// Opening a store, and what is asked of its dictionaries.
#include "store/reader/reader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/base/grow.h"
#include "store/reader/reader_insides.h"

DEFINE_CLEANUP(struct store_reader *, store_reader__free);

void reader__note_damage(struct store_reader *reader, const struct reader_file *file, const char *what,
                         uint64_t samples)
{
    struct store_damage *damage = &reader->damage;
    if (damage->places++ == 0)
        snprintf(damage->first, sizeof(damage->first), "%s of '%s'", what, file->path);
    damage->samples += samples;
}

static int compare_times(const void *a, const void *b)
{
    const struct reader_file *x = a, *y = b;
    return x->first_ns != y->first_ns ? (x->first_ns < y->first_ns ? -1 : 1) : strcmp(x->path, y->path);
}

static int finish(struct store_reader *reader)
{
    // One more than there are: see damaged_binary in reader_trie.c.
    reader->binary_count = reader->binary_keys.count;
    if (RESIZE(reader->binaries, (size_t)reader->binary_count + 1) != 0)
        return -ENOMEM;
    if (reader->file_count)
        qsort(reader->files, reader->file_count, sizeof(*reader->files), compare_times);
    uint32_t base = 0;
    for (size_t i = 0; i < reader->file_count; i++) {
        reader->files[i].interval_base = base;
        base += reader->files[i].interval_end ? reader->files[i].interval_end - 1 : 0;
    }
    reader->interval_count = base;
    int err = reader_cover__resolve(reader);
    if (err)
        return err;
    for (uint32_t i = 0; i < reader->binary_keys.count; i++) {
        const struct reader_binary_key *key = dictionary__record(&reader->binary_keys, i + 1);
        reader->binaries[i].build_id = key->build_id_bytes ? key->build_id : NULL;
    }
    const char **words[] = {&reader->meta.host, &reader->meta.kernel, &reader->meta.arch, &reader->meta.version,
                            &reader->meta.command};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!*words[i])
            *words[i] = "";
    return 0;
}

int store_reader__open_part(const char *path, const struct store_part *part, struct fault *fault,
                            struct store_reader **ret_reader)
{
    _cleanup_(store_reader__freep) struct store_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return fault__set(fault, -ENOMEM, "out of memory");
    reader->process_keys =
        (struct dictionary)DICTIONARY(struct reader_process_key, sizeof(struct reader_process_key), 0);
    reader->thread_keys = (struct dictionary)DICTIONARY(struct reader_thread_key, sizeof(struct reader_thread_key), 0);
    reader->binary_keys = (struct dictionary)DICTIONARY(struct reader_binary_key, sizeof(struct reader_binary_key), 0);
    reader->frame_keys = (struct dictionary)DICTIONARY(struct reader_frame_key, sizeof(struct reader_frame_key), 0);
    reader->nodes = (struct dictionary)DICTIONARY(struct pack_node, sizeof(struct pack_node), 0);
    reader->path = strdup(path);
    int err = reader->path ? packer__new(&reader->packer) : -ENOMEM;
    if (err)
        return fault__set(fault, err, "out of memory");
    err = reader_directory__load(reader, part, fault);
    if (err)
        return err;
    err = finish(reader);
    if (err)
        return fault__set(fault, err, "out of memory");
    *ret_reader = take_pointer(reader);
    return 0;
}

int store_reader__open(const char *path, struct fault *fault, struct store_reader **ret_reader)
{
    return store_reader__open_part(path, &(struct store_part){0}, fault, ret_reader);
}

void store_reader__free(struct store_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->file_count; i++)
        reader_file__free(&reader->files[i]);
    free(reader->files);
    texts__release(&reader->words);
    texts__release(&reader->functions);
    texts__release(&reader->sources);
    dictionary__release(&reader->process_keys);
    dictionary__release(&reader->thread_keys);
    dictionary__release(&reader->binary_keys);
    dictionary__release(&reader->frame_keys);
    dictionary__release(&reader->nodes);
    packer__free(reader->packer);
    free(reader->events);
    free(reader->processes);
    free(reader->threads);
    free(reader->binaries);
    free(reader->frames);
    free(reader->lines);
    free(reader->parents);
    free(reader->node_frames);
    free(reader->rolled);
    free(reader->path);
    free(reader);
}

const struct store_damage *store_reader__damage(const struct store_reader *reader)
{
    return &reader->damage;
}

const struct store_meta *store_reader__meta(const struct store_reader *reader)
{
    return &reader->meta;
}

uint32_t store_reader__event_count(const struct store_reader *reader)
{
    return reader->event_count;
}

const struct store_event *store_reader__event(const struct store_reader *reader, uint32_t event)
{
    return event >= 1 && event <= reader->event_count ? &reader->events[event - 1] : NULL;
}

uint32_t store_reader__process_count(const struct store_reader *reader)
{
    return reader->process_keys.count;
}

const struct store_process *store_reader__process(const struct store_reader *reader, uint32_t process)
{
    return process >= 1 && process <= reader->process_keys.count ? &reader->processes[process - 1] : NULL;
}

uint32_t store_reader__thread_count(const struct store_reader *reader)
{
    return reader->thread_keys.count;
}

const struct store_thread *store_reader__thread(const struct store_reader *reader, uint32_t thread)
{
    return thread >= 1 && thread <= reader->thread_keys.count ? &reader->threads[thread - 1] : NULL;
}

uint32_t store_reader__binary_count(const struct store_reader *reader)
{
    return reader->binary_count;
}

const struct store_binary *store_reader__binary(const struct store_reader *reader, uint32_t binary)
{
    return binary >= 1 && binary <= reader->binary_count ? &reader->binaries[binary - 1] : NULL;
}

static int take_count(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement)
{
    (void)file;
    reader->value_rows += (uint64_t)sqlite3_column_int64(statement, 0);
    return 0;
}

static uint64_t bytes_of(const struct reader_file *file)
{
    char wal[PATH_MAX];
    struct stat status;
    uint64_t bytes = stat(file->path, &status) == 0 ? (uint64_t)status.st_size : 0;
    bool fits = (size_t)snprintf(wal, sizeof(wal), "%s-wal", file->path) < sizeof(wal);
    return bytes + (fits && stat(wal, &status) == 0 ? (uint64_t)status.st_size : 0);
}

int store_reader__size(struct store_reader *reader, struct fault *fault, struct store_size *ret_size)
{
    struct store_size size = {.files = reader->file_count};
    int err = reader_trie__load(reader, fault);
    reader->value_rows = 0;
    for (size_t i = 0; i < reader->file_count && !err; i++) {
        size.bytes += bytes_of(&reader->files[i]);
        err = reader_file__hold(&reader->files[i], fault);
        if (err)
            break;
        err = reader_file__each(reader, &reader->files[i], "SELECT sum(row_count) FROM value_pack",
                                "the table value_pack", take_count, fault);
        reader_file__release(&reader->files[i]);
    }
    if (err)
        return err;
    size.values = reader->value_rows;
    size.frames = reader->frame_count;
    size.functions = reader->functions.count;
    size.nodes = reader->trie.count ? reader->trie.count - 1 : 0;
    *ret_size = size;
    return 0;
}
