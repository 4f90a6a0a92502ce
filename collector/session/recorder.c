#include "collector/session/recorder.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collector/programs/feature.h"
#include "collector/session/cache_folder.h"
#include "collector/session/recorder_insides.h"
#include "store/base/limits.h"
#include "store/system/warm_heap.h"
#include "symbolizer/opening/opener.h"

static int open_store(const struct recorder_options *options, uint64_t start_ns, const struct store_meta *meta,
                      struct fault *fault, struct store_writer **ret_writer)
{
    const struct recorder_owner *owner = options->owner;
    return owner ? owner->open_store(owner->context, start_ns, meta, fault, ret_writer)
                 : store_writer__create(options->store_path, meta, fault, ret_writer);
}

int recorder__begin_file(struct recorder *recorder, struct fault *fault)
{
    struct utsname system;
    struct store_writer *writer;
    uname(&system);
    struct store_meta meta = {.host = system.nodename,
                              .kernel = system.release,
                              .arch = system.machine,
                              .version = HEARTH_VERSION,
                              .command = recorder->options->command_line,
                              .cpu_count = (uint32_t)recorder->target.online_count};
    int err = open_store(recorder->options, recorder->interval_start_ns, &meta, fault, &writer);
    return err ? err : keeper__begin_file(recorder->keeper, writer, fault);
}

static int set_up_copies(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    if (!recorder__copies_stacks(recorder))
        return 0;
    int err = copy_stacks__new(recorder->loader, recorder->binaries, recorder->processes, recorder->records, fault,
                               &recorder->copies);
    if (!err && options->compare)
        copy_stacks__compare(recorder->copies, options->compare, options->compare_context);
    return err;
}

static bool keeps_stacks(const struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->event_count; i++)
        if (event__keeps_stacks(&recorder->events[i]))
            return true;
    return false;
}

// Hits of events that are no samples come from processes that sleep most of the time too, and each hit counts.
static bool hits_sleepers(const struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->event_count; i++)
        if (!recorder->events[i].source->is_sampled && event__keeps_stacks(&recorder->events[i]))
            return true;
    return false;
}

static int set_up_unwinding(struct recorder *recorder, struct fault *fault)
{
    if (recorder->options->unwind == WIRE_UNWIND_FP || recorder->options->unwind == WIRE_UNWIND_COPY ||
        !keeps_stacks(recorder))
        return 0;
    _cleanup_free_ uint32_t *tgids = calloc(recorder->target.process_count + 1, sizeof(*tgids));
    if (!tgids)
        return fault__set(fault, -ENOMEM, "out of memory");
    for (size_t i = 0; i < recorder->target.process_count; i++)
        tgids[i] = recorder->target.processes[i].pid;
    char cache[PATH_MAX];
    bool has_cache = cache_folder__find("rows", cache, sizeof(cache)) == 0;
    struct unwinder_options options = {.loader = recorder->loader,
                                       .binaries = recorder->binaries,
                                       .naming = recorder->naming,
                                       .worker = recorder->worker,
                                       .cache_dir = has_cache ? cache : NULL,
                                       .guests = recorder->options->compare ? 0 : ~recorder->options->guests_off,
                                       .first_tgids = tgids,
                                       .first_tgid_count = recorder->target.process_count,
                                       .all_files = hits_sleepers(recorder),
                                       .is_lowered = recorder->options->owner != NULL};
    int err = guest_codes__new(loader__map_fd(recorder->loader, "guest_notes"),
                               loader__map_fd(recorder->loader, "guest_ids"), &recorder->guests);
    if (err)
        return fault__set(fault, err, "cannot read the ring buffer 'guest_notes' of the programs: %s", strerror(-err));
    return unwinder__new(&options, fault, &recorder->unwinder);
}

// The table keeps no processes that the filter never lets through.
static int choose_processes(struct recorder *recorder)
{
    const struct wire_config *config = &recorder->config;
    int err = 0;
    for (size_t i = 0; (config->by_tgid || config->by_tid) && i < recorder->target.process_count && !err; i++)
        err = processes__choose(recorder->processes, recorder->target.processes[i].pid, config->follow_forks);
    return err;
}

static int set_up_tracking(struct recorder *recorder, struct fault *fault)
{
    char cache[PATH_MAX];
    bool has_cache = cache_folder__find("names", cache, sizeof(cache)) == 0;
    struct symbolizer_options symbols = {
        .worker = recorder->worker,
        .no_inline = recorder->options->no_inline,
        .by_place = true,
        .cache_dir = has_cache ? cache : NULL,
    };
    int err = binaries__new(&recorder->binaries);
    if (!err)
        err = processes__new(recorder->binaries, &recorder->processes);
    if (!err)
        err = choose_processes(recorder);
    if (err)
        return fault__set(fault, err, "out of memory");
    if (cgroup_names__new(recorder->cgroup_programs, &recorder->cgroups) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    err = perf_records__new(recorder->target.present, recorder->target.present_count, fault, &recorder->records);
    if (!err)
        err = naming__new(&symbols, fault, &recorder->naming);
    if (!err)
        err = drain__new(recorder->loader, fault, &recorder->drain);
    if (!err)
        err = fill__new(recorder->loader, &recorder->config, fault, &recorder->fill);
    if (!err)
        err = governor__new(recorder->loader, recorder->events, recorder->event_count, recorder->options->bpf_share,
                            fault, &recorder->governor);
    if (!err)
        err = set_up_unwinding(recorder, fault);
    if (!err)
        err = set_up_copies(recorder, fault);
    if (err)
        return err;
    drain__warm_up(recorder->drain, recorder->target.present, recorder->target.present_count);
    return 0;
}

// Last of all: a recording that cannot begin must not have replaced the store of an earlier one.
static int begin_store(struct recorder *recorder, struct fault *fault)
{
    struct keeper_parts parts = {.binaries = recorder->binaries,
                                 .processes = recorder->processes,
                                 .naming = recorder->naming,
                                 .guests = recorder->guests,
                                 .cgroups = recorder->cgroups,
                                 .events = recorder->events,
                                 .event_count = recorder->event_count,
                                 .wall_offset_ns =
                                     (int64_t)clock__ns(CLOCK_REALTIME) - (int64_t)clock__ns(CLOCK_BOOTTIME)};
    if ((recorder->hist_count || recorder->options->owner) &&
        hist__new(recorder->events, recorder->event_count, recorder->cgroups, !recorder->options->owner,
                  &recorder->hist) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = keeper__new(&parts, fault, &recorder->keeper);
    return err ? err : recorder__begin_file(recorder, fault);
}

struct loop *recorder__loop(struct recorder *recorder)
{
    return recorder->loop;
}

static int prepare_command(struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    if (!options->command)
        return 0;
    int err = launch__prepare(options->command, options->is_silent, fault, &recorder->launch);
    if (err) {
        recorder->launch.pid = 0;
        return err;
    }
    if (options->target->all) {
        struct wire_config ignored = {0};
        return target__add_command(&recorder->target, recorder->launch.pid, &ignored, fault);
    }
    return target__add_command(&recorder->target, recorder->launch.pid, &recorder->config, fault);
}

// Copies are for looking closely at one process: of a whole machine they would be 64 KiB a sample.
static int check_copy(const struct recorder *recorder, struct fault *fault)
{
    const struct recorder_options *options = recorder->options;
    size_t processes = recorder->target.process_count + (options->command != NULL);
    if (options->unwind != WIRE_UNWIND_COPY || (processes == 1 && !options->target->all))
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "--unwind=copy is for one process: name it with -p PID, or give a command");
}

// Each CPU, probe and pipe takes descriptors; the soft limit of 1024 is for programs that use select().
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

// Before any thread is started: the signals that end a recording must find none that would die of them.
static void block_signals(struct recorder *recorder)
{
    sigemptyset(&recorder->signals);
    sigaddset(&recorder->signals, SIGINT);
    sigaddset(&recorder->signals, SIGTERM);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) != 0 || hangup.sa_handler != SIG_IGN) // nohup means it
        sigaddset(&recorder->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &recorder->signals, NULL);
    signal(SIGPIPE, SIG_IGN); // who reads no more of what is said must not cut the store off
}

// glibc gives each thread a heap of its own, and what one has freed the others cannot use; and it raises the size from
// which memory goes back to the kernel each time a larger piece is freed. Half the memory of a recording was such.
static void bound_heap(void)
{
    enum { GIVE_BACK_BYTES = 1 << 20 };
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, GIVE_BACK_BYTES);
    mallopt(M_TRIM_THRESHOLD, GIVE_BACK_BYTES);
}

// Where the cache has not got the kernel's types yet, the whole BTF is read (5 to 6 MB, and as much again as its copy).
// With a page fault for each 4 KiB of that, the faults cost ten times what the parsing does.
static void warm_up_heap(void)
{
    enum { LOAD_BYTES = 20 << 20 };
    warm_heap__prepare(LOAD_BYTES);
}

static void cool_down_heap(struct recorder *recorder)
{
    if (recorder->loader)
        loader__give_back_types(recorder->loader);
    bound_heap();
    warm_heap__give_back();
}

// The BPF programs, and the parts of hearth that read their maps.
static int set_up_kernel_side(struct recorder *recorder, struct fault *fault)
{
    warm_up_heap();
    int err = recorder_programs__load(recorder, fault);
    if (!err)
        err = set_up_tracking(recorder, fault);
    cool_down_heap(recorder);
    return err;
}

int recorder__new(const struct recorder_options *options, struct fault *fault, struct recorder **ret_recorder)
{
    _cleanup_(recorder__freep) struct recorder *recorder = calloc(1, sizeof(*recorder));
    const struct worker_options worker = {.lowers_rows = options->owner != NULL}; // a daemon has time
    if (!recorder)
        return fault__set(fault, -ENOMEM, "out of memory");
    recorder->options = options;
    recorder->signal_fd = -1;
    recorder_interval__read_cost(recorder, &recorder->told); // a recording before this one has told what it cost
    bound_heap();
    block_signals(recorder);
    opener__begin();
    if (bpf_meter__new(&recorder->meter) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = feature__require("initial pid namespace", fault);
    if (!err)
        err = target__resolve(options->target, &recorder->config, &recorder->target, fault);
    if (!err)
        err = recorder_programs__parse(recorder, fault);
    if (!err)
        err = check_copy(recorder, fault);
    if (!err)
        err = prepare_command(recorder, fault);
    if (!err)
        err = recorder_programs__prepare(recorder, fault);
    if (err)
        return err;
    raise_descriptor_limit(); // not for the command, which has been forked
    err = worker__new(&worker, fault, &recorder->worker);
    if (!err)
        err = set_up_kernel_side(recorder, fault);
    if (!err)
        err = recorder_watch__begin(recorder, fault);
    recorder->interval_began_ns = clock__ns(CLOCK_MONOTONIC);
    recorder->interval_start_ns = clock__ns(CLOCK_REALTIME); // events count from when they are attached
    if (!err)
        err = recorder_programs__attach(recorder, fault);
    if (!err)
        err = begin_store(recorder, fault);
    if (err)
        return err;
    bpf_meter__start(recorder->meter);
    *ret_recorder = take_pointer(recorder);
    return 0;
}

void recorder__free(struct recorder *recorder)
{
    if (!recorder)
        return;
    if (recorder->launch.pid > 0 && !recorder->command_left) {
        int ignored;
        launch__end(&recorder->launch, -1, &ignored);
    }
    if (recorder->worker)
        worker__cancel(recorder->worker); // nobody waits for names and rows any more
    unwinder__free(recorder->unwinder);
    naming__free(recorder->naming);
    keeper__free(recorder->keeper);
    guest_codes__free(recorder->guests);
    hist__free(recorder->hist);
    copy_stacks__free(recorder->copies);
    worker__free(recorder->worker);
    opener__end();
    perf_records__free(recorder->records);
    drain__free(recorder->drain);
    fill__free(recorder->fill);
    governor__free(recorder->governor);
    for (size_t i = 0; i < recorder->event_count; i++)
        event__release(&recorder->events[i]);
    cgroup_names__free(recorder->cgroups);
    loaded__free(recorder->cgroup_programs);
    bpf_meter__free(recorder->meter);
    early_waits__free(recorder->early);
    loaded__free(recorder->targets);
    loader__free(recorder->loader);
    processes__free(recorder->processes);
    binaries__free(recorder->binaries);
    target__release(&recorder->target);
    loop__free(recorder->loop);
    free(recorder->target_watches);
    fd__close(&recorder->signal_fd);
    free(recorder);
}
