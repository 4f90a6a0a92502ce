// The cost of a user stack in the kernel, by the kernel's own run-time statistics of BPF programs:
//
//   unwind_cost OBJECT PID SECONDS [HZ]   ->   WAY NS_A_RUN RUNS MEAN_DEPTH WHOLE_PCT
//
// The three programs of tests/bench/unwind_cost.bpf.c are attached to the same process and sample it in turn.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collector/unwinding/unwinder.h"
#include "symbolizer/worker/worker.h"

struct counted {
    uint64_t runs, frames, whole;
};

static int reuse_maps(struct loader *loader, struct bpf_object *object)
{
    struct bpf_map *map;
    bpf_object__for_each_map(map, object)
    {
        int fd = loader__map_fd(loader, bpf_map__name(map));
        if (fd >= 0 && bpf_map__reuse_fd(map, fd) != 0)
            return -1;
    }
    return bpf_object__load(object);
}

static int attach(struct bpf_program *program, pid_t pid, uint64_t hz)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .config = PERF_COUNT_SW_CPU_CLOCK,
                                   .size = sizeof(attr),
                                   .sample_freq = hz,
                                   .freq = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return fd >= 0 && bpf_program__attach_perf_event(program, fd) ? 0 : -1;
}

static void print(struct bpf_object *object, uint32_t way, const char *name)
{
    struct bpf_prog_info info = {0};
    uint32_t bytes = sizeof(info);
    struct counted counted = {0};
    bpf_obj_get_info_by_fd(bpf_program__fd(bpf_object__find_program_by_name(object, name)), &info, &bytes);
    bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(object, "own_counted"), &way, &counted);
    double runs = info.run_cnt ? (double)info.run_cnt : 1;
    printf("%-14s %6.0f ns a run, %6.0f runs, %6.1f frames, %5.1f %% whole\n", name, (double)info.run_time_ns / runs,
           runs, (double)counted.frames / runs, 100.0 * (double)counted.whole / runs);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct fault fault = {0};
    uint32_t pid = (uint32_t)strtoul(argv[2], NULL, 10);
    struct wire_config config = {.uid = WIRE_UID_ANY, .user_stacks = 1};
    struct loader_bounds bounds = {.counts = 16, .stacks = 16, .hists = 16, .cpus = 1024};
    struct loader *loader;
    struct loaded *loaded;
    struct binaries *binaries;
    struct unwinder *unwinder;
    struct worker *worker;
    int err = worker__new(NULL, &fault, &worker);
    if (!err)
        err = loader__new(&config, &bounds, &fault, &loader);
    if (!err)
        err = loader__open(loader, "source_perf", &fault, &loaded);
    if (!err)
        err = loaded__load(loaded, &fault);
    if (!err)
        err = binaries__new(&binaries);
    if (err)
        return (int)fault__say(&fault, err);
    struct unwinder_options options = {
        .loader = loader, .binaries = binaries, .worker = worker, .first_tgids = &pid, .first_tgid_count = 1};
    err = unwinder__new(&options, &fault, &unwinder);
    if (err)
        return (int)fault__say(&fault, err);
    struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
    if (!object || reuse_maps(loader, object) != 0)
        return 1;
    int statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
    uint64_t hz = argc > 4 ? strtoull(argv[4], NULL, 10) : 997;
    struct bpf_program *program;
    bpf_object__for_each_program(program, object)
    {
        if (attach(program, (pid_t)pid, hz) != 0)
            return 1;
    }
    double seconds = strtod(argv[3], NULL);
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
    print(object, 0, "walk_nothing");
    print(object, 1, "walk_pointers");
    print(object, 2, "walk_rows");
    struct unwinder_totals totals = unwinder__totals(unwinder);
    printf("tables of what runs here: %llu, %.1f MiB of kernel memory\n", (unsigned long long)totals.tables,
           (double)totals.table_bytes / (1024 * 1024));
    close(statistics);
    worker__cancel(worker);
    unwinder__free(unwinder);
    worker__free(worker);
    return 0;
}
