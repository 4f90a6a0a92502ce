// Helpers of the tests of the store: scratch folders, a seeded generator, and a plain model of what a store must hold.
#ifndef HEARTH_TESTS_UNIT_STORE_FIXTURE_H
#define HEARTH_TESTS_UNIT_STORE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "store/reader/reader.h"
#include "store/reader/reader_questions.h"
#include "store/writer/writer.h"

DEFINE_CLEANUP(struct store_writer *, store_writer__free);
DEFINE_CLEANUP(struct store_reader *, store_reader__free);

#define SECOND_NS 1000000000ull
#define START_NS  (1700000000 * SECOND_NS)

static inline void scratch__make(char path[PATH_MAX])
{
    const char *root = getenv("TMPDIR");
    snprintf(path, PATH_MAX, "%s/hearth-store-XXXXXX", root ? root : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline int scratch__remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static inline void scratch__remove(const char *path)
{
    nftw(path, scratch__remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static uint64_t random_state = 1;

static inline uint64_t any(uint64_t below)
{
    random_state += 0x9e3779b97f4a7c15u;
    return hash__mix(random_state) % below;
}

static const struct store_meta meta = {.host = "here",
                                       .kernel = "6.18",
                                       .arch = "x86_64",
                                       .version = "0.1.0",
                                       .command = "hearth record -a",
                                       .cpu_count = 2};

static inline struct store_writer *create(const char *path)
{
    struct store_writer *writer = NULL;
    struct fault fault = {0};
    if (store_writer__create(path, &meta, &fault, &writer))
        fail_msg("%s", fault.text);
    return writer;
}

static inline struct store_reader *open_store(const char *path)
{
    struct store_reader *reader = NULL;
    struct fault fault = {0};
    if (store_reader__open(path, &fault, &reader))
        fail_msg("%s", fault.text);
    return reader;
}

static inline void close_writer(struct store_writer *writer)
{
    struct fault fault = {0};
    if (store_writer__close(writer, &fault))
        fail_msg("%s", fault.text);
}

#define must(call) assert_int_equal(call, 0)

// A stack by its frames' names "function@offset", root first, and its sums: what any order of ids must keep.
struct model_row {
    uint64_t key; // hash of interval, event, process, thread, stack, bucket
    uint64_t count, value;
};

struct model {
    struct model_row *rows;
    size_t count, capacity;
};

static inline void model__release(struct model *model)
{
    free(model->rows);
}

static inline void model__add(struct model *model, uint64_t key, uint64_t count, uint64_t value)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity ? model->capacity * 2 : 256;
        model->rows = realloc(model->rows, model->capacity * sizeof(*model->rows));
        assert_non_null(model->rows);
    }
    model->rows[model->count++] = (struct model_row){.key = key, .count = count, .value = value};
}

static inline int model__compare_rows(const void *a, const void *b)
{
    const struct model_row *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

// Sorted, equal keys added up.
static inline void model__settle(struct model *model)
{
    if (model->count == 0)
        return;
    qsort(model->rows, model->count, sizeof(*model->rows), model__compare_rows);
    size_t kept = 0;
    for (size_t i = 1; i < model->count; i++) {
        if (model->rows[i].key == model->rows[kept].key) {
            model->rows[kept].count += model->rows[i].count;
            model->rows[kept].value = saturated_sum(model->rows[kept].value, model->rows[i].value);
        } else {
            model->rows[++kept] = model->rows[i];
        }
    }
    model->count = kept + 1;
}

static inline void model__assert_equal(struct model *a, struct model *b)
{
    model__settle(a);
    model__settle(b);
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->rows[i].key, b->rows[i].key);
        assert_int_equal(a->rows[i].count, b->rows[i].count);
        assert_int_equal(a->rows[i].value, b->rows[i].value);
    }
}

// The hash of a stack as the reader gives it: of its frames' binaries' paths and offsets, from the leaf on.
static inline uint64_t hash_text(const char *text)
{
    return hash__bytes(text, strlen(text));
}

static inline uint64_t hash_frame(const char *path, uint64_t offset, const char *function)
{
    return hash__pair(hash__pair(hash_text(path), offset), hash_text(function));
}

static inline uint64_t hash_node(struct store_reader *reader, const struct store_trie *trie, uint32_t node)
{
    uint64_t hash = 0;
    for (; node; node = trie->parents[node]) {
        assert_true(trie->parents[node] < node);
        const struct store_frame *frame = store_reader__frame(reader, trie->frames[node]);
        assert_non_null(frame);
        const struct store_binary *binary = store_reader__binary(reader, frame->binary);
        assert_non_null(binary);
        const char *function = frame->chain_length ? frame->chain[frame->chain_length - 1].function : "";
        hash = hash__pair(hash, hash_frame(binary->path, frame->offset, function));
    }
    return hash;
}

static inline uint64_t hash_row(uint64_t start_ns, const char *event, uint32_t pid, uint32_t tid, const char *comm,
                                uint64_t stack, uint32_t bucket)
{
    uint64_t hash = hash__pair(start_ns, hash_text(event));
    hash = hash__pair(hash, (uint64_t)pid << 32 | tid);
    return hash__pair(hash__pair(hash, hash_text(comm)), hash__pair(stack, bucket));
}

struct read_context {
    struct store_reader *reader;
    const struct store_trie *trie;
    struct model *model;
};

static inline int read_row(const struct store_interval_row *row, const struct store_value *value, void *pointer)
{
    struct read_context *context = pointer;
    const struct store_thread *thread = store_reader__thread(context->reader, value->thread);
    assert_non_null(thread);
    const struct store_process *process = store_reader__process(context->reader, thread->process);
    assert_non_null(process);
    assert_true(value->node < context->trie->count);
    model__add(context->model,
               hash_row(row->interval.start_ns, store_reader__event(context->reader, value->event)->name, process->pid,
                        thread->tid, thread->comm, hash_node(context->reader, context->trie, value->node),
                        value->bucket),
               value->count, value->value);
    return 0;
}

static inline void read_model(struct store_reader *reader, const struct store_query *query, struct model *model)
{
    struct fault fault = {0};
    struct read_context context = {.reader = reader, .model = model};
    if (store_reader__trie(reader, &fault, &context.trie) ||
        store_reader__values(reader, query, &fault, read_row, &context))
        fail_msg("%s", fault.text);
}

#endif
