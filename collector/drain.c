#include "collector/drain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/id_map.h"

enum { BATCH = 2048 }; // more than any one bucket of the kernel's hash table holds, which is all a batch must fit

// Keys and values of one map, drained.
struct table {
    char *keys, *values;
    size_t key_bytes, value_bytes;
    size_t count, capacity;
};

struct drain {
    int counts_fd[2], stacks_fd[2], tallies_fd;
    struct wire_control *control; // shared with the programs
    int cpu_count;
    struct wire_tally *per_cpu;
    struct table counts, chunks;
    struct drained_count *joined;
    size_t joined_capacity;
    struct id_map by_id; // of chunks
};

int drain__new(const struct loader *loader, struct fault *fault, struct drain **ret_drain)
{
    _cleanup_(drain__freep) struct drain *drain = calloc(1, sizeof(*drain));
    if (!drain)
        return fault__set(fault, -ENOMEM, "out of memory");
    drain->counts_fd[0] = loader__map_fd(loader, "counts_0");
    drain->counts_fd[1] = loader__map_fd(loader, "counts_1");
    drain->stacks_fd[0] = loader__map_fd(loader, "stacks_0");
    drain->stacks_fd[1] = loader__map_fd(loader, "stacks_1");
    drain->tallies_fd = loader__map_fd(loader, "tallies");
    drain->counts.key_bytes = sizeof(struct wire_count_key);
    drain->counts.value_bytes = sizeof(struct wire_count);
    drain->chunks.key_bytes = sizeof(uint64_t);
    drain->chunks.value_bytes = sizeof(struct wire_chunk);
    drain->cpu_count = libbpf_num_possible_cpus();
    if (drain->cpu_count < 0)
        return fault__set(fault, drain->cpu_count, "cannot count the CPUs: %s", strerror(-drain->cpu_count));
    drain->per_cpu = calloc((size_t)drain->cpu_count, sizeof(*drain->per_cpu));
    if (!drain->per_cpu)
        return fault__set(fault, -ENOMEM, "out of memory");
    void *shared = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
                        loader__map_fd(loader, "control"), 0);
    if (shared == MAP_FAILED)
        return fault__set(fault, -errno, "cannot map the control word shared with the kernel: %s", strerror(errno));
    drain->control = shared;
    *ret_drain = take_pointer(drain);
    return 0;
}

static void table__release(struct table *table)
{
    free(table->keys);
    free(table->values);
}

void drain__free(struct drain *drain)
{
    if (!drain)
        return;
    if (drain->control)
        munmap(drain->control, (size_t)sysconf(_SC_PAGESIZE));
    table__release(&drain->counts);
    table__release(&drain->chunks);
    free(drain->per_cpu);
    free(drain->joined);
    id_map__release(&drain->by_id);
    free(drain);
}

static int table__reserve(struct table *table, size_t count)
{
    if (count <= table->capacity)
        return 0;
    size_t capacity = table->capacity ? table->capacity * 2 : BATCH;
    char *keys = reallocarray(table->keys, capacity, table->key_bytes);
    table->keys = keys ? keys : table->keys;
    char *values = reallocarray(table->values, capacity, table->value_bytes);
    table->values = values ? values : table->values;
    if (!keys || !values)
        return -ENOMEM;
    table->capacity = capacity;
    return 0;
}

// Appends all that is in the map to the table, and empties the map.
static int table__take(struct table *table, int map_fd)
{
    uint32_t position = 0, *from = NULL;
    while (true) {
        int err = table__reserve(table, table->count + BATCH);
        if (err)
            return err;
        uint32_t count = BATCH;
        errno = 0;
        err = bpf_map_lookup_and_delete_batch(map_fd, from, &position, table->keys + table->count * table->key_bytes,
                                              table->values + table->count * table->value_bytes, &count, NULL);
        if (err && errno != ENOENT)
            return -errno;
        table->count += count;
        if (err) // ENOENT: that was the last one
            return 0;
        from = &position;
    }
}

// An update takes an entry from the CPU's reserve, and so has it filled up to its mark, a hundred or so
// (kernel/bpf/memalloc.c, unit_alloc() and prefill_mem_cache(); 6.1).
static void touch(int map_fd, const void *key, const void *value)
{
    if (bpf_map_update_elem(map_fd, key, value, BPF_ANY) == 0)
        bpf_map_delete_elem(map_fd, key);
}

void drain__warm_up(const struct drain *drain, const uint32_t *cpus, size_t cpu_count)
{
    static const struct wire_count_key key;
    static const struct wire_count count;
    static const struct wire_chunk chunk;
    static const uint64_t id;
    cpu_set_t before, one;
    if (sched_getaffinity(0, sizeof(before), &before) != 0)
        return;
    for (size_t i = 0; i < cpu_count; i++) {
        CPU_ZERO(&one);
        CPU_SET(cpus[i] % CPU_SETSIZE, &one);
        if (sched_setaffinity(0, sizeof(one), &one) != 0)
            continue;
        for (int set = 0; set < 2; set++) {
            touch(drain->counts_fd[set], &key, &count);
            touch(drain->stacks_fd[set], &id, &chunk);
        }
    }
    sched_setaffinity(0, sizeof(before), &before);
}

// Turns the programs over to the other set; when this returns, none of them writes to the old one any more.
static int flip(struct drain *drain, uint32_t *ret_old)
{
    uint32_t old = __atomic_load_n(&drain->control->active_set, __ATOMIC_RELAXED);
    __atomic_store_n(&drain->control->active_set, !old, __ATOMIC_SEQ_CST);
    // Programs run inside RCU read-side sections; the global membarrier waits for one grace period of all of them
    // (kernel/sched/membarrier.c, MEMBARRIER_CMD_GLOBAL: synchronize_rcu()).
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        return -errno;
    *ret_old = old;
    return 0;
}

static int read_tally(struct drain *drain, struct wire_tally *ret_tally)
{
    uint32_t zero = 0;
    if (bpf_map_lookup_elem(drain->tallies_fd, &zero, drain->per_cpu) != 0)
        return -errno;
    *ret_tally = (struct wire_tally){0};
    for (int cpu = 0; cpu < drain->cpu_count; cpu++) {
        ret_tally->emitted += drain->per_cpu[cpu].emitted;
        for (size_t loss = 0; loss < WIRE_LOSS_COUNT; loss++)
            ret_tally->losses[loss] += drain->per_cpu[cpu].losses[loss];
    }
    return 0;
}

static int join_counts(struct drain *drain)
{
    if (drain->counts.count > drain->joined_capacity) {
        struct drained_count *grown = reallocarray(drain->joined, drain->counts.capacity, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        drain->joined = grown;
        drain->joined_capacity = drain->counts.capacity;
    }
    for (size_t i = 0; i < drain->counts.count; i++) {
        memcpy(&drain->joined[i].key, drain->counts.keys + i * sizeof(struct wire_count_key),
               sizeof(struct wire_count_key));
        memcpy(&drain->joined[i].count, drain->counts.values + i * sizeof(struct wire_count),
               sizeof(struct wire_count));
    }
    return 0;
}

static int index_chunks(struct drain *drain)
{
    id_map__clear(&drain->by_id);
    const uint64_t *ids = (const uint64_t *)(const void *)drain->chunks.keys;
    int err = 0;
    for (size_t i = 0; i < drain->chunks.count && !err; i++)
        err = id_map__put(&drain->by_id, ids[i], (uint32_t)i);
    return err;
}

int drain__run(struct drain *drain, struct fault *fault, struct drained *ret_drained)
{
    uint32_t old = 0;
    drain->counts.count = drain->chunks.count = 0;
    int err = flip(drain, &old);
    if (!err)
        err = table__take(&drain->counts, drain->counts_fd[old]);
    if (!err)
        err = table__take(&drain->chunks, drain->stacks_fd[old]);
    if (!err)
        err = join_counts(drain);
    if (!err)
        err = index_chunks(drain);
    if (!err)
        err = read_tally(drain, &ret_drained->tally);
    if (err)
        return fault__set(fault, err, "cannot drain the samples from the kernel: %s", strerror(-err));
    ret_drained->counts = drain->joined;
    ret_drained->count_of_counts = drain->counts.count;
    ret_drained->count_of_chunks = drain->chunks.count;
    return 0;
}

const struct wire_chunk *drain__chunk(const struct drain *drain, uint64_t id)
{
    uint32_t index;
    if (!id_map__get(&drain->by_id, id, &index))
        return NULL;
    return (const struct wire_chunk *)(const void *)(drain->chunks.values + index * sizeof(struct wire_chunk));
}
