#include "collector/who/processes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/who/mappings.h"
#include "collector/who/procfs.h"
#include "store/base/grow.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"

// /proc counts start times in ticks of 10 ms; a fork's record is written some microseconds after the start time is
// taken.
enum { START_TOLERANCE_NS = 25 * 1000 * 1000 };

struct processes {
    struct binaries *binaries;
    int64_t boot_offset_ns;
    struct id_map by_tgid; // -> index into slots, the newest of that tgid
    struct process **slots;
    size_t slot_count;
    size_t count;
    size_t sampled_count; // the others are only heard of
    uint64_t replaced;
    bool chosen_only, follow_forks;
    uint32_t *exited; // tgids with something to forget
    size_t exited_count, exited_capacity;
};

int processes__new(struct binaries *binaries, int64_t boot_offset_ns, struct processes **ret_processes)
{
    struct processes *processes = calloc(1, sizeof(*processes));
    if (!processes)
        return -ENOMEM;
    processes->binaries = binaries;
    processes->boot_offset_ns = boot_offset_ns;
    *ret_processes = processes;
    return 0;
}

static void process__free(struct process *process)
{
    mappings__release(&process->mappings);
    mappings__release(&process->before_exec);
    free(process->exe);
    free(process);
}

void processes__free(struct processes *processes)
{
    if (!processes)
        return;
    for (size_t i = 0; i < processes->slot_count; i++)
        for (struct process *process = processes->slots[i], *next; process; process = next) {
            next = process->next;
            process__free(process);
        }
    free(processes->slots);
    free(processes->exited);
    id_map__release(&processes->by_tgid);
    free(processes);
}

// The slot of a tgid: a list, newest first.
static struct process **slot_of(struct processes *processes, uint32_t tgid)
{
    uint32_t index;
    if (id_map__get(&processes->by_tgid, tgid, &index))
        return &processes->slots[index];
    if (RESIZE(processes->slots, processes->slot_count + 1) != 0)
        return NULL;
    if (id_map__put(&processes->by_tgid, tgid, (uint32_t)processes->slot_count))
        return NULL;
    processes->slots[processes->slot_count] = NULL;
    return &processes->slots[processes->slot_count++];
}

static struct process *newest(struct processes *processes, uint32_t tgid)
{
    uint32_t index;
    return id_map__get(&processes->by_tgid, tgid, &index) ? processes->slots[index] : NULL;
}

static size_t heard_of(const struct processes *processes)
{
    return processes->count - processes->sampled_count;
}

static bool has_room(const struct processes *processes, bool sampled)
{
    return (sampled ? processes->sampled_count : heard_of(processes)) < LIMIT_PROCESSES;
}

static struct process *add_as(struct processes *processes, uint32_t tgid, uint64_t start_boot_ns, bool sampled)
{
    struct process **slot = has_room(processes, sampled) ? slot_of(processes, tgid) : NULL;
    struct process *process = slot ? calloc(1, sizeof(*process)) : NULL;
    if (!process)
        return NULL;
    process->sampled = sampled;
    processes->sampled_count += sampled;
    process->tgid = tgid;
    process->start_boot_ns = start_boot_ns;
    process->next = *slot;
    *slot = process;
    processes->count++;
    return process;
}

static struct process *add(struct processes *processes, uint32_t tgid, uint64_t start_boot_ns)
{
    return add_as(processes, tgid, start_boot_ns, false);
}

// Everything /proc knows of a process: what ran before the recording did, or whose records were lost.
static void learn(struct processes *processes, struct process *process)
{
    process->learned = true;
    struct procfs_process seen;
    if (procfs__read(process->tgid, &seen) != 0)
        return;
    if (process->start_boot_ns && (process->start_boot_ns > seen.start_boot_ns + START_TOLERANCE_NS ||
                                   seen.start_boot_ns > process->start_boot_ns + START_TOLERANCE_NS))
        return; // its PID is somebody else's by now
    process->start_boot_ns = process->start_boot_ns ? process->start_boot_ns : seen.start_boot_ns;
    process->parent = seen.parent;
    memcpy(process->comm, seen.comm, sizeof(process->comm));
    if (!process->exe && seen.exe[0])
        process->exe = strdup(seen.exe);
    procfs__read_mappings(process->tgid, processes->binaries, &process->mappings);
}

static struct process *learn_new(struct processes *processes, uint32_t tgid)
{
    struct process *process = add(processes, tgid, 0);
    if (process)
        learn(processes, process);
    return process;
}

int processes__choose(struct processes *processes, uint32_t tgid, bool follow_forks)
{
    processes->chosen_only = true;
    processes->follow_forks = follow_forks;
    return newest(processes, tgid) || add(processes, tgid, 0) ? 0 : -ENOMEM;
}

// Whether what this process forks is kept.
static bool is_followed(const struct processes *processes, const struct process *parent)
{
    return !processes->chosen_only || (processes->follow_forks && parent && !parent->exited);
}

void processes__on_fork(struct processes *processes, uint32_t tgid, uint32_t parent_tgid, uint64_t time_ns)
{
    struct process *parent = newest(processes, parent_tgid);
    if (!is_followed(processes, parent))
        return;
    if (!parent)
        parent = learn_new(processes, parent_tgid);
    struct process *child = add(processes, tgid, time_ns + (uint64_t)processes->boot_offset_ns);
    if (!child || !parent)
        return;
    child->parent = child->forked_from = parent_tgid;
    child->learned = parent->learned;
    memcpy(child->comm, parent->comm, sizeof(child->comm));
    child->exe = parent->exe ? strdup(parent->exe) : NULL;
    mappings__copy(&child->mappings, &parent->mappings);
}

static void remember_exited(struct processes *processes, uint32_t tgid)
{
    if (GROW(processes->exited, processes->exited_capacity, processes->exited_count + 1) != 0)
        return; // kept until the table is freed
    processes->exited[processes->exited_count++] = tgid;
}

void processes__on_comm(struct processes *processes, uint32_t tgid, bool leader, const char *comm, bool exec)
{
    struct process *process = newest(processes, tgid);
    if (!process && exec &&
        !processes->chosen_only) // forked before the recording; from here on its records tell everything
        process = add(processes, tgid, 0);
    if (!process)
        return; // told by /proc when it is sampled
    if (leader || exec)
        snprintf(process->comm, sizeof(process->comm), "%s", comm);
    if (!exec)
        return;
    mappings__release(&process->before_exec);
    process->before_exec = process->mappings;
    process->mappings = (struct mappings){0};
    process->forked_from = 0;
    process->learned = true;
    process->exec_pending = true;
    remember_exited(processes, tgid); // so that before_exec is freed after the drain
}

void processes__on_mmap(struct processes *processes, uint32_t tgid, uint64_t start, uint64_t length,
                        uint64_t file_offset, const struct binary_identity *identity)
{
    struct process *process = newest(processes, tgid);
    struct mapping mapping = {.start = start, .end = start + length, .file_offset = file_offset};
    if (!process || length == 0 || mapping.end < start)
        return;
    if (binaries__get(processes->binaries, identity, &mapping.binary) != 0)
        return;
    processes->replaced += mappings__replaces(&process->mappings, &mapping);
    mappings__add(&process->mappings, &mapping);
    if (process->exec_pending && mapping.binary->kind == STORE_BINARY_ELF) {
        free(process->exe);
        process->exe = strdup(identity->path);
        process->exec_pending = false;
    }
}

void processes__on_exit(struct processes *processes, uint32_t tgid)
{
    struct process *process = newest(processes, tgid);
    if (!process || process->exited)
        return;
    process->exited = true;
    remember_exited(processes, tgid);
}

static bool started_then(const struct process *process, uint64_t start_boot_ns)
{
    uint64_t known = process->start_boot_ns;
    return !known || (known < start_boot_ns + START_TOLERANCE_NS && start_boot_ns < known + START_TOLERANCE_NS);
}

// From here on it counts as sampled, and is the process that started then.
static struct process *set_apart(struct processes *processes, struct process *process, uint64_t start_boot_ns)
{
    if (!process->start_boot_ns)
        process->start_boot_ns = start_boot_ns;
    if (process->sampled)
        return process;
    if (!has_room(processes, true))
        return NULL;
    process->sampled = true;
    processes->sampled_count++;
    return process;
}

struct process *processes__get(struct processes *processes, uint32_t tgid, uint64_t start_boot_ns)
{
    struct process *process = newest(processes, tgid);
    while (process && !started_then(process, start_boot_ns))
        process = process->next;
    process = process ? set_apart(processes, process, start_boot_ns) : add_as(processes, tgid, start_boot_ns, true);
    if (process && !process->learned)
        learn(processes, process);
    return process;
}

const struct mapping *process__find(struct processes *processes, struct process *process, uint64_t address)
{
    (void)processes;
    const struct mapping *found = mappings__find(&process->mappings, address);
    return found ? found : mappings__find(&process->before_exec, address);
}

// Slots of tgids that nobody has any more would add up over weeks, to as many as there are PIDs.
static void drop_empty_slots(struct processes *processes)
{
    if (processes->slot_count < 2 * processes->count + 1024)
        return;
    size_t kept = 0;
    id_map__clear(&processes->by_tgid);
    for (size_t i = 0; i < processes->slot_count; i++) {
        struct process *process = processes->slots[i];
        // The table only shrinks here, so that putting cannot fail.
        if (process && id_map__put(&processes->by_tgid, process->tgid, (uint32_t)kept) == 0)
            processes->slots[kept++] = process;
    }
    processes->slot_count = kept;
}

void processes__forget_exited(struct processes *processes)
{
    for (size_t i = 0; i < processes->exited_count; i++) {
        uint32_t index;
        if (!id_map__get(&processes->by_tgid, processes->exited[i], &index))
            continue;
        for (struct process **at = &processes->slots[index]; *at;) {
            struct process *process = *at;
            mappings__release(&process->before_exec);
            if (!process->exited) {
                at = &process->next;
                continue;
            }
            *at = process->next;
            processes->sampled_count -= process->sampled;
            processes->count--;
            process__free(process);
        }
    }
    processes->exited_count = 0;
    drop_empty_slots(processes);
}

uint64_t processes__replaced(const struct processes *processes)
{
    return processes->replaced;
}

bool processes__is_crowded(const struct processes *processes)
{
    return heard_of(processes) >= LIMIT_PROCESSES / 2 && processes->exited_count >= LIMIT_PROCESSES / 4;
}
