// The cost of a store: bytes and CPU time of a load like a real machine's, printed; nothing is judged.
//
//   store_bench [INTERVALS [FILE]]       360 intervals of 10 s (an hour) into a scratch file
//
// The load: 16 CPUs at 49 Hz, 40 % busy: 3,136 samples an interval of mix.h.
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "store/base/cleanup.h"
#include "store/reader/reader.h"
#include "store/reader/reader_questions.h"
#include "store/writer/writer.h"
#include "tests/bench/mix.h"

#define SAMPLES 3136

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct bench {
    struct mix mix;
    struct store_value values[SAMPLES];
    double *append_ms;
    double intern_ms;
    uint64_t samples, rows;
};

static void append_interval(struct bench *bench, size_t number)
{
    uint64_t start_ns = 1700000000 * SECOND_NS + number * 10 * SECOND_NS;
    for (size_t i = 0; i < PROCESSES / 100; i++)
        begin_process(&bench->mix, any(PROCESSES), start_ns);
    double before = cpu_ms();
    for (size_t i = 0; i < SAMPLES; i++) {
        struct process *process = &bench->mix.processes[any_skewed(PROCESSES)];
        intern_process(&bench->mix, process);
        bench->values[i] = (struct store_value){.event = bench->mix.event,
                                                .thread = process->thread,
                                                .count = 1,
                                                .value = 20408163,
                                                .node = any_stack(&bench->mix, process->program)};
    }
    size_t rows = add_up(bench->values, SAMPLES);
    double between = cpu_ms();
    struct store_interval interval = {
        .start_ns = start_ns, .end_ns = start_ns + 10 * SECOND_NS, .own_cpu_ns = 50000000, .own_rss_bytes = 30 << 20};
    struct fault fault = {0};
    check(store_writer__append(bench->mix.writer, &interval, bench->values, rows, NULL, 0, &fault), &fault);
    bench->append_ms[number] = cpu_ms() - between;
    bench->intern_ms += between - before;
    bench->rows += rows;
    bench->samples += SAMPLES;
}

static int compare_ms(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_writing(struct bench *bench, size_t intervals, uint64_t bytes, uint64_t half_bytes)
{
    double sum = 0;
    for (size_t i = 0; i < intervals; i++)
        sum += bench->append_ms[i];
    qsort(bench->append_ms, intervals, sizeof(*bench->append_ms), compare_ms);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double rows = (double)bench->rows, samples = (double)bench->samples, n = (double)intervals;
    printf("intervals          %zu, %.0f rows and %.0f samples each\n", intervals, rows / n, samples / n);
    printf("append, CPU ms     %.2f mean, %.2f median, %.2f p99, %.2f max\n", sum / n, bench->append_ms[intervals / 2],
           bench->append_ms[intervals * 99 / 100], bench->append_ms[intervals - 1]);
    printf("intern, CPU ns     %.0f a sample, %.0f a frame (the generator's own part included)\n",
           bench->intern_ms * 1e6 / samples, bench->intern_ms * 1e6 / (double)bench->mix.frames);
    printf("bytes              %.1f MB: %.2f a row, %.2f a sample\n", (double)bytes / 1e6, (double)bytes / rows,
           (double)bytes / samples);
    printf("in the second half %.2f a row, %.2f a sample\n", (double)(bytes - half_bytes) / (rows / 2),
           (double)(bytes - half_bytes) / (samples / 2));
    printf("peak RSS           %.1f MB\n", (double)usage.ru_maxrss / 1024);
}

static int print_table(void *context, int columns, char **texts, char **names)
{
    double rows = *(double *)context;
    (void)columns, (void)names;
    printf("  %-16s %8.1f kB  %6.3f a row\n", texts[0], atof(texts[1]) / 1e3, atof(texts[1]) / rows);
    return 0;
}

static void print_tables(const char *path, double rows)
{
    sqlite3 *database;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        sqlite3_exec(database,
                     "SELECT name, sum(pgsize) FROM dbstat GROUP BY name HAVING sum(pgsize) > 8192 ORDER BY 2 DESC",
                     print_table, &rows, NULL);
    sqlite3_close(database);
}

static int count_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    (void)row;
    *(uint64_t *)context += value->count;
    return 0;
}

static void print_reading(const char *path)
{
    struct store_reader *reader;
    const struct store_trie *trie;
    struct fault fault = {0};
    uint64_t samples = 0;
    double t0 = cpu_ms();
    check(store_reader__open(path, &fault, &reader), &fault);
    double t1 = cpu_ms();
    check(store_reader__trie(reader, &fault, &trie), &fault);
    double t2 = cpu_ms();
    check(store_reader__values(reader, &(struct store_query){0}, &fault, count_value, &samples), &fault);
    double t3 = cpu_ms();
    printf("read, CPU ms       open %.1f, names and stacks %.1f (%u nodes), all %" PRIu64 " samples %.1f\n", t1 - t0,
           t2 - t1, trie->count - 1, samples, t3 - t2);
    store_reader__free(reader);
}

int main(int argc, char **argv)
{
    size_t intervals = argc > 1 ? strtoul(argv[1], NULL, 10) : 360;
    char scratch[] = "/tmp/hearth-store-bench-XXXXXX";
    if (argc < 3)
        close(mkstemp(scratch));
    const char *path = argc > 2 ? argv[2] : scratch;
    static struct bench bench;
    struct fault fault = {0};
    struct store_meta meta = {.host = "bench", .kernel = "", .arch = "", .version = HEARTH_VERSION, .command = ""};
    bench.append_ms = calloc(intervals + 1, sizeof(*bench.append_ms));
    check(bench.append_ms && intervals ? 0 : -22, &fault);
    check(store_writer__create(path, &meta, &fault, &bench.mix.writer), &fault);
    struct store_event event = {.name = "cpu", .unit = "ns", .detail = "", .period = 20408163};
    check(store_writer__event(bench.mix.writer, &event, &bench.mix.event), &fault);
    for (size_t i = 0; i < PROCESSES; i++)
        begin_process(&bench.mix, i, i + 1);
    uint64_t half_bytes = 0;
    for (size_t i = 0; i < intervals; i++) {
        if (i == intervals / 2)
            half_bytes = store_writer__bytes(bench.mix.writer);
        append_interval(&bench, i);
    }
    uint64_t bytes = store_writer__bytes(bench.mix.writer);
    check(store_writer__close(bench.mix.writer, &fault), &fault);
    print_writing(&bench, intervals, bytes, half_bytes);
    print_tables(path, (double)bench.rows);
    print_reading(path);
    free(bench.append_ms);
    if (argc < 3)
        unlink(scratch);
    return 0;
}
