// A small store in which every value is known: two intervals of ten seconds from 2026-11-21 12:00:00 UTC; two programs
// of two users, one of them with two threads; inlined functions, the kernel, JIT code, marks, code without names; an
// event with buckets and stacks, and one with buckets alone; losses.
#ifndef HEARTH_TESTS_UNIT_REPORT_SAMPLE_STORE_H
#define HEARTH_TESTS_UNIT_REPORT_SAMPLE_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/base/bucket.h"
#include "store/writer/writer.h"

#define SAMPLE_START_NS (1795262400ull * 1000000000u)
#define SAMPLE_STEP_NS  10000000000ull

struct sample_frames {
    uint32_t start, main, loop, serve, parse, sum, malloc, unnamed, jit, jit_unnamed, entry, fault, truncated, no_rows;
};

static inline uint32_t sample__frame(struct store_writer *writer, enum store_binary_kind kind, const char *path,
                                     const uint8_t *build_id, uint64_t offset, const struct store_line *chain,
                                     size_t length)
{
    uint32_t binary, frame;
    struct store_binary row = {.kind = kind, .path = path, .build_id = build_id, .build_id_bytes = build_id ? 20 : 0};
    assert_int_equal(store_writer__binary(writer, &row, &binary), 0);
    assert_int_equal(store_writer__frame(writer, binary, offset, &frame, NULL), 0);
    if (kind != STORE_BINARY_MARK)
        assert_int_equal(store_writer__name(writer, frame, chain, length), 0);
    return frame;
}

#define CHAIN(...)                                                                                                     \
    (const struct store_line[]){__VA_ARGS__},                                                                          \
        sizeof((const struct store_line[]){__VA_ARGS__}) / sizeof(struct store_line)

static inline struct sample_frames sample__frames(struct store_writer *writer)
{
    static const uint8_t id_a[20] = {0xaa, 0xbb, 1}, id_c[20] = {0xcc, 2};
    const char *program = "/usr/bin/server", *libc = "/usr/lib/libc.so.6";
    return (struct sample_frames){
        .start = sample__frame(writer, STORE_BINARY_ELF, program, id_a, 0x1000, CHAIN({"_start", "", 0})),
        .main = sample__frame(writer, STORE_BINARY_ELF, program, id_a, 0x1100, CHAIN({"main", "/src/main.c", 40})),
        .loop = sample__frame(writer, STORE_BINARY_ELF, program, id_a, 0x1180, CHAIN({"main", "/src/main.c", 52})),
        .serve = sample__frame(writer, STORE_BINARY_ELF, program, id_a, 0x1200, CHAIN({"serve", "/src/serve.c", 7})),
        .parse = sample__frame(
            writer, STORE_BINARY_ELF, program, id_a, 0x1300,
            CHAIN({"is_digit", "/src/text.h", 3}, {"parse_number", "/src/parse.c", 20}, {"parse", "/src/parse.c", 99})),
        .sum = sample__frame(writer, STORE_BINARY_ELF, program, id_a, 0x1400,
                             CHAIN({"std::map<int, char>::operator[](int const&)", "/usr/include/map", 500})),
        .malloc = sample__frame(writer, STORE_BINARY_ELF, libc, id_c, 0x80000, CHAIN({"malloc", "", 0})),
        .unnamed = sample__frame(writer, STORE_BINARY_ELF, "/opt/lib stripped.so", NULL, 0x1234, NULL, 0),
        .jit = sample__frame(writer, STORE_BINARY_JIT, "[jit] 20", NULL, 0x7f0000001000, CHAIN({"compute", "", 0})),
        .jit_unnamed = sample__frame(writer, STORE_BINARY_JIT, "[jit] 20", NULL, 0x7f0000002000, NULL, 0),
        .entry =
            sample__frame(writer, STORE_BINARY_KERNEL, "[kernel]", NULL, 0x100, CHAIN({"asm_exc_page_fault", "", 0})),
        .fault = sample__frame(writer, STORE_BINARY_KERNEL, "[kernel]", NULL, 0x200,
                               CHAIN({"clear_page", "", 0}, {"handle_mm_fault", "mm/memory.c", 6000})),
        .truncated = sample__frame(writer, STORE_BINARY_MARK, "[truncated]", NULL, 0, NULL, 0),
        .no_rows = sample__frame(writer, STORE_BINARY_MARK, "[unwind: no rows]", NULL, 0, NULL, 0),
    };
}

static inline uint32_t sample__stack(struct store_writer *writer, const uint32_t *frames, size_t count)
{
    uint32_t node;
    assert_int_equal(store_writer__stack(writer, frames, count, &node), 0);
    return node;
}
#define STACK(writer, ...)                                                                                             \
    sample__stack(writer, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static inline uint32_t sample__thread(struct store_writer *writer, uint32_t pid, uint32_t tid, const char *comm,
                                      uint32_t uid, const char *cgroup)
{
    uint32_t process, thread;
    struct store_process row = {.pid = pid,
                                .start_ns = SAMPLE_START_NS - 1,
                                .parent_pid = 1,
                                .uid = uid,
                                .comm = comm,
                                .exe = pid == 10 ? "/usr/bin/server" : "/usr/bin/node",
                                .cgroup = cgroup,
                                .container = ""};
    assert_int_equal(store_writer__process(writer, &row, &process), 0);
    assert_int_equal(store_writer__thread(writer, process, tid, comm, &thread), 0);
    return thread;
}

static inline void sample__append(struct store_writer *writer, unsigned number, const struct store_loss *losses,
                                  size_t loss_count, const struct store_value *values, size_t value_count,
                                  const struct store_histogram *histograms, size_t histogram_count)
{
    struct store_interval interval = {.start_ns = SAMPLE_START_NS + number * SAMPLE_STEP_NS,
                                      .end_ns = SAMPLE_START_NS + (number + 1) * SAMPLE_STEP_NS,
                                      .losses = losses,
                                      .loss_count = loss_count,
                                      .own_cpu_ns = 1000000,
                                      .own_bpf_ns = 2000000,
                                      .own_rss_bytes = 1 << 20};
    struct fault fault = {0};
    if (store_writer__append(writer, &interval, values, value_count, histograms, histogram_count, &fault))
        fail_msg("%s", fault.text);
}

static inline void sample__make(const char *path)
{
    static const struct store_meta meta = {.host = "box",
                                           .kernel = "6.18.0",
                                           .arch = "x86_64",
                                           .version = HEARTH_VERSION,
                                           .command = "hearth record -a -F 99",
                                           .cpu_count = 2};
    struct fault fault = {0};
    struct store_writer *writer = NULL;
    if (store_writer__create(path, &meta, &fault, &writer))
        fail_msg("%s", fault.text);
    uint32_t cpu, calls, blocks;
    store_writer__event(
        writer,
        &(struct store_event){.name = "cpu", .unit = "samples", .detail = "cpu-clock at 99 Hz", .period = 10101010},
        &cpu);
    store_writer__event(
        writer,
        &(struct store_event){.name = "uprobe:./server:serve", .unit = "ns", .detail = "", .is_histogram = true},
        &calls);
    store_writer__event(
        writer, &(struct store_event){.name = "blkio", .unit = "ns", .detail = "", .is_histogram = true}, &blocks);
    struct sample_frames f = sample__frames(writer);
    uint32_t a = sample__thread(writer, 10, 10, "server", 0, "/system.slice/server.service");
    uint32_t b = sample__thread(writer, 10, 11, "worker", 0, "/system.slice/server.service");
    uint32_t c = sample__thread(writer, 20, 20, "node", 1000, "/user.slice");
    uint32_t s_serve = STACK(writer, f.start, f.main, f.serve), s_parse = STACK(writer, f.start, f.loop, f.parse);
    uint32_t s_fault = STACK(writer, f.start, f.main, f.serve, f.malloc, f.entry, f.fault);
    uint32_t s_deep = STACK(writer, f.truncated, f.serve, f.serve, f.serve, f.sum);
    uint32_t s_jit = STACK(writer, f.no_rows, f.jit, f.jit_unnamed), s_blind = STACK(writer, f.start, f.unnamed);
    static const struct store_loss one[] = {{"stack-cut", 5}}, two[] = {{"stack-cut", 1}, {"counts-full", 2}};
    uint64_t counts[BUCKET_COUNT] = {0};
    counts[bucket__of(150000)] = 3;
    counts[bucket__of(5000000)] = 1;
    struct store_histogram sda = {blocks, "sda", 5450000, 149000, 5000000, 1, counts, BUCKET_COUNT};
    uint16_t fast = (uint16_t)(bucket__of(1000000) + 1), slow = (uint16_t)(bucket__of(16000000) + 1);
    const struct store_value first[] = {
        {cpu, a, s_serve, 0, 10, 10},
        {cpu, a, s_parse, 0, 7, 7},
        {cpu, b, s_deep, 0, 5, 5},
        {cpu, c, s_jit, 0, 4, 4},
        {calls, a, s_serve, fast, 400, 400000000},
        {calls, b, s_fault, slow, 100, 1600000000},
    };
    sample__append(writer, 0, one, 1, first, sizeof(first) / sizeof(first[0]), &sda, 1);
    const struct store_value second[] = {
        {cpu, a, s_serve, 0, 20, 20},
        {cpu, b, s_fault, 0, 3, 3},
        {cpu, c, s_blind, 0, 2, 2},
        {cpu, c, 0, 0, 1, 1},
    };
    sample__append(writer, 1, two, 2, second, sizeof(second) / sizeof(second[0]), NULL, 0);
    if (store_writer__close(writer, &fault))
        fail_msg("%s", fault.text);
}

#endif
