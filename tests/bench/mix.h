// The load that the benches of the store share: 200 processes that run 40 programs, one in a hundred replaced each
// interval. Stacks are walks through a call graph in which each function has one likely callee and four unlikely ones,
// mean depth 20; the leaf is one of 40 addresses of its function, as samples at instruction level are.
#ifndef HEARTH_TESTS_BENCH_MIX_H
#define HEARTH_TESTS_BENCH_MIX_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/fault.h"
#include "store/base/hash.h"
#include "store/writer/writer.h"

#define PROCESSES 200
#define PROGRAMS  40
#define FUNCTIONS 300 // of a program
#define DEPTH_MAX 127
#define SECOND_NS 1000000000ull

static uint64_t random_state = 42;

static inline uint64_t any(uint64_t below)
{
    random_state += 0x9e3779b97f4a7c15u;
    return hash__mix(random_state) % below;
}

// Mostly 0; else one of four others, the later the less.
static inline unsigned any_branch(void)
{
    return any(400) ? 0 : 1 + (unsigned)__builtin_ctzll(any(8) | 8);
}

// Likely to be small: about as 1/n.
static inline uint64_t any_skewed(uint64_t below)
{
    return (uint64_t)exp(log((double)below) * (double)any(1 << 20) / (1 << 20)) - 1;
}

struct process {
    uint32_t program, pid, thread;
    uint64_t start_ns;
};

struct mix {
    struct store_writer *writer;
    uint32_t event;
    struct process processes[PROCESSES];
    uint64_t frames;
};

static inline void check(int err, const struct fault *fault)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", fault->text[0] ? fault->text : strerror(-err));
    exit(1);
}

static inline void begin_process(struct mix *mix, size_t slot, uint64_t now_ns)
{
    static uint32_t pid = 1000;
    mix->processes[slot] = (struct process){.program = (uint32_t)(slot % PROGRAMS), .pid = pid, .start_ns = now_ns};
    pid++;
}

static inline void intern_process(struct mix *mix, struct process *process)
{
    char comm[16], exe[64], cgroup[64];
    uint32_t id;
    snprintf(comm, sizeof(comm), "program%u", process->program);
    snprintf(exe, sizeof(exe), "/usr/lib/programs/program%u", process->program);
    snprintf(cgroup, sizeof(cgroup), "/system.slice/program%u.service", process->program);
    struct store_process description = {
        .pid = process->pid, .start_ns = process->start_ns, .comm = comm, .exe = exe, .cgroup = cgroup};
    check(store_writer__process(mix->writer, &description, &id), &(struct fault){0});
    check(store_writer__thread(mix->writer, id, 0, comm, &process->thread), &(struct fault){0});
}

static inline uint32_t intern_frame(struct mix *mix, uint32_t program, uint32_t function, uint32_t site)
{
    char path[64], name[64];
    uint8_t build_id[20] = {(uint8_t)program, 1};
    uint32_t binary, frame;
    bool is_new;
    snprintf(path, sizeof(path), "/usr/lib/programs/program%u", program);
    struct store_binary description = {.path = path, .build_id = build_id, .build_id_bytes = 20};
    check(store_writer__binary(mix->writer, &description, &binary), &(struct fault){0});
    check(store_writer__frame(mix->writer, binary, function * 512ull + site * 4, &frame, &is_new), &(struct fault){0});
    if (is_new) {
        snprintf(name, sizeof(name), "module%u::Class%u::method_%u(int)", program, function % 97, function);
        struct store_line line = {.function = name, .file = function % 2 ? "/build/src/module.cc" : "", .line = site};
        check(store_writer__name(mix->writer, frame, &line, 1), &(struct fault){0});
    }
    mix->frames++;
    return frame;
}

static inline uint32_t any_stack(struct mix *mix, uint32_t program)
{
    uint32_t frames[DEPTH_MAX], depth = 0, node, function = 0;
    do {
        unsigned branch = any_branch();
        frames[depth++] = intern_frame(mix, program, function, branch);
        function = (uint32_t)(hash__pair((uint64_t)program << 32 | function, branch) % FUNCTIONS);
    } while (depth < DEPTH_MAX - 1 && any(20) != 0);
    frames[depth++] = intern_frame(mix, program, function, 5 + (uint32_t)any_skewed(40));
    check(store_writer__stack(mix->writer, frames, depth, &node), &(struct fault){0});
    return node;
}

static inline int compare_values(const void *a, const void *b)
{
    const struct store_value *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

// As the kernel side hands them over: one row for what is equal.
static inline size_t add_up(struct store_value *values, size_t count)
{
    size_t kept = 0;
    qsort(values, count, sizeof(*values), compare_values);
    for (size_t i = 1; i < count; i++) {
        if (compare_values(&values[kept], &values[i]) == 0) {
            values[kept].count++;
            values[kept].value += values[i].value;
        } else {
            values[++kept] = values[i];
        }
    }
    return kept + 1;
}

#endif
