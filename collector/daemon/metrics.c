#include "collector/daemon/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collector/daemon/helper_process.h"
#include "collector/daemon/metrics_server.h"
#include "collector/metrics/metrics_histograms.h"
#include "store/base/clock.h"
#include "store/owner.h"
#include "store/system/listener.h"

struct metrics {
    char address[64];
    struct metrics_server server;
    struct helper_process process; // fd -1: it has died
    struct metrics_names names[METRICS_BY_COUNT];
    struct metrics_totals totals;
    uint64_t losses_before[WIRE_LOSS_COUNT]; // of the recording, already in the totals
};

// CPU time of the threads of a process that have one comm and one control group.
struct share {
    struct wire_count_key key;
    uint64_t ns;
};

// --- The address

static void complete_address(const char *words, char *out, size_t size)
{
    bool is_port = *words && strspn(words, "0123456789") == strlen(words);
    snprintf(out, size, "%s%s", is_port ? "127.0.0.1:" : "", words);
}

int metrics__check_address(const char *address, struct fault *fault)
{
    char complete[64];
    complete_address(address, complete, sizeof(complete));
    return listener__check("--metrics", complete, fault);
}

// --- Life

int metrics__new(const char *address, const char *directory, struct metrics **ret_metrics)
{
    _cleanup_(metrics__freep) struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return -ENOMEM;
    metrics->process = (struct helper_process){.pid = -1, .fd = -1};
    complete_address(address, metrics->address, sizeof(metrics->address));
    metrics->server.address = metrics->address;
    metrics->server.directory = directory;
    int err = metrics_page__new(&metrics->server.page);
    if (!err)
        err = helper_process__start("hearth-metrics", metrics_server__serve, &metrics->server, &metrics->process);
    if (!err)
        *ret_metrics = take_pointer(metrics);
    return err;
}

void metrics__free(struct metrics *metrics)
{
    if (!metrics)
        return;
    helper_process__kill(&metrics->process);
    metrics_page__release(&metrics->server.page);
    free(metrics);
}

void metrics__begin_recording(struct metrics *metrics)
{
    memset(metrics->losses_before, 0, sizeof(metrics->losses_before));
}

// --- CPU time

static int compare_shares(const void *left, const void *right)
{
    return memcmp(&((const struct share *)left)->key, &((const struct share *)right)->key,
                  sizeof(struct wire_count_key));
}

// Each count of the event cpu, with a key in which nothing tells apart but the process, the comm and the control group.
static size_t list_shares(const struct recorder_drained *drained, struct share *shares)
{
    size_t count = 0;
    for (size_t i = 0; i < drained->count_of_counts; i++) {
        const struct drained_count *from = &drained->counts[i];
        const struct event *event = &drained->events[from->key.event % WIRE_EVENTS_MAX];
        if (!event->source || event->hist || strcmp(event->spelled, "cpu") != 0)
            continue;
        struct share *share = &shares[count++];
        *share = (struct share){
            .key = {.start_boot_ns = from->key.start_boot_ns, .cgroup = from->key.cgroup, .tgid = from->key.tgid},
            .ns = from->count.samples * event->store_period};
        memcpy(share->key.comm, from->key.comm, sizeof(share->key.comm));
    }
    return count;
}

// Equal ones become one.
static size_t merge_shares(struct share *shares, size_t count)
{
    size_t kept = 0;
    qsort(shares, count, sizeof(*shares), compare_shares);
    for (size_t i = 0; i < count; i++)
        if (kept && compare_shares(&shares[kept - 1], &shares[i]) == 0)
            shares[kept - 1].ns += shares[i].ns;
        else
            shares[kept++] = shares[i];
    return kept;
}

static void add_share(struct metrics *metrics, const struct recorder *recorder, const struct share *share)
{
    const struct wire_count_key *key = &share->key;
    char path[512], comm[WIRE_COMM_BYTES + 1] = "";
    struct owner owner = {0};
    const char *exe = recorder__exe(recorder, key->tgid, key->start_boot_ns);
    memcpy(comm, key->comm, WIRE_COMM_BYTES);
    if (recorder__cgroup(recorder, key->cgroup, path, sizeof(path)) == 0)
        owner__of(path, &owner);
    metrics->totals.cpu_ns += share->ns;
    metrics_names__add(&metrics->names[METRICS_BY_UNIT], *owner.unit ? owner.unit : "[no unit]", share->ns);
    metrics_names__add(&metrics->names[METRICS_BY_COMM], comm, share->ns);
    metrics_names__add(&metrics->names[METRICS_BY_BINARY], *exe ? exe : "[no exe]", share->ns);
}

static void add_cpu(struct metrics *metrics, const struct recorder_drained *drained)
{
    struct metrics_totals *totals = &metrics->totals;
    _cleanup_free_ struct share *shares = calloc(drained->count_of_counts + 1, sizeof(*shares));
    size_t count = shares ? merge_shares(shares, list_shares(drained, shares)) : 0;
    for (size_t i = 0; i < count; i++)
        add_share(metrics, drained->recorder, &shares[i]);
    for (size_t i = 0; i < METRICS_BY_COUNT; i++) {
        metrics_names__end(&metrics->names[i]);
        totals->name_count[i] = metrics_names__list(&metrics->names[i], totals->names[i]);
        totals->others_ns[i] = metrics->names[i].others_ns;
    }
}

// --- The rest

// Of an event that was recorded in this interval, by its row in the store.
static const struct event *event_of(const struct recorder_drained *drained, uint32_t row)
{
    for (size_t i = 0; i < drained->event_count; i++)
        if (drained->events[i].source && drained->events[i].hist && drained->event_rows[i] == row)
            return &drained->events[i];
    return NULL;
}

static void add_histograms(struct metrics *metrics, const struct recorder_drained *drained)
{
    for (size_t i = 0; i < drained->histogram_count; i++) {
        const struct store_histogram *histogram = &drained->histograms[i];
        const struct event *event = event_of(drained, histogram->event);
        if (event)
            metrics_histograms__add(&metrics->totals, event->spelled, event__unit(event), histogram);
    }
}

// The events that keep stacks: profiles are made of these.
static void list_events(struct metrics_totals *totals, const struct recorder_drained *drained)
{
    memset(totals->events, 0, sizeof(totals->events));
    for (size_t i = 0; i < drained->event_count && i < WIRE_EVENTS_MAX; i++) {
        const struct event *event = &drained->events[i];
        if (event->source && !event->hist)
            metrics_name__clean(event->spelled, totals->events[i], sizeof(totals->events[i]));
    }
}

static void add_losses(struct metrics *metrics, const uint64_t *losses)
{
    for (size_t i = 0; i < WIRE_LOSS_COUNT; i++)
        if (losses[i] > metrics->losses_before[i])
            metrics->totals.losses[i] += losses[i] - metrics->losses_before[i];
    memcpy(metrics->losses_before, losses, sizeof(metrics->losses_before));
}

static void add_interval(struct metrics_totals *totals, const struct recorder_drained *drained)
{
    const struct store_interval *interval = drained->interval;
    if (interval->end_ns == interval->start_ns) // the losses at the end of a recording
        return;
    list_events(totals, drained);
    totals->intervals++;
    totals->last_end_ns = interval->end_ns;
    totals->own_cpu_ns += interval->own_cpu_ns;
    totals->own_bpf_ns += interval->own_bpf_ns;
    totals->own_written_bytes += interval->own_written_bytes;
    totals->own_rss_bytes = interval->own_rss_bytes;
    totals->own_map_bytes = interval->own_map_bytes;
}

static void look_for_death(struct metrics *metrics)
{
    char byte;
    if (metrics->process.fd < 0 || recv(metrics->process.fd, &byte, sizeof(byte), MSG_DONTWAIT) != 0)
        return;
    fault__warn("the process that serves metrics (PID %d) has ended; there are none until the daemon is restarted",
                metrics->process.pid);
    fd__close(&metrics->process.fd);
    metrics->process.fd = -1;
}

void metrics__add(struct metrics *metrics, const struct recorder_drained *drained, uint64_t incidents)
{
    add_cpu(metrics, drained);
    add_histograms(metrics, drained);
    add_losses(metrics, drained->losses);
    add_interval(&metrics->totals, drained);
    metrics->totals.incidents = incidents;
    metrics_page__write(&metrics->server.page, &metrics->totals);
    look_for_death(metrics);
}
