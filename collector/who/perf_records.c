#include "collector/who/perf_records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collector/who/perf_event.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/grow.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

struct ring {
    uint32_t cpu;
    int fd;                            // -1: the CPU is offline, and was so from the start
    uint64_t enabled_ns;               // at the last look
    struct perf_event_mmap_page *page; // followed by LIMIT_RECORD_RING_BYTES of data
};

// A record that waits to be handled in the order of time.
struct pending {
    uint64_t time_ns;
    size_t at; // in the buffer
};

struct watched { // an event that samples
    uint64_t period_ns, stopped_ns;
};

struct perf_records {
    struct ring *rings;
    size_t ring_count;
    uint64_t lost, throttled;
    struct buf watched;  // struct watched
    struct id_map by_id; // the kernel's id of an event -> its place there
    struct buf buffer;   // records out of the rings: all of before copied_ns
    struct buf spare;
    struct pending *pending; // those in the buffer; `handled` have been
    size_t pending_count, pending_capacity, handled;
    uint64_t copied_ns;
    uint64_t suspended_ns; // CLOCK_BOOTTIME minus CLOCK_MONOTONIC then: it grows by each time the machine was suspended
};

// The end of every record (sample_id_all with PERF_SAMPLE_TID and PERF_SAMPLE_TIME).
struct sample_id {
    uint32_t pid, tid;
    uint64_t time_ns;
};

// The records, as include/uapi/linux/perf_event.h gives them.
struct mmap2_record {
    struct perf_event_header header;
    uint32_t pid, tid;
    uint64_t address, length, page_offset;
    uint32_t major, minor;
    uint64_t inode, generation;
    uint32_t protection, flags;
    char path[];
};

struct comm_record {
    struct perf_event_header header;
    uint32_t pid, tid;
    char comm[];
};

struct task_record { // FORK and EXIT
    struct perf_event_header header;
    uint32_t pid, parent_pid, tid, parent_tid;
    uint64_t time_ns;
};

struct lost_record {
    struct perf_event_header header;
    uint64_t id, lost;
};

struct throttle_record {
    struct perf_event_header header;
    uint64_t time_ns, id, stream_id;
};

void perf_records__describe(struct perf_event_attr *attr)
{
    attr->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
    attr->sample_id_all = 1;
    attr->use_clockid = 1;
    attr->clockid = CLOCK_MONOTONIC;
}

static int open_event(uint32_t cpu)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_DUMMY,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED,
        .mmap = 1,
        .mmap2 = 1,
        .comm = 1,
        .comm_exec = 1,
        .task = 1,
        .watermark = 1,
        .wakeup_watermark = LIMIT_RECORD_RING_BYTES / 2,
    };
    perf_records__describe(&attr);
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static size_t mapped_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE) + LIMIT_RECORD_RING_BYTES;
}

static int open_ring(struct ring *ring, uint32_t cpu)
{
    *ring = (struct ring){.cpu = cpu, .fd = -1};
    _cleanup_fd_ int fd = open_event(cpu);
    if (fd < 0)
        return fd;
    void *page = mmap(NULL, mapped_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return -errno;
    ring->page = page;
    ring->fd = take_fd(&fd);
    return 0;
}

int perf_records__new(const uint32_t *cpus, size_t cpu_count, struct fault *fault, struct perf_records **ret_records)
{
    _cleanup_(perf_records__freep) struct perf_records *records = calloc(1, sizeof(*records));
    if (!records || !(records->rings = calloc(cpu_count, sizeof(*records->rings))))
        return fault__set(fault, -ENOMEM, "out of memory");
    for (size_t i = 0; i < cpu_count; i++)
        records->rings[i].fd = -1;
    records->ring_count = cpu_count;
    for (size_t i = 0; i < cpu_count; i++) {
        int err = open_ring(&records->rings[i], cpus[i]);
        if (err && err != -ENODEV) // the CPU is offline
            return fault__set_code(
                fault, EXIT_CODE_LACKS, err,
                "cannot follow the processes of CPU %u by perf events: %s; run as root, or with CAP_PERFMON", cpus[i],
                strerror(-err));
    }
    *ret_records = take_pointer(records);
    return 0;
}

void perf_records__free(struct perf_records *records)
{
    if (!records)
        return;
    for (size_t i = 0; records->rings && i < records->ring_count; i++) {
        if (records->rings[i].page)
            munmap(records->rings[i].page, mapped_bytes());
        fd__close(&records->rings[i].fd);
    }
    free(records->rings);
    free(records->pending);
    buf__release(&records->buffer);
    buf__release(&records->spare);
    buf__release(&records->watched);
    id_map__release(&records->by_id);
    free(records);
}

bool perf_records__came_back(struct perf_records *records, size_t index, uint32_t *ret_cpu)
{
    struct ring *ring = &records->rings[index], fresh;
    if (ring->page && !perf_event__is_dead(ring->fd, &ring->enabled_ns))
        return false;
    if (open_ring(&fresh, ring->cpu) != 0) // the CPU is offline still
        return false;
    if (ring->page)
        munmap(ring->page, mapped_bytes());
    fd__close(&ring->fd);
    *ring = fresh;
    *ret_cpu = fresh.cpu;
    return true;
}

size_t perf_records__fd_count(const struct perf_records *records)
{
    return records->ring_count;
}

int perf_records__fd(const struct perf_records *records, size_t index)
{
    return records->rings[index].fd;
}

uint64_t perf_records__lost(const struct perf_records *records)
{
    return records->lost;
}

uint64_t perf_records__throttled(const struct perf_records *records)
{
    return records->throttled;
}

static int remember(struct perf_records *records, uint64_t id, uint64_t period_ns)
{
    const struct watched watched = {.period_ns = period_ns};
    uint32_t place = (uint32_t)(records->watched.length_bytes / sizeof(watched));
    buf__append(&records->watched, &watched, sizeof(watched));
    return records->watched.failed ? -ENOMEM : id_map__put(&records->by_id, id, place);
}

void perf_records__watch(struct perf_records *records, uint32_t cpu, int fd, uint64_t period_ns)
{
    uint64_t id;
    for (size_t i = 0; i < records->ring_count; i++)
        if (records->rings[i].cpu == cpu && records->rings[i].page && ioctl(fd, PERF_EVENT_IOC_ID, &id) == 0 &&
            remember(records, id, period_ns) == 0)
            ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, records->rings[i].fd);
}

static void count_throttling(struct perf_records *records, const struct throttle_record *record)
{
    uint32_t place;
    if (!id_map__get(&records->by_id, record->id, &place))
        return;
    struct watched *watched = (struct watched *)records->watched.data + place;
    if (record->header.type == PERF_RECORD_THROTTLE) {
        watched->stopped_ns = record->time_ns;
        records->throttled += !watched->period_ns;
    } else if (watched->stopped_ns && watched->period_ns && record->time_ns > watched->stopped_ns) {
        records->throttled += (record->time_ns - watched->stopped_ns) / watched->period_ns;
        watched->stopped_ns = 0;
    }
}

static int add_pending(struct perf_records *records, size_t at, const struct perf_event_header *header)
{
    if (GROW(records->pending, records->pending_capacity, records->pending_count + 1) != 0)
        return -ENOMEM;
    struct sample_id id;
    memcpy(&id, (const char *)header + header->size - sizeof(id), sizeof(id));
    records->pending[records->pending_count++] = (struct pending){.time_ns = id.time_ns, .at = at};
    return 0;
}

// Copies what stands in [tail, head) of a ring to the buffer, in one piece though it may wrap around.
static int copy_ring(struct perf_records *records, struct ring *ring)
{
    const char *data = (const char *)ring->page + ring->page->data_offset;
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
    size_t bytes = (size_t)(head - tail), size = (size_t)ring->page->data_size, from = (size_t)(tail % size);
    size_t first = bytes < size - from ? bytes : size - from, begin = records->buffer.length_bytes;
    buf__append(&records->buffer, data + from, first);
    buf__append(&records->buffer, data, bytes - first);
    if (records->buffer.failed)
        return -ENOMEM;
    for (size_t at = begin; at < begin + bytes;) {
        const struct perf_event_header *header = (const void *)(records->buffer.data + at);
        if (header->size < sizeof(*header) + sizeof(struct sample_id))
            break;
        int err = add_pending(records, at, header);
        if (err)
            return err;
        at += header->size;
    }
    __atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct pending *left = a, *right = b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at; // a ring's own order
}

static void handle_mmap2(const struct mmap2_record *record, struct processes *processes)
{
    // By the file: a build id alone (attr.build_id) does not say which of those that have it.
    struct binary_identity identity = {.path = record->path,
                                       .file = {.inode = record->inode,
                                                .device = record->major << 20 | record->minor,
                                                .generation = (uint32_t)record->generation}};
    processes__on_mmap(processes, record->pid, record->address, record->length, record->page_offset, &identity);
}

static void handle(struct perf_records *records, const struct perf_event_header *header, struct processes *processes)
{
    switch (header->type) {
    case PERF_RECORD_MMAP2:
        handle_mmap2((const void *)header, processes);
        break;
    case PERF_RECORD_COMM: {
        const struct comm_record *comm = (const void *)header;
        processes__on_comm(processes, comm->pid, comm->pid == comm->tid, comm->comm,
                           header->misc & PERF_RECORD_MISC_COMM_EXEC);
        break;
    }
    case PERF_RECORD_FORK: {
        const struct task_record *task = (const void *)header;
        if (task->pid != task->parent_pid) // not a new thread
            processes__on_fork(processes, task->pid, task->parent_pid, task->time_ns + records->suspended_ns);
        break;
    }
    case PERF_RECORD_EXIT: {
        // The leader may leave before its threads do; a process is taken to be gone with its leader, and what its
        // other threads do after that is still found until the drain is over.
        const struct task_record *task = (const void *)header;
        if (task->pid == task->tid)
            processes__on_exit(processes, task->pid);
        break;
    }
    case PERF_RECORD_LOST:
        records->lost += ((const struct lost_record *)(const void *)header)->lost;
        processes__on_lost(processes);
        break;
    case PERF_RECORD_THROTTLE:
    case PERF_RECORD_UNTHROTTLE:
        count_throttling(records, (const void *)header);
        break;
    }
}

static int drop_handled(struct perf_records *records)
{
    struct buf *kept = &records->spare;
    buf__clear(kept);
    for (size_t i = records->handled; i < records->pending_count; i++) {
        const struct perf_event_header *header = (const void *)(records->buffer.data + records->pending[i].at);
        records->pending[i - records->handled] =
            (struct pending){.time_ns = records->pending[i].time_ns, .at = kept->length_bytes};
        buf__append(kept, header, header->size);
    }
    if (kept->failed)
        return -ENOMEM;
    records->pending_count -= records->handled;
    records->handled = 0;
    struct buf emptied = records->buffer;
    records->buffer = records->spare;
    records->spare = emptied;
    return 0;
}

static int copy_rings(struct perf_records *records)
{
    uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);
    records->suspended_ns = clock__ns(CLOCK_BOOTTIME) - now_ns;
    int err = drop_handled(records);
    for (size_t i = 0; i < records->ring_count && !err; i++)
        if (records->rings[i].page)
            err = copy_ring(records, &records->rings[i]);
    qsort(records->pending, records->pending_count, sizeof(*records->pending), by_time);
    records->copied_ns = now_ns;
    return err;
}

int perf_records__read_to(struct perf_records *records, struct processes *processes, uint64_t time_ns)
{
    int err = time_ns > records->copied_ns ? copy_rings(records) : 0;
    uint64_t end_ns = time_ns < records->copied_ns ? time_ns : records->copied_ns;
    for (; records->handled < records->pending_count && records->pending[records->handled].time_ns <= end_ns;
         records->handled++)
        handle(records, (const void *)(records->buffer.data + records->pending[records->handled].at), processes);
    return err;
}

int perf_records__read(struct perf_records *records, struct processes *processes)
{
    return perf_records__read_to(records, processes, clock__ns(CLOCK_MONOTONIC));
}
