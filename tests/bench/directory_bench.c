// A directory of day files as a daemon fills it, with the clock running ahead: full intervals of 10 s, maintained at
// the end of each hour. Prints what it took; the directory stays, for reports of it.
//
//   directory_bench DIRECTORY [HOURS [SAMPLES [BEGIN]]]     24 hours, 152 samples an interval (2 CPUs at 19 Hz, 40 %
//                                                           busy), from 2026-11-21 00:00:00 UTC (in seconds since 1970)
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

#include "store/base/clock.h"
#include "store/directory/directory.h"
#include "store/directory/listing.h"
#include "tests/bench/mix.h"

#define PERIOD_NS 10000000000ull
#define HOUR_NS   (3600 * SECOND_NS)
#define CPU_NS    52631578ull // of a sample at 19 Hz

struct bench {
    struct mix mix;
    struct store_directory *directory;
    struct store_value *values;
    size_t samples_each;
    uint64_t begin_ns;
    double append_ms, append_most_ms, roll_ms, roll_most_ms;
    uint64_t samples, rows, intervals, rolls;
};

static double wall_ms(void)
{
    return (double)clock__ns(CLOCK_MONOTONIC) / 1e6;
}

static const struct store_meta meta = {
    .host = "bench", .kernel = "", .arch = "", .version = HEARTH_VERSION, .command = ""};

static void take_writer(struct bench *bench, uint64_t start_ns)
{
    struct store_event event = {.name = "cpu", .unit = "samples", .detail = "cpu-clock at 19 Hz", .period = CPU_NS};
    struct fault fault = {0};
    if (store_directory__is_over(bench->directory, start_ns)) {
        struct store_writer *before = bench->mix.writer;
        check(store_directory__begin(bench->directory, start_ns, &meta, &fault, &bench->mix.writer), &fault);
        check(store_writer__event(bench->mix.writer, &event, &bench->mix.event), &fault);
        store_writer__free(before);
    }
    check(store_directory__make_room(bench->directory, &fault), &fault);
}

static void append_interval(struct bench *bench, uint64_t start_ns)
{
    struct mix *mix = &bench->mix;
    take_writer(bench, start_ns);
    for (size_t i = 0; i < PROCESSES / 100; i++)
        begin_process(mix, any(PROCESSES), start_ns);
    for (size_t i = 0; i < bench->samples_each; i++) {
        struct process *process = &mix->processes[any_skewed(PROCESSES)];
        intern_process(mix, process);
        bench->values[i] = (struct store_value){.event = mix->event,
                                                .thread = process->thread,
                                                .count = 1,
                                                .value = 1,
                                                .node = any_stack(mix, process->program)};
    }
    size_t rows = add_up(bench->values, bench->samples_each);
    struct store_interval interval = {
        .start_ns = start_ns, .end_ns = start_ns + PERIOD_NS, .own_cpu_ns = 5000000, .own_rss_bytes = 30 << 20};
    struct fault fault = {0};
    double before = wall_ms();
    check(store_writer__append(mix->writer, &interval, bench->values, rows, NULL, 0, &fault), &fault);
    double took = wall_ms() - before;
    bench->append_ms += took;
    bench->append_most_ms = took > bench->append_most_ms ? took : bench->append_most_ms;
    bench->rows += rows;
    bench->samples += bench->samples_each;
    bench->intervals++;
}

static void maintain(struct bench *bench, uint64_t now_ns)
{
    struct maintenance plan;
    struct maintained done;
    struct fault fault = {0};
    store_directory__maintenance(bench->directory, now_ns, now_ns - bench->begin_ns, 0, &plan);
    plan.deadline_ns = 0;
    double before = wall_ms();
    check(maintenance__run(&plan, &fault, &done), &fault);
    double took = wall_ms() - before;
    bench->roll_ms += took;
    bench->roll_most_ms = took > bench->roll_most_ms ? took : bench->roll_most_ms;
    bench->rolls++;
}

static void print(const struct bench *bench, const char *path)
{
    struct listing listing = {0};
    struct rusage usage;
    double tiers[STORE_TIER_COUNT] = {0};
    check(listing__read(path, NULL, &listing), &(struct fault){0});
    for (size_t i = 0; i < listing.count; i++)
        tiers[listing.items[i].file.tier] += (double)listing.items[i].bytes;
    listing__release(&listing);
    getrusage(RUSAGE_SELF, &usage);
    double rows = (double)bench->rows, intervals = (double)bench->intervals;
    printf("samples            %" PRIu64 "\n", bench->samples);
    printf("intervals          %" PRIu64 ", %.0f rows each\n", bench->intervals, rows / intervals);
    printf("full, 1min, 1h     %.2f MB, %.2f MB, %.2f MB\n", tiers[0] / 1e6, tiers[1] / 1e6, tiers[2] / 1e6);
    printf("bytes a value row  %.2f\n", tiers[0] / rows);
    printf("append, ms         %.2f mean, %.1f most\n", bench->append_ms / intervals, bench->append_most_ms);
    printf("an hour's roll, ms %.0f mean, %.0f most\n", bench->rolls ? bench->roll_ms / (double)bench->rolls : 0,
           bench->roll_most_ms);
    printf("peak RSS           %.1f MB, the generator's included\n", (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct fault fault = {0};
    struct store_limits limits = store_limits__default();
    uint64_t hours = argc > 2 ? strtoull(argv[2], NULL, 10) : 24;
    bench.samples_each = argc > 3 ? strtoul(argv[3], NULL, 10) : 152;
    bench.begin_ns = (argc > 4 ? strtoull(argv[4], NULL, 10) : 1795219200) * SECOND_NS;
    bench.values = calloc(bench.samples_each + 1, sizeof(*bench.values));
    check(argc > 1 && bench.values && bench.samples_each ? 0 : -22, &fault);
    check(store_directory__open(argv[1], &limits, bench.begin_ns, 0, &fault, &bench.directory), &fault);
    for (size_t i = 0; i < PROCESSES; i++)
        begin_process(&bench.mix, i, i + 1);
    for (uint64_t at = 0; at < hours * HOUR_NS; at += PERIOD_NS) {
        append_interval(&bench, bench.begin_ns + at);
        if ((at + PERIOD_NS) % HOUR_NS == 0)
            maintain(&bench, bench.begin_ns + at + 130 * SECOND_NS);
    }
    check(store_writer__close(bench.mix.writer, &fault), &fault);
    store_directory__free(bench.directory);
    print(&bench, argv[1]);
    free(bench.values);
    return 0;
}
