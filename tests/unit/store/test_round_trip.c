// A reader gives what was appended: random loads against a plain model, with every filter.
#include "tests/unit/store/load.h"

static char folder[PATH_MAX], path[PATH_MAX];

static int make_folder(void **state)
{
    (void)state;
    scratch__make(folder);
    snprintf(path, sizeof(path), "%.4000s/x.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch__remove(folder);
    return 0;
}

static void compare(const struct store_query *query, load_filter *filter, size_t intervals)
{
    _cleanup_(model__release) struct model written = {0}, read = {0};
    struct fault fault = {0};
    struct store_writer *writer = create(path);
    declare_events(writer);
    for (size_t i = 0; i < intervals; i++)
        must(append_load(writer, START_NS + i * 10 * SECOND_NS, any(400), filter, &written, &fault));
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    read_model(reader, query, &read);
    model__assert_equal(&written, &read);
    assert_int_equal(store_reader__damage(reader)->places, 0);
    assert_true(written.count > 0);
}

static void everything_comes_back(void **state)
{
    (void)state;
    for (random_state = 1; random_state < 6; random_state++)
        compare(&(struct store_query){0}, NULL, 12);
}

static bool of_event(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)thread, (void)bucket, (void)start_ns;
    return event == 2;
}

static bool of_pids(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)bucket, (void)start_ns;
    return thread->pid == 101 || thread->pid == 117;
}

static bool of_tid(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)bucket, (void)start_ns;
    return thread->tid == 2;
}

static bool of_comm(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)bucket, (void)start_ns;
    return thread->pid % 5 == 3 || thread->pid % 5 == 4;
}

static bool of_cgroup(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)bucket, (void)start_ns;
    return thread->pid % 2 == 1;
}

static bool of_uid(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)bucket, (void)start_ns;
    return thread->pid % 4 == 0;
}

static bool of_buckets(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)thread, (void)start_ns;
    return bucket && bucket__least(bucket - 1) >= bucket__least(bucket__of_wide(-100)) &&
           bucket__least(bucket - 1) <= 1 << 20;
}

static bool of_time(uint32_t event, const struct load_thread *thread, uint32_t bucket, uint64_t start_ns)
{
    (void)event, (void)thread, (void)bucket;
    return start_ns >= START_NS + 30 * SECOND_NS && start_ns <= START_NS + 50 * SECOND_NS;
}

static void filters_choose(void **state)
{
    (void)state;
    uint32_t pids[] = {101, 117, 9999}, tid = 2;
    compare(&(struct store_query){.event = 2}, of_event, 6);
    compare(&(struct store_query){.pids = pids, .pid_count = 3}, of_pids, 6);
    compare(&(struct store_query){.tids = &tid, .tid_count = 1}, of_tid, 6);
    compare(&(struct store_query){.comm = "comm[34]"}, of_comm, 6);
    compare(&(struct store_query){.cgroup = "slice1/"}, of_cgroup, 6);
    compare(&(struct store_query){.has_uid = true, .uid = 0}, of_uid, 6);
    compare(&(struct store_query){.has_buckets = true,
                                  .bucket_first = (uint16_t)bucket__of_wide(-100),
                                  .bucket_last = (uint16_t)bucket__of(1 << 20)},
            of_buckets, 6);
    // Half of the interval at 30 s, and the first nanosecond of that at 50 s: both overlap.
    compare(&(struct store_query){.since_ns = START_NS + 35 * SECOND_NS, .until_ns = START_NS + 50 * SECOND_NS + 1},
            of_time, 9);
}

static void cgroups_are_cut_at_their_names_end(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model read = {0};
    struct fault fault = {0};
    struct store_writer *writer = create(path);
    declare_events(writer);
    must(append_load(writer, START_NS, 50, NULL, NULL, &fault));
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    read_model(reader, &(struct store_query){.cgroup = "/slic"}, &read);
    assert_int_equal(read.count, 0);
}

static int keep_interval(const struct store_interval_row *row, void *context)
{
    struct store_interval_row *kept = context;
    *kept = *row;
    return row->interval.loss_count
               ? strcmp(row->interval.losses[0].name, "counts-full") == 0 && row->interval.losses[0].count == 7 ? 77
                                                                                                                : -1
               : -2;
}

static int keep_histogram(const struct store_interval_row *row, const struct store_histogram *histogram, void *context)
{
    (void)row;
    const uint64_t *counts = context;
    assert_int_equal(histogram->event, 3);
    assert_string_equal(histogram->key, "bash");
    assert_int_equal(histogram->sum, UINT64_MAX);
    assert_int_equal(histogram->min, 3);
    assert_int_equal(histogram->max, UINT64_MAX - 1);
    assert_int_equal(histogram->unmatched, 5);
    assert_int_equal(histogram->count_of_buckets, BUCKETS_TOTAL);
    assert_memory_equal(histogram->counts, counts, BUCKETS_TOTAL * sizeof(*counts));
    return 78;
}

static void intervals_and_histograms_come_back(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct store_writer *writer = create(path);
    declare_events(writer);
    uint64_t counts[BUCKETS_TOTAL] = {[0] = 1, [17] = 12345678901, [495] = 2, [497] = 4, [BUCKETS_TOTAL - 1] = 3};
    struct store_histogram histogram = {.event = 3,
                                        .key = "bash",
                                        .sum = UINT64_MAX,
                                        .min = 3,
                                        .max = UINT64_MAX - 1,
                                        .unmatched = 5,
                                        .counts = counts,
                                        .count_of_buckets = BUCKETS_TOTAL};
    struct store_loss loss = {.name = "counts-full", .count = 7};
    struct store_interval interval = {.start_ns = START_NS,
                                      .end_ns = START_NS + 1,
                                      .losses = &loss,
                                      .loss_count = 1,
                                      .own_cpu_ns = 11,
                                      .own_bpf_ns = 12,
                                      .own_rss_bytes = 13,
                                      .own_map_bytes = 14,
                                      .own_written_bytes = 15};
    must(store_writer__append(writer, &interval, NULL, 0, &histogram, 1, &fault));
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    struct store_interval_row row;
    struct store_query all = {0};
    assert_int_equal(store_reader__intervals(reader, &all, &fault, keep_interval, &row), 77);
    assert_int_equal(row.interval.start_ns, START_NS);
    assert_int_equal(row.interval.end_ns, START_NS + 1);
    assert_int_equal(row.interval.own_cpu_ns, 11);
    assert_int_equal(row.interval.own_bpf_ns, 12);
    assert_int_equal(row.interval.own_rss_bytes, 13);
    assert_int_equal(row.interval.own_map_bytes, 14);
    assert_int_equal(row.interval.own_written_bytes, 15);
    assert_int_equal(row.tier_s, 0);
    assert_int_equal(store_reader__histograms(reader, &all, &fault, keep_histogram, counts), 78);
    all.event = 1;
    assert_int_equal(store_reader__histograms(reader, &all, &fault, keep_histogram, counts), 0);
    assert_string_equal(store_reader__meta(reader)->host, "here");
    assert_int_equal(store_reader__meta(reader)->cpu_count, 2);
}

static void names_come_late_and_are_shared(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct store_writer *writer = create(path);
    uint32_t binary, frames[3], node;
    struct store_binary description = {.path = "/bin/true"};
    must(store_writer__binary(writer, &description, &binary));
    for (uint32_t i = 0; i < 3; i++)
        must(store_writer__frame(writer, binary, i, &frames[i], NULL));
    must(store_writer__stack(writer, frames, 3, &node));
    struct store_interval interval = {.start_ns = START_NS, .end_ns = START_NS + 1};
    must(store_writer__append(writer, &interval, NULL, 0, NULL, 0, &fault));
    struct store_line main_line = {.function = "main", .file = "a.c", .line = 1};
    struct store_line inlined[] = {{.function = "leaf", .file = "b.h", .line = 2},
                                   {.function = "main", .file = "a.c", .line = 3}};
    must(store_writer__name(writer, frames[0], &main_line, 1));
    must(store_writer__name(writer, frames[1], inlined, 2));
    must(store_writer__flush(writer, &fault));
    must(store_writer__name(writer, frames[2], NULL, 0));
    must(store_writer__name(writer, frames[0], inlined, 2)); // too late: it has one
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    const struct store_frame *first = store_reader__frame(reader, frames[0]);
    const struct store_frame *second = store_reader__frame(reader, frames[1]);
    assert_int_equal(first->chain_length, 1);
    assert_int_equal(second->chain_length, 2);
    assert_string_equal(second->chain[0].function, "leaf");
    assert_string_equal(second->chain[0].file, "b.h");
    assert_ptr_equal(first->chain[0].function, second->chain[1].function);
    assert_int_equal(second->chain[1].line, 3);
    assert_int_equal(store_reader__frame(reader, frames[2])->chain_length, 0);
    assert_null(store_reader__frame(reader, 0));
}

static void words_replace_nothing_but_words(void **state)
{
    (void)state;
    struct store_writer *writer = create(path);
    uint32_t first, second, third;
    struct store_process process = {.pid = 7, .start_ns = 5, .comm = "sh", .exe = "/bin/sh", .uid = 1};
    must(store_writer__process(writer, &process, &first));
    must(store_writer__flush(writer, NULL));
    process = (struct store_process){.pid = 7, .start_ns = 5, .comm = "make", .exe = "", .uid = 2};
    must(store_writer__process(writer, &process, &second));
    process.start_ns = 6; // another process with the same pid
    must(store_writer__process(writer, &process, &third));
    assert_int_equal(first, second);
    assert_int_not_equal(first, third);
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    assert_int_equal(store_reader__process_count(reader), 2);
    assert_string_equal(store_reader__process(reader, first)->comm, "make");
    assert_string_equal(store_reader__process(reader, first)->exe, "/bin/sh");
    assert_int_equal(store_reader__process(reader, first)->uid, 2);
}

static void ids_are_stable(void **state)
{
    (void)state;
    _cleanup_(store_writer__freep) struct store_writer *writer = create(path);
    struct load_stack stack = any_stack();
    struct load_thread thread = any_thread();
    uint32_t node = intern_stack(writer, &stack), id = intern_thread(writer, &thread);
    for (int i = 0; i < 50; i++) {
        struct load_stack other = any_stack();
        intern_stack(writer, &other);
        if (i % 10 == 0)
            must(store_writer__flush(writer, NULL));
        assert_int_equal(intern_stack(writer, &stack), node);
        assert_int_equal(intern_thread(writer, &thread), id);
    }
}

static void foreign_ids_are_refused(void **state)
{
    (void)state;
    struct fault fault = {0};
    _cleanup_(store_writer__freep) struct store_writer *writer = create(path);
    declare_events(writer);
    must(append_load(writer, START_NS, 5, NULL, NULL, &fault));
    uint32_t id;
    assert_int_equal(store_writer__frame(writer, 100, 0, &id, NULL), -EINVAL);
    assert_int_equal(store_writer__thread(writer, 100, 1, "x", &id), -EINVAL);
    assert_int_equal(store_writer__stack(writer, (uint32_t[]){1 << 20}, 1, &id), -EINVAL);
    struct store_value values[] = {{.event = 9, .thread = 1, .count = 1},
                                   {.event = 1, .thread = 900, .count = 1},
                                   {.event = 1, .thread = 1, .node = 9999, .count = 1},
                                   {.event = 1, .thread = 1, .bucket = BUCKETS_TOTAL + 1, .count = 1}};
    struct store_interval interval = {.start_ns = START_NS + 1, .end_ns = START_NS + 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(store_writer__append(writer, &interval, &values[i], 1, NULL, 0, &fault), -EINVAL);
    must(append_load(writer, START_NS, 5, NULL, NULL, &fault)); // and the writer goes on
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(filters_choose),
        cmocka_unit_test(cgroups_are_cut_at_their_names_end),
        cmocka_unit_test(intervals_and_histograms_come_back),
        cmocka_unit_test(names_come_late_and_are_shared),
        cmocka_unit_test(words_replace_nothing_but_words),
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(foreign_ids_are_refused),
    };
    return cmocka_run_group_tests_name("store: round trip", tests, make_folder, remove_folder);
}
