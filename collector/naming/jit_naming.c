#include "collector/naming/jit_naming.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "collector/naming/jit_process.h"
#include "store/base/clock.h"
#include "store/base/grow.h"
#include "store/base/limits.h"
#include "store/system/thread.h"

struct request { // tag 0: only seen
    struct jit_owner owner;
    uint64_t address;
    uint64_t tag;
};

struct requests {
    struct request *rows;
    size_t count, capacity;
};

struct jit_naming {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool has_thread;
    struct requests wanted; // the main thread's, until jit_naming__start
    struct requests queued; // under the lock, as the rest
    size_t seen_count;      // of those queued
    uint64_t round;
    bool stop, finishing, is_finished;
    uint64_t failed;
    size_t left; // handed to the thread, and not named yet
    // The thread's alone.
    struct worker *worker;
    jit_named_fn *take;
    void *context;
    struct jit_process **processes;
    size_t count, count_max;
    size_t unnamed; // addresses without a name, of all
    uint64_t rests_until_ns, checked_round;
};

static int add_request(struct requests *requests, const struct request *request)
{
    if (GROW(requests->rows, requests->capacity, requests->count + 1) != 0)
        return -ENOMEM;
    requests->rows[requests->count++] = *request;
    return 0;
}

// --- The thread: who is known

static void count_failure(struct jit_naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    naming->failed++;
    pthread_mutex_unlock(&naming->lock);
}

static void drop(struct jit_naming *naming, size_t index)
{
    struct jit_process *process = naming->processes[index];
    if (process->has_failed || process->count)
        count_failure(naming);
    naming->unnamed -= process->count;
    jit_process__free(process);
    naming->processes[index] = naming->processes[--naming->count];
}

// The one that can be done without: one that has ended, else the one not wanted for the longest.
static size_t least_used(const struct jit_naming *naming)
{
    size_t least = 0;
    for (size_t i = 1; i < naming->count; i++) {
        const struct jit_process *a = naming->processes[i], *b = naming->processes[least];
        bool a_is_done = a->has_ended && !a->count, b_is_done = b->has_ended && !b->count;
        if (a_is_done != b_is_done ? a_is_done : a->used < b->used)
            least = i;
    }
    return least;
}

static struct jit_process *find(struct jit_naming *naming, const struct jit_owner *owner)
{
    for (size_t i = naming->count; i-- > 0;) // the newest is asked for most
        if (jit_owner__is(&naming->processes[i]->owner, owner))
            return naming->processes[i];
    return NULL;
}

static struct jit_process *get(struct jit_naming *naming, const struct jit_owner *owner)
{
    struct jit_process *process = find(naming, owner);
    if (process)
        return process;
    if (naming->count == naming->count_max)
        drop(naming, least_used(naming));
    if (jit_process__new(owner, &process) != 0)
        return NULL;
    process->used = naming->checked_round;
    naming->processes[naming->count++] = process;
    return process;
}

static void make_room(struct jit_naming *naming)
{
    struct jit_process *most = NULL;
    for (size_t i = 0; i < naming->count; i++)
        if (!most || naming->processes[i]->count > most->count)
            most = naming->processes[i];
    if (naming->unnamed < LIMIT_JIT_UNNAMED || !most)
        return;
    naming->unnamed -= most->count;
    jit_process__drop_half(most);
    naming->unnamed += most->count;
}

static void take_requests(struct jit_naming *naming, const struct requests *requests)
{
    struct jit_process *process = NULL;
    for (size_t i = 0; i < requests->count; i++) {
        const struct request *request = &requests->rows[i];
        if (!process || !jit_owner__is(&process->owner, &request->owner))
            process = get(naming, &request->owner);
        if (!process || !request->tag)
            continue;
        make_room(naming);
        process->used = naming->checked_round;
        size_t before = process->count;
        jit_process__add(process, request->address, request->tag, clock__ns(CLOCK_MONOTONIC));
        naming->unnamed += process->count - before;
    }
}

// Once a round: who has ended is asked for the last time, and forgotten when two rounds have brought nothing more.
static void check_all(struct jit_naming *naming, uint64_t round)
{
    naming->checked_round = round;
    for (size_t i = naming->count; i-- > 0;) {
        struct jit_process *process = naming->processes[i];
        bool had_ended = process->has_ended;
        jit_process__check(process, clock__ns(CLOCK_MONOTONIC));
        if (process->has_ended && !had_ended)
            process->used = round;
        if (process->has_ended && !process->count && process->used + 2 <= round)
            drop(naming, i);
    }
}

// --- The thread: asking

static struct jit_process *next(struct jit_naming *naming, bool is_last)
{
    struct jit_process *next = NULL;
    for (size_t i = 0; i < naming->count; i++) {
        struct jit_process *process = naming->processes[i];
        if (process->count && (!next || process->due_ns < next->due_ns))
            next = process;
    }
    if (is_last || !next || next->due_ns == UINT64_MAX)
        return is_last ? next : NULL;
    return next;
}

static uint64_t when(const struct jit_naming *naming, const struct jit_process *process)
{
    return !process ? UINT64_MAX : process->due_ns > naming->rests_until_ns ? process->due_ns : naming->rests_until_ns;
}

static void ask(struct jit_naming *naming, struct jit_process *process, bool is_last)
{
    naming->unnamed -= process->count;
    uint64_t cost_us = jit_process__ask(process, naming->worker, is_last, naming->take, naming->context);
    naming->unnamed += process->count;
    jit_process__wait(process, clock__ns(CLOCK_MONOTONIC), cost_us);
    naming->rests_until_ns = clock__ns(CLOCK_MONOTONIC) + cost_us * 1000 * LIMIT_JIT_REST_OF_ALL;
}

static void wait_until(struct jit_naming *naming, uint64_t time_ns)
{
    struct timespec time = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
    if (time_ns == UINT64_MAX)
        pthread_cond_wait(&naming->changed, &naming->lock);
    else
        pthread_cond_timedwait(&naming->changed, &naming->lock, &time);
}

// One thing that is to be done, without the lock. False: there is none before *ret_ns.
static bool do_next(struct jit_naming *naming, uint64_t *ret_ns)
{
    struct requests requests = naming->queued;
    uint64_t round = naming->round;
    bool is_last = naming->finishing && !naming->is_finished;
    naming->queued = (struct requests){0};
    naming->seen_count = 0;
    naming->left += requests.count;
    pthread_mutex_unlock(&naming->lock);
    take_requests(naming, &requests);
    free(requests.rows);
    if (naming->checked_round != round)
        check_all(naming, round);
    struct jit_process *process = next(naming, is_last);
    *ret_ns = when(naming, process);
    bool has = process && (is_last || *ret_ns <= clock__ns(CLOCK_MONOTONIC));
    if (has)
        ask(naming, process, is_last);
    pthread_mutex_lock(&naming->lock);
    naming->left = naming->unnamed;
    return has || requests.count;
}

static void *run(void *context)
{
    struct jit_naming *naming = context;
    uint64_t time_ns;
    prctl(PR_SET_NAME, "hearth-jit"); // not lowered: it opens files of processes that are about to end
    pthread_mutex_lock(&naming->lock);
    while (!naming->stop) {
        if (do_next(naming, &time_ns) || naming->queued.count || naming->round != naming->checked_round)
            continue;
        if (naming->finishing && !naming->is_finished) {
            naming->is_finished = true;
            pthread_cond_broadcast(&naming->changed);
        }
        if (!naming->stop)
            wait_until(naming, time_ns);
    }
    pthread_mutex_unlock(&naming->lock);
    return NULL;
}

// --- From outside

// Each process takes some three descriptors.
static size_t processes_max(void)
{
    struct rlimit limit;
    size_t most = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur / 16 : LIMIT_JIT_PROCESSES;
    return most < LIMIT_JIT_PROCESSES ? most + 1 : LIMIT_JIT_PROCESSES;
}

int jit_naming__new(struct worker *worker, jit_named_fn *take, void *context, struct jit_naming **ret_naming)
{
    _cleanup_(jit_naming__freep) struct jit_naming *naming = calloc(1, sizeof(*naming));
    if (!naming)
        return -ENOMEM;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&naming->lock, NULL);
    pthread_cond_init(&naming->changed, &attributes);
    naming->worker = worker;
    naming->take = take;
    naming->context = context;
    naming->count_max = processes_max();
    naming->processes = calloc(naming->count_max, sizeof(struct jit_process *));
    if (!naming->processes)
        return -ENOMEM;
    int err = thread__start(run, naming, &naming->thread);
    naming->has_thread = !err;
    if (!err)
        *ret_naming = take_pointer(naming);
    return err;
}

void jit_naming__free(struct jit_naming *naming)
{
    if (!naming)
        return;
    pthread_mutex_lock(&naming->lock);
    naming->stop = true;
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
    if (naming->has_thread)
        pthread_join(naming->thread, NULL);
    for (size_t i = 0; i < naming->count; i++)
        jit_process__free(naming->processes[i]);
    free(naming->processes);
    free(naming->wanted.rows);
    free(naming->queued.rows);
    pthread_mutex_destroy(&naming->lock);
    pthread_cond_destroy(&naming->changed);
    free(naming);
}

void jit_naming__see(struct jit_naming *naming, const struct jit_owner *owner)
{
    pthread_mutex_lock(&naming->lock);
    if (naming->seen_count < LIMIT_JIT_SEEN && add_request(&naming->queued, &(struct request){.owner = *owner}) == 0)
        naming->seen_count++;
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
}

int jit_naming__want(struct jit_naming *naming, const struct jit_owner *owner, uint64_t address, uint64_t tag)
{
    return add_request(&naming->wanted, &(struct request){*owner, address, tag});
}

void jit_naming__start(struct jit_naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    for (size_t i = 0; i < naming->wanted.count; i++)
        add_request(&naming->queued, &naming->wanted.rows[i]); // without memory, they stay nameless
    naming->wanted.count = 0;
    naming->round++;
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
}

bool jit_naming__is_idle(struct jit_naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    bool is_idle = !naming->wanted.count && !naming->queued.count && !naming->left;
    pthread_mutex_unlock(&naming->lock);
    return is_idle;
}

void jit_naming__finish(struct jit_naming *naming)
{
    struct timespec deadline;
    jit_naming__start(naming);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += LIMIT_JIT_END_S;
    pthread_mutex_lock(&naming->lock);
    naming->finishing = true;
    pthread_cond_broadcast(&naming->changed);
    for (int err = 0; !err && !naming->is_finished;)
        err = pthread_cond_timedwait(&naming->changed, &naming->lock, &deadline);
    if (!naming->is_finished)
        naming->failed++;
    naming->is_finished = true;
    pthread_mutex_unlock(&naming->lock);
}

uint64_t jit_naming__failed(struct jit_naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    uint64_t failed = naming->failed;
    pthread_mutex_unlock(&naming->lock);
    return failed;
}
