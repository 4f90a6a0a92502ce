// A random load for a writer, and the model of what it wrote: processes that come and go, recursive stacks, names that
// come late, three kinds of events.
#ifndef HEARTH_TESTS_UNIT_STORE_LOAD_H
#define HEARTH_TESTS_UNIT_STORE_LOAD_H

#include "store/base/bucket.h"
#include "tests/unit/store/fixture.h"

#define LOAD_BINARIES  9
#define LOAD_FUNCTIONS 300
#define LOAD_DEPTH     40

static const struct store_event load_events[] = {
    {.name = "cpu", .unit = "ns", .detail = "cpu-clock at 99 Hz", .period = 10101010},
    {.name = "page-faults", .unit = "count"},
    {.name = "uprobe:libc:read", .unit = "ns", .is_histogram = true},
};

struct load_stack {
    uint32_t functions[LOAD_DEPTH]; // root first
    size_t depth;
};

static inline struct load_stack any_stack(void)
{
    struct load_stack stack = {.depth = any(LOAD_DEPTH)};
    for (size_t i = 0; i < stack.depth; i++)
        stack.functions[i] = (uint32_t)any(i < 4 ? 3 : LOAD_FUNCTIONS); // trunks are shared
    return stack;
}

static inline void describe(uint32_t function, char path[32], uint64_t *offset, char name[32])
{
    snprintf(path, 32, "/bin/b%u", function % LOAD_BINARIES);
    *offset = 0x1000 + function * 0x40ull + (function % 7 == 0 ? 1ull << 40 : 0);
    snprintf(name, function % 11 ? 32 : 1, "function_%u", function); // some have none
}

static inline uint32_t intern_stack(struct store_writer *writer, const struct load_stack *stack)
{
    uint32_t frames[LOAD_DEPTH], node;
    for (size_t i = 0; i < stack->depth; i++) {
        char path[32], name[32];
        uint64_t offset;
        uint8_t build_id[20] = {1, (uint8_t)(stack->functions[i] % LOAD_BINARIES)};
        uint32_t binary;
        bool is_new;
        describe(stack->functions[i], path, &offset, name);
        struct store_binary description = {.path = path};
        if (stack->functions[i] % LOAD_BINARIES > 2) { // others have none
            description.build_id = build_id;
            description.build_id_bytes = 20;
        }
        must(store_writer__binary(writer, &description, &binary));
        must(store_writer__frame(writer, binary, offset, &frames[i], &is_new));
        if (is_new && *name) {
            struct store_line chain[] = {{.function = "inlined", .file = "a.h", .line = 7},
                                         {.function = name, .file = "a.c", .line = stack->functions[i]}};
            bool has_inline = stack->functions[i] % 2;
            must(store_writer__name(writer, frames[i], chain + !has_inline, has_inline ? 2 : 1));
        }
    }
    must(store_writer__stack(writer, frames, stack->depth, &node));
    return node;
}

static inline uint64_t hash_stack(const struct load_stack *stack)
{
    uint64_t hash = 0;
    for (size_t i = stack->depth; i-- > 0;) {
        char path[32], name[32];
        uint64_t offset;
        describe(stack->functions[i], path, &offset, name);
        hash = hash__pair(hash, hash_frame(path, offset, name));
    }
    return hash;
}

struct load_thread {
    uint32_t pid, tid;
    char comm[16];
};

static inline struct load_thread any_thread(void)
{
    struct load_thread thread = {.pid = 100 + (uint32_t)any(20), .tid = (uint32_t)any(3)};
    snprintf(thread.comm, sizeof(thread.comm), "comm%u", thread.pid % 5);
    return thread;
}

static inline uint32_t intern_thread(struct store_writer *writer, const struct load_thread *thread)
{
    uint32_t process, id;
    char cgroup[32];
    snprintf(cgroup, sizeof(cgroup), "/slice%u/unit%u", thread->pid % 2, thread->pid % 3);
    struct store_process description = {.pid = thread->pid,
                                        .start_ns = START_NS - thread->pid,
                                        .uid = thread->pid % 4,
                                        .comm = thread->comm,
                                        .exe = "/bin/b0",
                                        .cgroup = cgroup};
    must(store_writer__process(writer, &description, &process));
    must(store_writer__thread(writer, process, thread->tid, thread->comm, &id));
    return id;
}

// Which of the load a query asks for; NULL: all.
typedef bool load_filter(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns);

// Without a writer, only the model is made.
static inline int append_load(struct store_writer *writer, uint64_t start_ns, size_t rows, load_filter *filter,
                              struct model *model, struct fault *fault)
{
    struct store_value *values = calloc(rows + 1, sizeof(*values));
    assert_non_null(values);
    for (size_t i = 0; i < rows; i++) {
        struct load_stack stack = any_stack();
        struct load_thread thread = any_thread();
        uint32_t event = 1 + (uint32_t)any(3), id;
        const struct store_event *description = &load_events[event - 1];
        struct store_value *value = &values[i];
        *value = (struct store_value){.count = 1 + any(5)};
        if (writer) {
            must(store_writer__event(writer, description, &id));
            value->event = id;
            value->thread = intern_thread(writer, &thread);
            value->node = intern_stack(writer, &stack);
        }
        value->bucket = description->is_histogram ? (uint16_t)(1 + any(BUCKETS_TOTAL)) : 0;
        value->value = description->period ? value->count * description->period : any(UINT64_MAX);
        if (model && (!filter || filter(event, &thread, value->bucket, start_ns)))
            model__add(model,
                       hash_row(start_ns, description->name, thread.pid, thread.tid, thread.comm, hash_stack(&stack),
                                value->bucket),
                       value->count, value->value);
    }
    struct store_loss losses[] = {{.name = "stack-cut", .count = 1 + any(9)}};
    struct store_interval interval = {.start_ns = start_ns,
                                      .end_ns = start_ns + 10 * SECOND_NS,
                                      .losses = losses,
                                      .loss_count = any(2),
                                      .own_cpu_ns = 5000000,
                                      .own_written_bytes = 1000 + start_ns % 1000,
                                      .own_rss_bytes = 30 << 20};
    int err = writer ? store_writer__append(writer, &interval, values, rows, NULL, 0, fault) : 0;
    free(values);
    return err;
}

// Events in the order of load_events, so that their ids are known.
static inline void declare_events(struct store_writer *writer)
{
    for (uint32_t i = 0, id; i < 3; i++) {
        must(store_writer__event(writer, &load_events[i], &id));
        assert_int_equal(id, i + 1);
    }
}

#endif
