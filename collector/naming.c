#include "collector/naming.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/hash.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

enum batch_kind { BATCH_FILE, BATCH_KERNEL, BATCH_JIT };

// What is wanted of one binary, of the kernel, or of one JIT's process.
struct batch {
    enum batch_kind kind;
    const struct binary *binary;
    pid_t pid;
    uint64_t *addresses;
    uint32_t *frames;
    size_t count, capacity;
};

struct batches {
    struct batch *rows;
    size_t count, capacity;
    struct id_map by_key;
};

struct naming {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct symbolizer *symbolizer; // the thread's alone
    struct batches wanted;         // the main thread's, until naming__start
    struct batches queued;         // under the lock
    bool working, stop;            // under the lock
    // Under the lock: names found, packed as frame, length, then for each line function NUL file NUL line.
    struct buf found;
    int vdso_fd;
};

// --- What is wanted

static int grow_batches(struct batches *batches)
{
    if (batches->count < batches->capacity)
        return 0;
    size_t capacity = batches->capacity ? batches->capacity * 2 : 32;
    struct batch *grown = reallocarray(batches->rows, capacity, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    batches->rows = grown;
    batches->capacity = capacity;
    return 0;
}

static int find_batch(struct batches *batches, enum batch_kind kind, uint64_t of, struct batch **ret_batch)
{
    uint64_t key = hash__pair(kind, of);
    uint32_t index;
    if (!id_map__get(&batches->by_key, key, &index)) {
        int err = grow_batches(batches);
        if (!err)
            err = id_map__put(&batches->by_key, key, (uint32_t)batches->count);
        if (err)
            return err;
        index = (uint32_t)batches->count++;
        batches->rows[index] = (struct batch){.kind = kind};
    }
    *ret_batch = &batches->rows[index];
    return 0;
}

static int add_address(struct batch *batch, uint64_t address, uint32_t frame)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 16;
        uint64_t *addresses = reallocarray(batch->addresses, capacity, sizeof(*addresses));
        batch->addresses = addresses ? addresses : batch->addresses;
        uint32_t *frames = reallocarray(batch->frames, capacity, sizeof(*frames));
        batch->frames = frames ? frames : batch->frames;
        if (!addresses || !frames)
            return -ENOMEM;
        batch->capacity = capacity;
    }
    batch->addresses[batch->count] = address;
    batch->frames[batch->count++] = frame;
    return 0;
}

static void batches__release(struct batches *batches)
{
    for (size_t i = 0; i < batches->count; i++) {
        free(batches->rows[i].addresses);
        free(batches->rows[i].frames);
    }
    free(batches->rows);
    id_map__release(&batches->by_key);
    *batches = (struct batches){0};
}

int naming__want_file(struct naming *naming, const struct binary *binary, uint64_t offset, uint32_t frame)
{
    struct batch *batch;
    int err = find_batch(&naming->wanted, BATCH_FILE, binary->number, &batch);
    if (err)
        return err;
    batch->binary = binary;
    return add_address(batch, offset, frame);
}

int naming__want_kernel(struct naming *naming, uint64_t address, uint32_t frame)
{
    struct batch *batch;
    int err = find_batch(&naming->wanted, BATCH_KERNEL, 0, &batch);
    return err ? err : add_address(batch, address, frame);
}

int naming__want_jit(struct naming *naming, pid_t pid, uint64_t address, uint32_t frame)
{
    struct batch *batch;
    int err = find_batch(&naming->wanted, BATCH_JIT, (uint64_t)pid, &batch);
    if (err)
        return err;
    batch->pid = pid;
    return add_address(batch, address, frame);
}

// --- The thread

struct taking {
    struct buf packed;
    const uint32_t *frames;
};

static void take_chain(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct taking *taking = context;
    buf__append_varint(&taking->packed, taking->frames[index]);
    buf__append_varint(&taking->packed, length);
    for (size_t i = 0; i < length; i++) {
        const char *function = chain[i].function ? chain[i].function : "??", *file = chain[i].file ? chain[i].file : "";
        buf__append(&taking->packed, function, strlen(function) + 1);
        buf__append(&taking->packed, file, strlen(file) + 1);
        buf__append_varint(&taking->packed, chain[i].line);
    }
}

// The vDSO is one for all processes: a copy of our own, as a file.
static int vdso_fd(struct naming *naming)
{
    const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
    if (naming->vdso_fd >= 0 || !image)
        return naming->vdso_fd;
    enum { VDSO_BYTES = 8192 }; // two pages on x86-64 and arm64 (arch/*/kernel/vdso); what is not mapped ends the write
    naming->vdso_fd = memfd_create("vdso", MFD_CLOEXEC);
    for (int page = 0; naming->vdso_fd >= 0 && page < VDSO_BYTES / 4096; page++)
        if (write(naming->vdso_fd, image + page * 4096, 4096) != 4096)
            break;
    return naming->vdso_fd;
}

static void name_batch(struct naming *naming, const struct batch *batch, struct taking *taking)
{
    taking->frames = batch->frames;
    if (batch->kind == BATCH_KERNEL) {
        symbolizer__resolve_kernel(naming->symbolizer, batch->addresses, batch->count, take_chain, taking, NULL);
    } else if (batch->kind == BATCH_JIT) {
        symbolizer__resolve_jit(naming->symbolizer, batch->pid, batch->addresses, batch->count, take_chain, taking);
    } else {
        const struct binary *binary = batch->binary;
        struct symbol_file file = {
            .fd = binary->kind == STORE_BINARY_VDSO ? vdso_fd(naming) : binary->fd,
            .root_fd = binary->root_fd,
            .path = binary->path,
            .build_id = binary->build_id_bytes ? binary->build_id : NULL,
            .build_id_bytes = binary->build_id_bytes,
        };
        if (file.fd >= 0)
            symbolizer__resolve_file(naming->symbolizer, &file, batch->addresses, batch->count, take_chain, taking);
    }
}

static void name_all(struct naming *naming, struct batches *batches)
{
    for (size_t i = 0; i < batches->count; i++) {
        struct taking taking = {0};
        name_batch(naming, &batches->rows[i], &taking);
        pthread_mutex_lock(&naming->lock);
        if (!taking.packed.failed)
            buf__append(&naming->found, taking.packed.data, taking.packed.length_bytes);
        bool stop = naming->stop;
        pthread_mutex_unlock(&naming->lock);
        buf__release(&taking.packed);
        if (stop)
            return;
    }
}

static void *run(void *argument)
{
    struct naming *naming = argument;
    pthread_mutex_lock(&naming->lock);
    while (!naming->stop) {
        if (!naming->queued.count) {
            pthread_cond_wait(&naming->changed, &naming->lock);
            continue;
        }
        struct batches batches = naming->queued;
        naming->queued = (struct batches){0};
        naming->working = true;
        pthread_mutex_unlock(&naming->lock);
        name_all(naming, &batches);
        batches__release(&batches);
        pthread_mutex_lock(&naming->lock);
        naming->working = false;
        pthread_cond_broadcast(&naming->changed);
    }
    pthread_mutex_unlock(&naming->lock);
    return NULL;
}

int naming__new(const struct symbolizer_options *options, struct fault *fault, struct naming **ret_naming)
{
    struct naming *naming = calloc(1, sizeof(*naming));
    if (!naming)
        return fault__set(fault, -ENOMEM, "out of memory");
    naming->vdso_fd = -1;
    int err = symbolizer__new(options, fault, &naming->symbolizer);
    if (err && options->cache_dir) { // a cache that cannot be used is no reason not to record
        struct symbolizer_options without = *options;
        without.cache_dir = NULL;
        fault__warn("%s; going on without it", fault ? fault->text : "the cache of names cannot be used");
        err = symbolizer__new(&without, fault, &naming->symbolizer);
    }
    if (err) {
        free(naming);
        return err;
    }
    pthread_mutex_init(&naming->lock, NULL);
    pthread_cond_init(&naming->changed, NULL);
    // Signals are the main thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = -pthread_create(&naming->thread, NULL, run, naming);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err) {
        symbolizer__free(naming->symbolizer);
        free(naming);
        return fault__set(fault, err, "cannot start the naming thread: %s", strerror(-err));
    }
    *ret_naming = naming;
    return 0;
}

void naming__free(struct naming *naming)
{
    if (!naming)
        return;
    pthread_mutex_lock(&naming->lock);
    naming->stop = true;
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
    pthread_join(naming->thread, NULL);
    symbolizer__free(naming->symbolizer);
    batches__release(&naming->wanted);
    batches__release(&naming->queued);
    buf__release(&naming->found);
    fd__close(&naming->vdso_fd);
    pthread_mutex_destroy(&naming->lock);
    pthread_cond_destroy(&naming->changed);
    free(naming);
}

// --- Between the two

void naming__start(struct naming *naming)
{
    if (!naming->wanted.count)
        return;
    pthread_mutex_lock(&naming->lock);
    if (!naming->queued.count) { // else it waits for the next time, and becomes a larger batch
        naming->queued = naming->wanted;
        naming->wanted = (struct batches){0};
        pthread_cond_broadcast(&naming->changed);
    }
    pthread_mutex_unlock(&naming->lock);
}

int naming__collect(struct naming *naming, struct store_writer *writer)
{
    pthread_mutex_lock(&naming->lock);
    struct buf found = naming->found;
    naming->found = (struct buf){0};
    pthread_mutex_unlock(&naming->lock);
    struct cursor cursor = {.at = found.data, .end = found.data + found.length_bytes};
    int err = 0;
    while (!err && cursor.at < cursor.end) {
        struct store_line chain[LIMIT_CHAIN];
        uint32_t frame = (uint32_t)cursor__varint(&cursor);
        size_t length = cursor__varint(&cursor), kept = 0;
        for (size_t i = 0; i < length; i++) {
            struct store_line line = {.function = (const char *)cursor.at};
            cursor.at += strlen(line.function) + 1;
            line.file = (const char *)cursor.at;
            cursor.at += strlen(line.file) + 1;
            line.line = (uint32_t)cursor__varint(&cursor);
            if (kept < LIMIT_CHAIN)
                chain[kept++] = line;
        }
        err = store_writer__name(writer, frame, chain, kept);
    }
    buf__release(&found);
    return err;
}

void naming__wait(struct naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    while (naming->queued.count || naming->working || naming->wanted.count) {
        if (!naming->queued.count && naming->wanted.count) {
            naming->queued = naming->wanted;
            naming->wanted = (struct batches){0};
            pthread_cond_broadcast(&naming->changed);
        }
        pthread_cond_wait(&naming->changed, &naming->lock);
    }
    pthread_mutex_unlock(&naming->lock);
}
