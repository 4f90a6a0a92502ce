// All that a store counts, by the hour and by function: what must be the same before and after a roll-up.
#ifndef HEARTH_TESTS_UNIT_STORE_EVERYTHING_H
#define HEARTH_TESTS_UNIT_STORE_EVERYTHING_H

#include "tests/unit/store/load.h"

struct everything {
    struct store_reader *reader;
    const struct store_trie *trie;
    uint64_t part_ns; // sums are kept for each of these
    uint64_t cost_ns;
    struct model model;
};

static inline uint64_t everything__part(const struct everything *all, const struct store_interval_row *row)
{
    return hash__pair(row->interval.start_ns / all->part_ns, 0);
}

// By the names of functions; of what has none, by the offset.
static inline uint64_t hash_functions(struct store_reader *reader, const struct store_trie *trie, uint32_t node)
{
    uint64_t hash = 0;
    for (; node; node = trie->parents[node]) {
        const struct store_frame *frame = store_reader__frame(reader, trie->frames[node]);
        const struct store_binary *binary = store_reader__binary(reader, frame->binary);
        hash = hash__pair(hash__pair(hash, hash_text(binary->path)), binary->kind);
        for (size_t i = 0; i < frame->chain_length; i++)
            hash = hash__pair(hash__pair(hash, hash_text(frame->chain[i].function)), hash_text(frame->chain[i].file));
        hash = frame->chain_length ? hash : hash__pair(hash, frame->offset);
    }
    return hash;
}

static inline int everything__value(const struct store_interval_row *row, const struct store_value *value,
                                    void *context)
{
    struct everything *all = context;
    const struct store_thread *thread = store_reader__thread(all->reader, value->thread);
    const struct store_process *process = store_reader__process(all->reader, thread->process);
    uint64_t key = hash__pair(everything__part(all, row), 1);
    key = hash__pair(key, hash_text(store_reader__event(all->reader, value->event)->name));
    key = hash__pair(hash__pair(key, process->pid), process->start_ns ^ hash_text(process->cgroup));
    key = hash__pair(hash__pair(key, thread->tid), hash_text(thread->comm));
    key = hash__pair(hash__pair(key, hash_functions(all->reader, all->trie, value->node)), value->bucket);
    model__add(&all->model, key, value->count, value->value);
    return 0;
}

static inline int everything__histogram(const struct store_interval_row *row, const struct store_histogram *histogram,
                                        void *context)
{
    struct everything *all = context;
    uint64_t key = hash__pair(everything__part(all, row), 2);
    key = hash__pair(key, hash_text(store_reader__event(all->reader, histogram->event)->name));
    key = hash__pair(key, hash_text(histogram->key));
    for (size_t i = 0; i < histogram->count_of_buckets; i++)
        if (histogram->counts[i])
            model__add(&all->model, hash__pair(key, i), histogram->counts[i], 0);
    model__add(&all->model, hash__pair(key, UINT64_MAX), histogram->unmatched, (uint64_t)histogram->sum);
    return 0;
}

static inline int everything__total(const struct store_interval_row *row, const struct store_total *total,
                                    void *context)
{
    struct everything *all = context;
    uint64_t key = hash__pair(everything__part(all, row), 3);
    key = hash__pair(key, hash_text(store_reader__event(all->reader, total->event)->name));
    model__add(&all->model, key, total->samples, total->value);
    return 0;
}

static inline int everything__interval(const struct store_interval_row *row, void *context)
{
    struct everything *all = context;
    uint64_t key = hash__pair(everything__part(all, row), 4);
    for (size_t i = 0; i < row->interval.loss_count; i++)
        model__add(&all->model, hash__pair(key, hash_text(row->interval.losses[i].name)), row->interval.losses[i].count,
                   0);
    model__add(&all->model, key, 0, row->interval.own_cpu_ns);
    model__add(&all->model, hash__pair(key, 1), 0, row->interval.own_written_bytes);
    return 0;
}

static inline struct model everything__read(const char *path, const struct store_query *query, uint64_t part_ns)
{
    struct fault fault = {0};
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    struct everything all = {.reader = reader, .part_ns = part_ns};
    int err = store_reader__trie(reader, &fault, &all.trie);
    if (!err)
        err = store_reader__values(reader, query, &fault, everything__value, &all);
    if (!err)
        err = store_reader__histograms(reader, query, &fault, everything__histogram, &all);
    if (!err)
        err = store_reader__totals(reader, query, &fault, everything__total, &all);
    if (!err)
        err = store_reader__intervals(reader, query, &fault, everything__interval, &all);
    if (err)
        fail_msg("%s", fault.text);
    assert_int_equal(store_reader__damage(reader)->places, 0);
    return all.model;
}

#endif
