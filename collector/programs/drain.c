#include "collector/programs/drain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/programs/chunk_shelf.h"
#include "collector/programs/map_table.h"
#include "collector/programs/shared_array.h"
#include "store/base/grow.h"

struct drain {
    int counts_fd[2], stacks_fd[2], hists_fd[2], cells_fd[2], tallies_fd;
    struct wire_control *control; // shared with the programs
    int cpu_count;
    struct wire_tally *per_cpu;
    struct map_table counts, hists;
    struct map_table cells_read; // of the array, as it is
    bool has_cells;              // the array has more than the one entry that it must have
    struct chunk_shelf chunks;   // of this drain
    // Of stacks that belong to no count yet (drain__hold): the last drain's chunks, those that were wanted at the last
    // drain, and those that are wanted at this one, for the next.
    struct chunk_shelf last, held, held_next;
    uint64_t *wanted;
    size_t wanted_count, wanted_capacity;
    bool holds;
    struct drained_cell *cells;
    struct drained_count *joined;
    size_t joined_capacity;
};

static bool has_entries(int map_fd)
{
    struct bpf_map_info info = {0};
    uint32_t length = sizeof(info);
    return bpf_obj_get_info_by_fd(map_fd, &info, &length) == 0 && info.max_entries > 1;
}

int drain__new(const struct loader *loader, struct fault *fault, struct drain **ret_drain)
{
    _cleanup_(drain__freep) struct drain *drain = calloc(1, sizeof(*drain));
    if (!drain)
        return fault__set(fault, -ENOMEM, "out of memory");
    drain->counts_fd[0] = loader__map_fd(loader, "counts_0");
    drain->counts_fd[1] = loader__map_fd(loader, "counts_1");
    drain->stacks_fd[0] = loader__map_fd(loader, "stacks_0");
    drain->stacks_fd[1] = loader__map_fd(loader, "stacks_1");
    drain->hists_fd[0] = loader__map_fd(loader, "hists_0");
    drain->hists_fd[1] = loader__map_fd(loader, "hists_1");
    drain->cells_fd[0] = loader__map_fd(loader, "cells_0");
    drain->cells_fd[1] = loader__map_fd(loader, "cells_1");
    drain->tallies_fd = loader__map_fd(loader, "tallies");
    drain->counts.key_bytes = sizeof(struct wire_count_key);
    drain->counts.value_bytes = sizeof(struct wire_count);
    drain->chunks = drain->last = drain->held = drain->held_next = CHUNK_SHELF_EMPTY;
    drain->cpu_count = libbpf_num_possible_cpus();
    if (drain->cpu_count < 0)
        return fault__set(fault, drain->cpu_count, "cannot count the CPUs: %s", strerror(-drain->cpu_count));
    drain->hists.key_bytes = sizeof(struct wire_hist_key);
    drain->hists.value_bytes = sizeof(struct wire_hist_cell) * (size_t)drain->cpu_count;
    drain->has_cells = has_entries(drain->cells_fd[0]);
    drain->cells_read.key_bytes = sizeof(uint32_t);
    drain->cells_read.value_bytes = drain->hists.value_bytes;
    drain->per_cpu = calloc((size_t)drain->cpu_count, sizeof(*drain->per_cpu));
    if (!drain->per_cpu)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = shared_array__control(loader, fault, &drain->control);
    if (err)
        return err;
    *ret_drain = take_pointer(drain);
    return 0;
}

void drain__free(struct drain *drain)
{
    if (!drain)
        return;
    shared_array__unmap(drain->control, sizeof(*drain->control));
    map_table__release(&drain->counts);
    map_table__release(&drain->hists);
    map_table__release(&drain->cells_read);
    free(drain->cells);
    chunk_shelf__release(&drain->chunks);
    chunk_shelf__release(&drain->last);
    chunk_shelf__release(&drain->held);
    chunk_shelf__release(&drain->held_next);
    free(drain->wanted);
    free(drain->per_cpu);
    free(drain->joined);
    free(drain);
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
    uint32_t old = __atomic_load_n(&drain->control->flips, __ATOMIC_RELAXED);
    __atomic_store_n(&drain->control->flips, old + 1, __ATOMIC_SEQ_CST);
    // Programs run inside RCU read-side sections; the global membarrier waits for one grace period of all of them
    // (kernel/sched/membarrier.c, MEMBARRIER_CMD_GLOBAL: synchronize_rcu()).
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        return -errno;
    *ret_old = old & 1;
    return 0;
}

static int read_tally(const struct drain *drain, struct wire_tally *ret_tally)
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
    if (GROW(drain->joined, drain->joined_capacity, drain->counts.count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < drain->counts.count; i++) {
        memcpy(&drain->joined[i].key, drain->counts.keys + i * sizeof(struct wire_count_key),
               sizeof(struct wire_count_key));
        memcpy(&drain->joined[i].count, drain->counts.values + i * sizeof(struct wire_count),
               sizeof(struct wire_count));
    }
    return 0;
}

static void add_cell(struct wire_hist_cell *sum, const struct wire_hist_cell *cell)
{
    sum->count += cell->count;
    sum->sum += cell->sum;
    sum->sum_high += cell->sum_high;
    sum->low = cell->low > sum->low ? cell->low : sum->low;
    sum->max = cell->max > sum->max ? cell->max : sum->max;
}

static bool is_zero(const char *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

// The cells of the array that hold something join those of the hash, and are emptied.
static int take_cells(struct drain *drain, int map_fd)
{
    struct map_table *read = &drain->cells_read, *hists = &drain->hists;
    _cleanup_free_ char *nothing = calloc(1, read->value_bytes);
    int err = !nothing ? -ENOMEM : drain->has_cells ? map_table__read(read, map_fd) : 0;
    for (size_t i = 0; i < read->count && !err; i++) {
        const char *value = read->values + i * read->value_bytes;
        uint32_t place;
        memcpy(&place, read->keys + i * sizeof(place), sizeof(place));
        if (is_zero(value, read->value_bytes))
            continue;
        err = map_table__reserve(hists, hists->count + 1);
        if (err)
            return err;
        uint32_t bucket = place % WIRE_HIST_CELLS;
        struct wire_hist_key key = {.number = (uint16_t)(place / WIRE_HIST_CELLS),
                                    .bucket = bucket < 2 * WIRE_HIST_BUCKETS ? (uint16_t)bucket : WIRE_HIST_UNMATCHED};
        memcpy(hists->keys + hists->count * sizeof(key), &key, sizeof(key));
        memcpy(hists->values + hists->count * hists->value_bytes, value, hists->value_bytes);
        hists->count++;
        err = bpf_map_update_elem(map_fd, &place, nothing, BPF_ANY) == 0 ? 0 : -errno;
    }
    return err;
}

static int join_cells(struct drain *drain)
{
    if (RESIZE(drain->cells, drain->hists.count + 1) != 0)
        return -ENOMEM;
    struct drained_cell *cells = drain->cells;
    for (size_t i = 0; i < drain->hists.count; i++) {
        const struct wire_hist_cell *per_cpu = (void *)(drain->hists.values + i * drain->hists.value_bytes);
        memcpy(&cells[i].key, drain->hists.keys + i * sizeof(cells[i].key), sizeof(cells[i].key));
        cells[i].cell = (struct wire_hist_cell){0};
        for (int cpu = 0; cpu < drain->cpu_count; cpu++)
            add_cell(&cells[i].cell, &per_cpu[cpu]);
    }
    return 0;
}

int drain__hold(struct drain *drain, uint64_t stack)
{
    drain->holds = true;
    if (stack <= WIRE_STACK_LOST)
        return 0;
    if (GROW(drain->wanted, drain->wanted_capacity, drain->wanted_count + 1) != 0)
        return -ENOMEM;
    drain->wanted[drain->wanted_count++] = stack;
    return 0;
}

// Takes from this drain's chunks, the last one's and those held so far what is wanted, with its callers.
static int hold_wanted(struct drain *drain)
{
    struct chunk_shelf *held = &drain->held_next;
    int err = 0;
    for (size_t i = 0; i < drain->wanted_count && !err; i++) {
        const struct wire_chunk *chunk;
        for (uint64_t id = drain->wanted[i]; id && !err && !chunk_shelf__find(held, id); id = chunk->caller) {
            chunk = drain__chunk(drain, id);
            if (!chunk)
                break;
            err = chunk_shelf__put(held, id, chunk);
        }
    }
    drain->wanted_count = 0;
    return err;
}

static void shelve(struct drain *drain)
{
    if (drain->holds) {
        chunk_shelf__swap(&drain->chunks, &drain->last);
        chunk_shelf__swap(&drain->held, &drain->held_next);
        chunk_shelf__clear(&drain->held_next);
    }
    chunk_shelf__clear(&drain->chunks);
    drain->counts.count = drain->hists.count = 0;
}

int drain__run(struct drain *drain, struct fault *fault, struct drained *ret_drained)
{
    uint32_t old = 0;
    shelve(drain);
    int err = flip(drain, &old);
    if (!err)
        err = map_table__take(&drain->counts, drain->counts_fd[old]);
    if (!err)
        err = map_table__take(&drain->chunks.chunks, drain->stacks_fd[old]);
    if (!err)
        err = map_table__take(&drain->hists, drain->hists_fd[old]);
    if (!err)
        err = take_cells(drain, drain->cells_fd[old]);
    if (!err)
        err = join_counts(drain);
    if (!err)
        err = join_cells(drain);
    if (!err)
        err = chunk_shelf__index(&drain->chunks);
    if (!err)
        err = hold_wanted(drain);
    if (!err)
        err = read_tally(drain, &ret_drained->tally);
    if (err)
        return fault__set(fault, err, "cannot drain the samples from the kernel: %s", strerror(-err));
    ret_drained->set = old;
    ret_drained->counts = drain->joined;
    ret_drained->cells = drain->cells;
    ret_drained->count_of_cells = drain->hists.count;
    ret_drained->count_of_counts = drain->counts.count;
    ret_drained->count_of_chunks = drain->chunks.chunks.count;
    return 0;
}

int drain__put(struct drain *drain, uint64_t id, const struct wire_chunk *chunk)
{
    return chunk_shelf__put(&drain->chunks, id, chunk);
}

const struct wire_chunk *drain__chunk(const struct drain *drain, uint64_t id)
{
    const struct wire_chunk *chunk = chunk_shelf__find(&drain->chunks, id);
    if (!chunk)
        chunk = chunk_shelf__find(&drain->last, id);
    return chunk ? chunk : chunk_shelf__find(&drain->held, id);
}

uint64_t drain__emitted(const struct drain *drain)
{
    struct wire_tally tally;
    return read_tally(drain, &tally) == 0 ? tally.emitted : 0;
}
