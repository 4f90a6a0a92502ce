#include "collector/keep/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/keep/frames.h"
#include "collector/keep/losses.h"
#include "collector/keep/store_file.h"
#include "store/base/bucket.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/owner.h"

static const char *const status_marks[] = {
#define STACK_STATUS(name, mark, meaning) mark,
#include "bpf/wire/stack_status.def"
#undef STACK_STATUS
};

struct keeper {
    struct keeper_parts parts;
    struct frames *frames;
    struct keeper_totals totals;
    struct losses losses;
    struct store_files files;
    bool has_no_room; // of this drain: the writer's memory is full, and the store does not take what it holds
    struct store_value *values;
    size_t value_count, value_capacity;
    uint32_t lost_node; // of this interval; 0: not needed
    struct {            // the cgroup looked up last: most samples of a drain come from few
        uint64_t id;
        char path[512];
        struct owner owner;
        uint32_t rank; // twice the components of its path; one more where that names a container
    } cgroup;
    uint64_t drain; // the number of this one
};

int keeper__new(const struct keeper_parts *parts, struct fault *fault, struct keeper **ret_keeper)
{
    _cleanup_(keeper__freep) struct keeper *keeper = calloc(1, sizeof(*keeper));
    const struct frames_parts frames = {
        .binaries = parts->binaries, .processes = parts->processes, .naming = parts->naming, .guests = parts->guests};
    if (!keeper || frames__new(&frames, &keeper->frames) != 0)
        return fault__set(fault, -ENOMEM, "out of memory");
    keeper->parts = *parts;
    *ret_keeper = take_pointer(keeper);
    return 0;
}

void keeper__free(struct keeper *keeper)
{
    if (!keeper)
        return;
    frames__free(keeper->frames);
    store_files__release(&keeper->files);
    free(keeper->values);
    free(keeper);
}

const uint64_t *keeper__told_losses(const struct keeper *keeper)
{
    return keeper->losses.told;
}

const struct keeper_totals *keeper__totals(const struct keeper *keeper)
{
    return &keeper->totals;
}

void keeper__lose(struct keeper *keeper, enum wire_loss loss, uint64_t count_since_start)
{
    keeper->losses.here[loss] = count_since_start;
}

int keeper__add_incident(struct keeper *keeper, const struct store_incident *incident, struct fault *fault)
{
    return store_writer__incident(keeper->files.now->writer, incident, fault);
}

// --- Who

static void find_cgroup(struct keeper *keeper, uint64_t id)
{
    if (keeper->cgroup.id == id)
        return;
    keeper->cgroup.id = id;
    if (!id || cgroup_names__path(keeper->parts.cgroups, id, keeper->cgroup.path, sizeof(keeper->cgroup.path)) != 0)
        keeper->cgroup.path[0] = '\0';
    owner__of(keeper->cgroup.path, &keeper->cgroup.owner);
    keeper->cgroup.rank = *keeper->cgroup.owner.container != '\0';
    for (const char *at = keeper->cgroup.path; *at; at++)
        keeper->cgroup.rank += *at == '/' && at[1] ? 2 : 0;
}

// Whether the group that was looked up last is the one that the process belongs to. systemd and containers' engines
// make a process in their own group, then move it: one drain has samples of both groups, in no order of time. Of these
// the one with the higher rank counts; of two drains, the later one's.
static bool is_placed(struct keeper *keeper, struct process *process)
{
    if (process->placed_in_drain == keeper->drain && keeper->cgroup.rank < process->place_rank)
        return false;
    process->placed_in_drain = keeper->drain;
    process->place_rank = keeper->cgroup.rank;
    return true;
}

static int keep_thread(struct keeper *keeper, const struct wire_count_key *key, struct process *process,
                       uint32_t *ret_thread)
{
    char comm[WIRE_COMM_BYTES + 1] = "";
    memcpy(comm, key->comm, WIRE_COMM_BYTES);
    find_cgroup(keeper, key->cgroup);
    bool placed = is_placed(keeper, process);
    struct store_process row = {
        .pid = key->tgid,
        .start_ns = key->start_boot_ns + (uint64_t)keeper->parts.wall_offset_ns,
        .parent_pid = process->parent,
        .uid = key->uid,
        .comm = process->comm[0] ? process->comm : key->comm,
        .exe = process->exe ? process->exe : "",
        .cgroup = placed ? keeper->cgroup.path : "", // "": as it is known
        .container = placed ? keeper->cgroup.owner.container : "",
    };
    return interned__thread(keeper->files.now->interned, &row, key->tid, comm, ret_thread);
}

static int find_thread(struct keeper *keeper, const struct wire_count_key *key, struct process **ret_process,
                       uint32_t *ret_thread)
{
    struct process *process = processes__get(keeper->parts.processes, key->tgid, key->start_boot_ns);
    if (!process)
        return -ENOSPC;
    process->uid = key->uid;
    process->start_boot_ns = process->start_boot_ns ? process->start_boot_ns : key->start_boot_ns;
    *ret_process = process;
    return keep_thread(keeper, key, process, ret_thread);
}

// --- Which stack

static const char *status_mark(enum wire_stack_status status)
{
    return status < WIRE_STACK_STATUS_COUNT ? status_marks[status] : NULL;
}

static const char *detail_mark(const struct keeper *keeper, const struct wire_count_key *key)
{
    const struct source *source =
        key->event < keeper->parts.event_count ? keeper->parts.events[key->event].source : NULL;
    return source && source->mark ? source->mark(key->detail) : NULL;
}

// The drain has no such stack, although the map was not full when the sample was counted.
static void count_gone(struct keeper *keeper, uint64_t id, enum wire_stack_status status)
{
    if (status == WIRE_STACK_MISSING && id != WIRE_STACK_LOST)
        keeper->losses.here[WIRE_LOSS_STACK_GONE]++;
}

static int push_stacks(struct keeper *keeper, const struct drain *drain, const struct wire_count_key *key,
                       struct process *process, enum wire_stack_status *ret_status)
{
    enum wire_stack_status kernel_status;
    int err = frames__push_stack(keeper->frames, drain, key->kernel_stack, NULL, &kernel_status);
    if (!err)
        err = frames__push_stack(keeper->frames, drain, key->user_stack, process, ret_status);
    if (err)
        return err;
    count_gone(keeper, key->kernel_stack, kernel_status);
    count_gone(keeper, key->user_stack, *ret_status);
    return 0;
}

static int find_node(struct keeper *keeper, const struct drain *drain, const struct drained_count *count,
                     struct process *process, uint32_t *ret_node)
{
    enum wire_stack_status status;
    frames__begin(keeper->frames, keeper->files.now);
    int err = frames__push_mark(keeper->frames, detail_mark(keeper, &count->key));
    if (!err)
        err = push_stacks(keeper, drain, &count->key, process, &status);
    if (!err)
        err = frames__push_mark(keeper->frames, status_mark(status));
    if (!err)
        err = frames__node(keeper->frames, ret_node);
    if (!err && status != WIRE_STACK_WHOLE && status != WIRE_STACK_FRAME_POINTERS)
        keeper->totals.truncated += count->count.samples;
    return err;
}

// --- How much

static void count_clocked(struct keeper *keeper, const struct drained_count *count)
{
    struct keeper_clocked *clocked = &keeper->totals.clocked;
    if (!keeper->parts.events[count->key.event].source->is_clocked)
        return;
    if (count->key.detail == WIRE_WAIT_NOT_SAMPLED)
        clocked->unsampled_ns += count->count.value;
    if (count->key.detail != WIRE_WAIT_STATE_COUNT)
        return;
    clocked->samples += count->count.samples;
    clocked->ns += count->count.value;
}

// The kernel side adds up in 64 bits; what may have wrapped, going by its bucket, is said to be as much or more.
static uint64_t sum_of(const struct drained_count *count)
{
    uint32_t bucket = count->key.bucket;
    if (!bucket || bucket > BUCKETS_TOTAL)
        return count->count.value;
    wide most = bucket__greatest((bucket - 1) % BUCKET_COUNT);
    return wide__fits_u64(most * (wide)count->count.samples) ? count->count.value : UINT64_MAX;
}

static int find_value(struct keeper *keeper, const struct drain *drain, const struct drained_count *count,
                      struct store_value *value)
{
    struct process *process;
    int err = find_thread(keeper, &count->key, &process, &value->thread);
    if (!err)
        err = find_node(keeper, drain, count, process, &value->node);
    if (err != -ENOBUFS || !keeper->has_no_room || !keeper->lost_node || !value->thread)
        return err;
    keeper->losses.here[WIRE_LOSS_STACKS_FULL] += count->count.samples;
    value->node = keeper->lost_node;
    return 0;
}

// The words, frames and stacks of an interval may be more than the writer has room for: what it has goes to the store
// before the interval does.
static int make_room(struct keeper *keeper)
{
    if (keeper->has_no_room)
        return -ENOBUFS;
    int err = store_writer__flush(keeper->files.now->writer, NULL);
    keeper->has_no_room = err != 0;
    return 0; // without room, a sample may do without its stack
}

static void lose_samples(struct keeper *keeper, struct waiting_count count)
{
    keeper->losses.here[WIRE_LOSS_NOT_STORED] += count.samples + count.entries;
    keeper->totals.not_stored += count.samples;
}

static int keep_count(struct keeper *keeper, const struct drain *drain, const struct drained_count *count)
{
    struct store_value value = {.bucket = count->key.bucket, .count = count->count.samples, .value = sum_of(count)};
    if (count->key.event >= keeper->parts.event_count)
        return -EINVAL;
    if (!keeper->parts.events[count->key.event].source)
        return 0; // no event is there any more: the end counts it as "unaccounted"
    uint64_t gone = keeper->losses.here[WIRE_LOSS_STACK_GONE];
    int err = find_value(keeper, drain, count, &value);
    if (err == -ENOBUFS && make_room(keeper) == 0) {
        keeper->losses.here[WIRE_LOSS_STACK_GONE] = gone; // or it would be counted by both
        err = find_value(keeper, drain, count, &value);
    }
    if (err && err != -ENOBUFS)
        return err;
    keeper->totals.samples += count->count.samples;
    if (err) {
        lose_samples(keeper, (struct waiting_count){.samples = count->count.samples});
        return 0;
    }
    value.event = keeper__event_rows(keeper)[count->key.event];
    keeper->values[keeper->value_count++] = value;
    count_clocked(keeper, count);
    if (count->key.event < WIRE_EVENTS_MAX)
        keeper->totals.event_samples[count->key.event] += count->count.samples;
    return 0;
}

static int reserve_values(struct keeper *keeper, size_t count)
{
    if (count <= keeper->value_capacity)
        return 0;
    struct store_value *grown = reallocarray(keeper->values, count, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    keeper->values = grown;
    keeper->value_capacity = count;
    return 0;
}

static void tell_losses(struct keeper *keeper)
{
    losses__tell(&keeper->losses);
    keeper->totals.lost = losses__samples(&keeper->losses);
}

// The node for samples whose stacks find no room, made while there is room, where it may be needed.
static int find_lost_node(struct keeper *keeper, size_t chunks)
{
    keeper->lost_node = 0;
    if (chunks < LIMIT_STORE_NODES / WIRE_CHUNK_FRAMES && !keeper__waits(keeper))
        return 0;
    frames__begin(keeper->frames, keeper->files.now);
    int err = frames__push_mark(keeper->frames, status_mark(WIRE_STACK_MISSING));
    if (!err)
        err = frames__node(keeper->frames, &keeper->lost_node);
    return err == -ENOBUFS ? 0 : err;
}

// Appends what waits and then this interval, or has it wait too. Its losses are told in either case.
static int store(struct keeper *keeper, const struct interval_rows *rows, struct fault *fault)
{
    bool is_dropped = true;
    int err = store_file__append(keeper->files.now, rows, fault);
    if (!err || waiting__add(&keeper->files.now->waiting, rows, &is_dropped) == 0)
        tell_losses(keeper);
    if (err && is_dropped)
        lose_samples(keeper, interval_rows__count(rows));
    return err;
}

static int keep_counts(struct keeper *keeper, const struct drain *drain, const struct drained *drained)
{
    int err = 0;
    for (size_t i = 0; i < drained->count_of_counts && !err; i++) {
        err = keep_count(keeper, drain, &drained->counts[i]);
        if (err == -ENOSPC) { // no room for one more process
            keeper->losses.here[WIRE_LOSS_PROCESSES_FULL] += drained->counts[i].count.samples;
            err = 0;
        }
    }
    return err;
}

int keeper__keep(struct keeper *keeper, const struct keeper_interval *interval, struct fault *fault)
{
    keeper->drain++;
    const struct drained *drained = interval->drained;
    struct store_interval row = interval->row;
    struct store_loss losses[WIRE_LOSS_COUNT];
    keeper->value_count = 0;
    keeper->has_no_room = false;
    int err = reserve_values(keeper, drained->count_of_counts);
    if (!err)
        err = find_lost_node(keeper, drained->count_of_chunks);
    if (!err)
        err = keep_counts(keeper, interval->drain, drained);
    if (err)
        return fault__set(fault, err, "cannot keep the samples of an interval: %s", strerror(-err));
    keeper->totals.stacks += drained->count_of_chunks;
    keeper->losses.tally = drained->tally;
    keeper->losses.here[WIRE_LOSS_RECORDS_LOST] = interval->records_lost;
    if (interval->is_last)
        keeper->losses.here[WIRE_LOSS_UNACCOUNTED] = losses__unaccounted(&keeper->losses, keeper->totals.samples);
    row.losses = losses;
    row.loss_count = losses__list(&keeper->losses, losses);
    const struct interval_rows rows = {.interval = &row,
                                       .values = keeper->values,
                                       .value_count = keeper->value_count,
                                       .histograms = interval->histograms,
                                       .histogram_count = interval->histogram_count};
    return store(keeper, &rows, fault);
}

int keeper__keep_losses(struct keeper *keeper, uint64_t now_ns, struct fault *fault)
{
    struct store_loss losses[WIRE_LOSS_COUNT];
    struct store_interval interval = {.start_ns = now_ns, .end_ns = now_ns, .losses = losses};
    interval.loss_count = losses__list(&keeper->losses, losses);
    return interval.loss_count ? store(keeper, &(struct interval_rows){.interval = &interval}, fault) : 0;
}

// --- The files

bool keeper__waits(const struct keeper *keeper)
{
    return !waiting__is_empty(&keeper->files.now->waiting);
}

const uint32_t *keeper__event_rows(const struct keeper *keeper)
{
    return interned__events(keeper->files.now->interned);
}

int keeper__set_event(struct keeper *keeper, size_t index, struct fault *fault)
{
    const struct event *events = keeper->parts.events;
    if (index >= keeper->parts.event_count)
        keeper->parts.event_count = index + 1;
    int err = store_file__set_event(keeper->files.now, events, index);
    return err ? fault__set(fault, err, "cannot write '%s' to the store: %s", events[index].spelled, strerror(-err))
               : 0;
}

int keeper__begin_file(struct keeper *keeper, struct store_writer *writer, struct fault *fault)
{
    return store_files__begin(&keeper->files, writer, keeper->parts.events, keeper->parts.event_count, fault);
}

static int take_name(uint64_t tag, const struct store_line *chain, size_t length, void *context)
{
    struct keeper *keeper = context;
    return store_files__name(&keeper->files, tag, chain, length);
}

int keeper__take_names(struct keeper *keeper, struct fault *fault)
{
    int err = naming__collect(keeper->parts.naming, take_name, keeper);
    return err ? fault__set(fault, err, "cannot keep the names: %s", strerror(-err)) : 0;
}

int keeper__leave_file(struct keeper *keeper, bool now, struct fault *fault)
{
    const struct store_file *before = keeper->files.before;
    struct waiting_count lost = {0};
    bool is_due = now || naming__is_idle(keeper->parts.naming);
    if (!before || (!is_due && clock__ns(CLOCK_MONOTONIC) < before->end_ns))
        return 0;
    int err = store_files__close_before(&keeper->files, &lost, fault);
    lose_samples(keeper, lost);
    return err;
}

int keeper__flush(struct keeper *keeper, struct fault *fault)
{
    return store_file__flush(keeper->files.now, fault);
}

void keeper__give_up(struct keeper *keeper)
{
    lose_samples(keeper, store_file__give_up(keeper->files.now));
    keeper->totals.lost = losses__samples(&keeper->losses);
}

int keeper__close(struct keeper *keeper, struct fault *fault)
{
    struct waiting_count lost = {0};
    int err = store_files__close_before(&keeper->files, &lost, fault);
    int closed = store_file__close(take_pointer(keeper->files.now), err ? NULL : fault);
    return err ? err : closed;
}
