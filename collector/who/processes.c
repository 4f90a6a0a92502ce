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
    struct id_map by_tgid; // -> index into slots, the newest of that tgid
    struct process **slots;
    size_t slot_count;
    size_t count;
    size_t sampled_count; // the others are only heard of
    uint64_t replaced;
    uint64_t losses, swept; // of records; the last one after which the table was looked through for who is gone
    bool chosen_only, follow_forks;
    uint32_t *exited; // tgids with something to forget
    size_t exited_count, exited_capacity;
};

int processes__new(struct binaries *binaries, struct processes **ret_processes)
{
    struct processes *processes = calloc(1, sizeof(*processes));
    if (!processes)
        return -ENOMEM;
    processes->binaries = binaries;
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

static bool starts_match(uint64_t a_boot_ns, uint64_t b_boot_ns)
{
    return a_boot_ns <= b_boot_ns + START_TOLERANCE_NS && b_boot_ns <= a_boot_ns + START_TOLERANCE_NS;
}

// False: the process is gone, and its PID may be somebody else's by now.
static bool read_if_alive(const struct process *process, struct procfs_process *ret_seen)
{
    return procfs__read(process->tgid, ret_seen) == 0 &&
           (!process->start_boot_ns || starts_match(process->start_boot_ns, ret_seen->start_boot_ns));
}

// Everything /proc knows of a process: what ran before the recording did, or whose records were lost.
static void learn(struct processes *processes, struct process *process)
{
    process->learned = true;
    process->losses_known = processes->losses;
    struct procfs_process seen;
    if (!read_if_alive(process, &seen))
        return;
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

void processes__on_fork(struct processes *processes, uint32_t tgid, uint32_t parent_tgid, uint64_t start_boot_ns)
{
    struct process *parent = newest(processes, parent_tgid);
    if (!is_followed(processes, parent))
        return;
    if (!parent)
        parent = learn_new(processes, parent_tgid);
    struct process *child = add(processes, tgid, start_boot_ns);
    if (!child || !parent)
        return;
    child->parent = child->forked_from = parent_tgid;
    child->learned = parent->learned;
    child->losses_known = parent->losses_known;
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
    process->overfull = process->has_most = false;
    process->learned = true;
    process->losses_known = processes->losses;
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
    process->overfull |= mappings__add(&process->mappings, &mapping) == -ENOSPC && !process->has_most;
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

void processes__on_lost(struct processes *processes)
{
    processes->losses++;
    processes->replaced++;
}

// The same path, though one of the two may begin at another root directory.
static bool is_same_file(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b), length = a_length < b_length ? a_length : b_length;
    return strcmp(a + a_length - length, b + b_length - length) == 0;
}

static void take_exe(struct process *process, const char *exe)
{
    if (!exe[0] || (process->exe && is_same_file(process->exe, exe)))
        return;
    free(process->exe);
    process->exe = strdup(exe);
    process->forked_from = 0;
    process->exec_pending = false;
}

// After records were lost, or when there is no room for a mapping, since many of those that are known may be gone. The
// process's samples since the last drain may be older than what /proc says now: they find the mappings that were known,
// as those from before an exec do.
static void learn_again(struct processes *processes, struct process *process)
{
    process->losses_known = processes->losses;
    process->overfull = false;
    struct procfs_process seen;
    if (process->exited || !read_if_alive(process, &seen))
        return;
    memcpy(process->comm, seen.comm, sizeof(process->comm));
    take_exe(process, seen.exe);
    struct mappings *old = process->before_exec.count ? &process->mappings : &process->before_exec;
    mappings__release(old);
    if (old == &process->before_exec)
        process->before_exec = process->mappings;
    process->mappings = (struct mappings){0};
    procfs__read_mappings(process->tgid, processes->binaries, &process->mappings);
    process->has_most = process->mappings.count > LIMIT_MAPPINGS_A_PROCESS / 2;
    remember_exited(processes, process->tgid); // so that before_exec is freed after the drain
}

static bool started_then(const struct process *process, uint64_t start_boot_ns)
{
    return !process->start_boot_ns || starts_match(process->start_boot_ns, start_boot_ns);
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
    else if (process && (process->overfull || process->losses_known != processes->losses))
        learn_again(processes, process);
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

// Finds the processes whose exit record was lost. They stay for one more drain, as all do that have exited.
static void find_gone(struct processes *processes)
{
    if (processes->swept == processes->losses)
        return;
    processes->swept = processes->losses;
    for (size_t i = 0; i < processes->slot_count; i++)
        for (struct process *process = processes->slots[i]; process; process = process->next) {
            uint64_t start_boot_ns;
            if (!process->exited &&
                (procfs__start(process->tgid, &start_boot_ns) != 0 || !started_then(process, start_boot_ns))) {
                process->exited = true;
                remember_exited(processes, process->tgid);
            }
        }
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
    find_gone(processes);
}

uint64_t processes__replaced(const struct processes *processes)
{
    return processes->replaced;
}

bool processes__is_crowded(const struct processes *processes)
{
    return heard_of(processes) >= LIMIT_PROCESSES / 2 && processes->exited_count >= LIMIT_PROCESSES / 4;
}
