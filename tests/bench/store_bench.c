// What a store costs: bytes and CPU time of a load like a real machine's, printed; nothing is judged.
//
//   store_bench [INTERVALS [FILE]]       360 intervals of 10 s (an hour) into a scratch file
//
// The load: 16 CPUs at 49 Hz, 40 % busy: 3,136 samples an interval, of 200 processes that run 40 programs, one in a
// hundred replaced each interval. Stacks are walks through a call graph in which each function has one likely callee
// and four unlikely ones, mean depth 20; the leaf is one of 40 addresses of its function, as samples at instruction
// level are.
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "store/reader/reader.h"
#include "store/reader/reader_questions.h"
#include "store/writer/writer.h"

#define SAMPLES   3136
#define PROCESSES 200
#define PROGRAMS  40
#define FUNCTIONS 300 // of a program
#define DEPTH_MAX 127
#define SECOND_NS 1000000000ull

static uint64_t random_state = 42;

static uint64_t any(uint64_t below)
{
    random_state += 0x9e3779b97f4a7c15u;
    return hash__mix(random_state) % below;
}

// Mostly 0; else one of four others, the later the less.
static unsigned any_branch(void)
{
    return any(400) ? 0 : 1 + (unsigned)__builtin_ctzll(any(8) | 8);
}

// Likely to be small: about as 1/n.
static uint64_t any_skewed(uint64_t below)
{
    return (uint64_t)exp(log((double)below) * (double)any(1 << 20) / (1 << 20)) - 1;
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct process {
    uint32_t program, pid, thread;
    uint64_t start_ns;
};

struct bench {
    struct store_writer *writer;
    uint32_t event;
    struct process processes[PROCESSES];
    struct store_value values[SAMPLES];
    double *append_ms;
    double intern_ms;
    uint64_t samples, rows, frames;
};

static void check(int err, const struct fault *fault)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", fault->text[0] ? fault->text : strerror(-err));
    exit(1);
}

static void begin_process(struct bench *bench, size_t slot, uint64_t now_ns)
{
    static uint32_t pid = 1000;
    bench->processes[slot] = (struct process){.program = (uint32_t)(slot % PROGRAMS), .pid = pid, .start_ns = now_ns};
    pid++;
}

static void intern_process(struct bench *bench, struct process *process)
{
    char comm[16], exe[64], cgroup[64];
    uint32_t id;
    snprintf(comm, sizeof(comm), "program%u", process->program);
    snprintf(exe, sizeof(exe), "/usr/lib/programs/program%u", process->program);
    snprintf(cgroup, sizeof(cgroup), "/system.slice/program%u.service", process->program);
    struct store_process description = {
        .pid = process->pid, .start_ns = process->start_ns, .comm = comm, .exe = exe, .cgroup = cgroup};
    check(store_writer__process(bench->writer, &description, &id), &(struct fault){0});
    check(store_writer__thread(bench->writer, id, 0, comm, &process->thread), &(struct fault){0});
}

static uint32_t intern_frame(struct bench *bench, uint32_t program, uint32_t function, uint32_t site)
{
    char path[64], name[64];
    uint8_t build_id[20] = {(uint8_t)program, 1};
    uint32_t binary, frame;
    bool is_new;
    snprintf(path, sizeof(path), "/usr/lib/programs/program%u", program);
    struct store_binary description = {.path = path, .build_id = build_id, .build_id_bytes = 20};
    check(store_writer__binary(bench->writer, &description, &binary), &(struct fault){0});
    check(store_writer__frame(bench->writer, binary, function * 512ull + site * 4, &frame, &is_new),
          &(struct fault){0});
    if (is_new) {
        snprintf(name, sizeof(name), "module%u::Class%u::method_%u(int)", program, function % 97, function);
        struct store_line line = {.function = name, .file = function % 2 ? "/build/src/module.cc" : "", .line = site};
        check(store_writer__name(bench->writer, frame, &line, 1), &(struct fault){0});
    }
    bench->frames++;
    return frame;
}

static uint32_t any_stack(struct bench *bench, uint32_t program)
{
    uint32_t frames[DEPTH_MAX], depth = 0, node, function = 0;
    do {
        unsigned branch = any_branch();
        frames[depth++] = intern_frame(bench, program, function, branch);
        function = (uint32_t)(hash__pair((uint64_t)program << 32 | function, branch) % FUNCTIONS);
    } while (depth < DEPTH_MAX - 1 && any(20) != 0);
    frames[depth++] = intern_frame(bench, program, function, 5 + (uint32_t)any_skewed(40));
    check(store_writer__stack(bench->writer, frames, depth, &node), &(struct fault){0});
    return node;
}

static int compare_values(const void *a, const void *b)
{
    const struct store_value *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

// As the kernel side hands them over: one row for what is equal.
static size_t add_up(struct store_value *values, size_t count)
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

static void append_interval(struct bench *bench, size_t number)
{
    uint64_t start_ns = 1700000000 * SECOND_NS + number * 10 * SECOND_NS;
    for (size_t i = 0; i < PROCESSES / 100; i++)
        begin_process(bench, any(PROCESSES), start_ns);
    double before = cpu_ms();
    for (size_t i = 0; i < SAMPLES; i++) {
        struct process *process = &bench->processes[any_skewed(PROCESSES)];
        intern_process(bench, process);
        bench->values[i] = (struct store_value){.event = bench->event,
                                                .thread = process->thread,
                                                .count = 1,
                                                .value = 20408163,
                                                .node = any_stack(bench, process->program)};
    }
    size_t rows = add_up(bench->values, SAMPLES);
    double between = cpu_ms();
    struct store_interval interval = {
        .start_ns = start_ns, .end_ns = start_ns + 10 * SECOND_NS, .own_cpu_ns = 50000000, .own_rss_bytes = 30 << 20};
    struct fault fault = {0};
    check(store_writer__append(bench->writer, &interval, bench->values, rows, NULL, 0, &fault), &fault);
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
           bench->intern_ms * 1e6 / samples, bench->intern_ms * 1e6 / (double)bench->frames);
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
    check(store_writer__create(path, &meta, &fault, &bench.writer), &fault);
    struct store_event event = {.name = "cpu", .unit = "ns", .detail = "", .period = 20408163};
    check(store_writer__event(bench.writer, &event, &bench.event), &fault);
    for (size_t i = 0; i < PROCESSES; i++)
        begin_process(&bench, i, i + 1);
    uint64_t half_bytes = 0;
    for (size_t i = 0; i < intervals; i++) {
        if (i == intervals / 2)
            half_bytes = store_writer__bytes(bench.writer);
        append_interval(&bench, i);
    }
    uint64_t bytes = store_writer__bytes(bench.writer);
    check(store_writer__close(bench.writer, &fault), &fault);
    print_writing(&bench, intervals, bytes, half_bytes);
    print_tables(path, (double)bench.rows);
    print_reading(path);
    free(bench.append_ms);
    if (argc < 3)
        unlink(scratch);
    return 0;
}
