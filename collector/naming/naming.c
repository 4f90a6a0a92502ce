#include "collector/naming/naming.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collector/naming/naming_batches.h"
#include "collector/naming/resolvers.h"
#include "collector/who/processes.h"
#include "store/base/buf.h"
#include "store/base/byte_reader.h"
#include "store/base/id_map.h"
#include "store/base/limits.h"
#include "store/system/priority.h"
#include "store/system/thread.h"
#include "symbolizer/worker/worker.h"

// A binary that takes the quick lane too long is named in the slow one, so that the others go on.
enum { QUICK, SLOW, LANES };

struct lane {
    struct naming *naming;
    struct symbolizer *symbolizer; // the thread's alone
    pthread_t thread;
    bool has_thread;
    pid_t tid;                       // under the lock; 0: not begun
    struct batches queued;           // under the lock, as the rest
    bool working;                    // the thread is at what was queued
    size_t left;                     // batches of that still to be named
    struct symbolizer_counts counts; // as the thread last saw them
};

struct naming {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lane lanes[LANES];
    struct worker *worker; // borrowed; NULL: the symbolizers have their own
    struct jit_naming *jit;
    struct batches wanted; // the main thread's, until naming__start
    struct id_map slow;    // numbers of binaries; the quick thread's
    bool stop;             // under the lock
    uint64_t late;         // batches given up at the end
    // Under the lock: names found, packed as tag, length, then for each line function NUL file NUL line. A lane waits
    // while there are too many.
    struct buf found;
    struct buf taken; // the main thread's: of these, those up to `taken_bytes` have been collected
    size_t taken_bytes;
    bool is_ending;           // under the lock, where the lanes read it: there is a deadline
    struct timespec deadline; // CLOCK_MONOTONIC: of naming__wait, set by its first call
};

// --- What is wanted

static int want_of_process(struct naming *naming, const struct process *process, uint64_t address, uint64_t tag)
{
    const struct jit_owner owner = {.tgid = process->tgid,
                                    .forked_from = process->forked_from,
                                    .start_boot_ns = process->start_boot_ns,
                                    .uid = process->uid};
    return jit_naming__want(naming->jit, &owner, address, tag);
}

int naming__want(struct naming *naming, const struct code *code, uint64_t place, uint64_t tag)
{
    const struct resolver *resolver = resolvers__of(code->kind);
    if (resolver->by_process)
        return want_of_process(naming, code->process, code->start + place, tag);
    const struct batch like = {.kind = code->kind, .binary = code->binary, .guests = code->guests};
    return resolver->resolve ? batches__add(&naming->wanted, &like, code->start + place, tag) : 0;
}

void naming__see_jit(struct naming *naming, const struct jit_owner *owner)
{
    jit_naming__see(naming->jit, owner);
}

// --- The thread

struct taking {
    struct naming *naming;
    struct buf packed;
    const uint64_t *tags;
};

// Hands the names over, once fewer than LIMIT_NAMES_FOUND_BYTES wait for the main thread.
static void hand_in(struct taking *taking)
{
    struct naming *naming = taking->naming;
    if (!taking->packed.length_bytes)
        return;
    pthread_mutex_lock(&naming->lock);
    while (naming->found.length_bytes >= LIMIT_NAMES_FOUND_BYTES && !naming->stop)
        pthread_cond_wait(&naming->changed, &naming->lock);
    if (!taking->packed.failed && !naming->stop)
        buf__append(&naming->found, taking->packed.data, taking->packed.length_bytes);
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
    buf__release(&taking->packed);
}

static void take_chain(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct taking *taking = context;
    buf__append_varint(&taking->packed, taking->tags[index]);
    buf__append_varint(&taking->packed, length);
    for (size_t i = 0; i < length; i++) {
        const char *function = chain[i].function ? chain[i].function : "??", *file = chain[i].file ? chain[i].file : "";
        buf__append(&taking->packed, function, strlen(function) + 1);
        buf__append(&taking->packed, file, strlen(file) + 1);
        buf__append_varint(&taking->packed, chain[i].line);
    }
    if (taking->packed.length_bytes >= LIMIT_NAMES_FOUND_BYTES / 2 || taking->packed.failed)
        hand_in(taking);
}

static void take_jit(uint64_t tag, const struct symbol *symbol, void *context)
{
    struct naming *naming = context;
    struct taking taking = {.tags = &tag};
    take_chain(0, symbol, 1, &taking);
    pthread_mutex_lock(&naming->lock);
    if (!taking.packed.failed)
        buf__append(&naming->found, taking.packed.data, taking.packed.length_bytes);
    pthread_mutex_unlock(&naming->lock);
    buf__release(&taking.packed);
}

static int name_batch(struct lane *lane, const struct batch *batch, struct taking *taking)
{
    taking->tags = batch->tags;
    return resolvers__of(batch->kind)->resolve(lane->symbolizer, batch, take_chain, taking);
}

// In the quick lane: whether the batch is one for the slow lane.
static bool is_known_as_slow(const struct naming *naming, const struct batch *batch)
{
    uint32_t ignored;
    return batch->binary && id_map__get(&naming->slow, batch->binary->number, &ignored);
}

static void hand_over(struct naming *naming, const struct batch *batch)
{
    if (batch->binary)
        id_map__put(&naming->slow, batch->binary->number, 1); // or it is tried in vain once more
    pthread_mutex_lock(&naming->lock);
    batches__join(&naming->lanes[SLOW].queued, batch); // without memory, they stay nameless
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
}

static void name_all(struct lane *lane, struct batches *batches)
{
    struct naming *naming = lane->naming;
    bool is_quick = lane == &naming->lanes[QUICK];
    for (size_t i = 0; i < batches->count; i++) {
        const struct batch *batch = &batches->rows[i];
        struct taking taking = {.naming = naming};
        if (is_quick && (is_known_as_slow(naming, batch) || name_batch(lane, batch, &taking) == -EAGAIN))
            hand_over(naming, batch);
        else if (!is_quick)
            name_batch(lane, batch, &taking);
        hand_in(&taking);
        pthread_mutex_lock(&naming->lock);
        lane->counts = symbolizer__counts(lane->symbolizer);
        lane->left = batches->count - i - 1;
        bool stop = naming->stop;
        pthread_mutex_unlock(&naming->lock);
        if (stop)
            return;
    }
}

static void *run(void *argument)
{
    struct lane *lane = argument;
    struct naming *naming = lane->naming;
    pthread_mutex_lock(&naming->lock);
    if (!naming->is_ending)
        priority__lower();
    lane->tid = gettid();
    while (!naming->stop) {
        if (!lane->queued.count) {
            pthread_cond_wait(&naming->changed, &naming->lock);
            continue;
        }
        struct batches batches = lane->queued;
        lane->queued = (struct batches){0};
        lane->working = true;
        lane->left = batches.count;
        pthread_mutex_unlock(&naming->lock);
        name_all(lane, &batches);
        batches__release(&batches);
        pthread_mutex_lock(&naming->lock);
        lane->working = false;
        pthread_cond_broadcast(&naming->changed);
    }
    pthread_mutex_unlock(&naming->lock);
    return NULL;
}

static int new_symbolizer(struct lane *lane, const struct symbolizer_options *options, struct fault *fault)
{
    struct symbolizer_options own = *options;
    own.is_quick = lane == &lane->naming->lanes[QUICK];
    int err = symbolizer__new(&own, fault, &lane->symbolizer);
    if (!err || !own.cache_dir)
        return err;
    own.cache_dir = NULL; // a cache that cannot be used is no reason not to record
    if (own.is_quick)
        fault__warn("%s; going on without it", fault ? fault->text : "the cache of names cannot be used");
    return symbolizer__new(&own, fault, &lane->symbolizer);
}

static int start_lane(struct lane *lane, const struct symbolizer_options *options, struct fault *fault)
{
    int err = new_symbolizer(lane, options, fault);
    if (err)
        return err;
    err = thread__start(run, lane, &lane->thread);
    lane->has_thread = !err;
    return err ? fault__set(fault, err, "cannot start a naming thread: %s", strerror(-err)) : 0;
}

int naming__new(const struct symbolizer_options *options, struct fault *fault, struct naming **ret_naming)
{
    _cleanup_(naming__freep) struct naming *naming = calloc(1, sizeof(*naming));
    if (!naming)
        return fault__set(fault, -ENOMEM, "out of memory");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&naming->lock, NULL);
    pthread_cond_init(&naming->changed, &attributes);
    naming->worker = options->worker;
    if (naming->worker)
        worker__lower(naming->worker);
    int err = 0;
    for (int i = 0; i < LANES && !err; i++) {
        naming->lanes[i].naming = naming;
        err = start_lane(&naming->lanes[i], options, fault);
    }
    if (!err && (err = jit_naming__new(naming->worker, take_jit, naming, &naming->jit)) != 0)
        fault__set(fault, err, "cannot start a naming thread: %s", strerror(-err));
    if (!err)
        *ret_naming = take_pointer(naming);
    return err;
}

void naming__free(struct naming *naming)
{
    if (!naming)
        return;
    pthread_mutex_lock(&naming->lock);
    naming->stop = true;
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
    if (naming->worker)
        worker__cancel(naming->worker);
    jit_naming__free(naming->jit);
    for (int i = 0; i < LANES; i++) {
        if (naming->lanes[i].has_thread)
            pthread_join(naming->lanes[i].thread, NULL);
        symbolizer__free(naming->lanes[i].symbolizer);
        batches__release(&naming->lanes[i].queued);
    }
    batches__release(&naming->wanted);
    id_map__release(&naming->slow);
    buf__release(&naming->found);
    buf__release(&naming->taken);
    pthread_mutex_destroy(&naming->lock);
    pthread_cond_destroy(&naming->changed);
    free(naming);
}

// --- Between the two

static void queue_wanted(struct naming *naming)
{
    naming->lanes[QUICK].queued = naming->wanted;
    naming->wanted = (struct batches){0};
    pthread_cond_broadcast(&naming->changed);
}

void naming__start(struct naming *naming)
{
    jit_naming__start(naming->jit);
    if (!naming->wanted.count)
        return;
    pthread_mutex_lock(&naming->lock);
    if (!naming->lanes[QUICK].queued.count) // else it waits for the next time, and becomes a larger batch
        queue_wanted(naming);
    pthread_mutex_unlock(&naming->lock);
}

static void take_found(struct naming *naming)
{
    buf__release(&naming->taken);
    naming->taken_bytes = 0;
    pthread_mutex_lock(&naming->lock);
    naming->taken = naming->found;
    naming->found = (struct buf){0};
    pthread_cond_broadcast(&naming->changed);
    pthread_mutex_unlock(&naming->lock);
}

// One name more, from the cursor on.
static int give_name(struct byte_reader *cursor, naming_take_fn *take, void *context)
{
    struct store_line chain[LIMIT_CHAIN];
    uint64_t tag = byte_reader__uleb(cursor);
    size_t length = byte_reader__uleb(cursor), kept = 0;
    for (size_t i = 0; i < length; i++) {
        struct store_line line = {.function = (const char *)cursor->at};
        cursor->at += strlen(line.function) + 1;
        line.file = (const char *)cursor->at;
        cursor->at += strlen(line.file) + 1;
        line.line = (uint32_t)byte_reader__uleb(cursor);
        if (kept < LIMIT_CHAIN)
            chain[kept++] = line;
    }
    return take(tag, chain, kept, context);
}

int naming__collect(struct naming *naming, naming_take_fn *take, void *context)
{
    if (naming->taken_bytes == naming->taken.length_bytes)
        take_found(naming);
    const uint8_t *start = naming->taken.data, *end = start + naming->taken.length_bytes;
    int err = 0;
    while (!err && naming->taken_bytes < naming->taken.length_bytes) {
        struct byte_reader cursor = {.at = start + naming->taken_bytes, .end = end};
        err = give_name(&cursor, take, context);
        if (!err)
            naming->taken_bytes = (size_t)(cursor.at - start);
    }
    return err;
}

// Batches not named yet.
static size_t left(const struct naming *naming)
{
    size_t count = 0;
    for (int i = 0; i < LANES; i++)
        count += naming->lanes[i].queued.count + (naming->lanes[i].working ? naming->lanes[i].left : 0);
    return count;
}

static bool is_busy(const struct naming *naming)
{
    return naming->wanted.count || naming->lanes[QUICK].queued.count || naming->lanes[QUICK].working ||
           naming->lanes[SLOW].queued.count || naming->lanes[SLOW].working;
}

bool naming__is_idle(struct naming *naming)
{
    pthread_mutex_lock(&naming->lock);
    bool is_idle = !is_busy(naming) && !naming->found.length_bytes && naming->taken_bytes == naming->taken.length_bytes;
    pthread_mutex_unlock(&naming->lock);
    return is_idle && jit_naming__is_idle(naming->jit);
}

// At the end the user waits: naming gets the priority of other programs.
static void begin_ending(struct naming *naming)
{
    clock_gettime(CLOCK_MONOTONIC, &naming->deadline);
    naming->deadline.tv_sec += LIMIT_NAMING_END_S;
    pthread_mutex_lock(&naming->lock);
    naming->is_ending = true;
    for (int i = 0; i < LANES; i++)
        if (naming->lanes[i].tid)
            priority__raise_thread(naming->lanes[i].tid);
    pthread_mutex_unlock(&naming->lock);
    if (naming->worker)
        worker__raise(naming->worker);
}

bool naming__wait(struct naming *naming)
{
    if (!naming->is_ending)
        begin_ending(naming);
    pthread_mutex_lock(&naming->lock);
    int err = 0;
    while (!err && is_busy(naming) && naming->found.length_bytes < LIMIT_NAMES_FOUND_BYTES) {
        if (!naming->lanes[QUICK].queued.count && naming->wanted.count)
            queue_wanted(naming);
        err = pthread_cond_timedwait(&naming->changed, &naming->lock, &naming->deadline);
    }
    bool goes_on = !err && (is_busy(naming) || naming->found.length_bytes);
    naming->late = left(naming);
    pthread_mutex_unlock(&naming->lock);
    if (!goes_on)
        jit_naming__finish(naming->jit);
    return goes_on;
}

struct naming_losses naming__losses(struct naming *naming)
{
    struct naming_losses losses = {0};
    pthread_mutex_lock(&naming->lock);
    for (int i = 0; i < LANES; i++) {
        losses.failed += naming->lanes[i].counts.failed;
        losses.partial += naming->lanes[i].counts.fallbacks;
    }
    losses.failed += naming->late + (naming->is_ending && naming->taken_bytes < naming->taken.length_bytes);
    pthread_mutex_unlock(&naming->lock);
    losses.failed += jit_naming__failed(naming->jit);
    return losses;
}
