#include "collector/naming/jit_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"

// As in processes.c: /proc counts start times in ticks of 10 ms, a fork's record is written a little later.
enum { START_TOLERANCE_NS = 25 * 1000 * 1000 };

static bool is_near(uint64_t a, uint64_t b)
{
    return a < b + START_TOLERANCE_NS && b < a + START_TOLERANCE_NS;
}

bool jit_owner__is(const struct jit_owner *a, const struct jit_owner *b)
{
    return a->tgid == b->tgid && is_near(a->start_boot_ns, b->start_boot_ns);
}

static struct jit_place *last_place(struct jit_process *process)
{
    return &process->places[process->place_count - 1];
}

// The parents that it has the memory of: a fork keeps the place of the stack, an exec chooses another.
static void open_lineage(struct jit_process *process)
{
    while (process->place_count < JIT_LINEAGE) {
        const struct jit_place *child = last_place(process);
        struct jit_place parent;
        if (child->parent <= 1 || !child->start_stack || jit_place__open(child->parent, &parent) != 0)
            return;
        if (parent.start_stack != child->start_stack) {
            jit_place__close(&parent);
            return;
        }
        process->places[process->place_count++] = parent;
    }
}

// Of one that has ended, whose parent perf's records tell.
static void open_parent(struct jit_process *process)
{
    struct jit_place parent;
    if (!process->owner.forked_from || jit_place__open((pid_t)process->owner.forked_from, &parent) != 0)
        return;
    if (parent.start_boot_ns > process->owner.start_boot_ns + START_TOLERANCE_NS) // its PID is another's by now
        jit_place__close(&parent);
    else
        process->places[process->place_count++] = parent;
}

static void open_places(struct jit_process *process)
{
    const struct jit_owner *owner = &process->owner;
    struct jit_place *own = &process->places[0];
    int err = jit_place__open((pid_t)owner->tgid, own);
    if (!err && !is_near(own->start_boot_ns, owner->start_boot_ns)) { // its PID is another's by now
        jit_place__close(own);
        err = -ESRCH;
    }
    process->has_ended = err != 0;
    process->place_count =
        !err || jit_place__open_ended((pid_t)owner->tgid, owner->start_boot_ns, owner->uid, own) == 0;
    if (err)
        open_parent(process);
    if (process->place_count)
        open_lineage(process);
    for (size_t i = 0; i < process->place_count; i++)
        jit_place__look(&process->places[i]);
}

int jit_process__new(const struct jit_owner *owner, struct jit_process **ret_process)
{
    struct jit_process *process = calloc(1, sizeof(*process));
    if (!process)
        return -ENOMEM;
    process->owner = *owner;
    process->due_ns = UINT64_MAX;
    open_places(process);
    *ret_process = process;
    return 0;
}

void jit_process__free(struct jit_process *process)
{
    if (!process)
        return;
    for (size_t i = 0; i < process->place_count; i++)
        jit_place__close(&process->places[i]);
    free(process->addresses);
    free(process->tags);
    free(process);
}

int jit_process__add(struct jit_process *process, uint64_t address, uint64_t tag, uint64_t now_ns)
{
    size_t capacity = grow__capacity(process->capacity, process->count + 1);
    if (capacity > process->capacity &&
        (RESIZE(process->addresses, capacity) != 0 || RESIZE(process->tags, capacity) != 0))
        return -ENOMEM;
    process->capacity = capacity;
    process->addresses[process->count] = address;
    process->tags[process->count++] = tag;
    if (!process->has_new && process->due_ns == UINT64_MAX) // else not before it has had its rest
        process->due_ns = now_ns;
    process->has_new = true;
    process->wait_ns = 0;
    return 0;
}

void jit_process__drop_half(struct jit_process *process)
{
    size_t dropped = (process->count + 1) / 2;
    process->count -= dropped;
    memmove(process->addresses, process->addresses + dropped, process->count * sizeof(*process->addresses));
    memmove(process->tags, process->tags + dropped, process->count * sizeof(*process->tags));
}

void jit_process__check(struct jit_process *process, uint64_t now_ns)
{
    if (process->has_ended || (process->place_count && jit_place__is_alive(&process->places[0])))
        return;
    process->has_ended = true;
    if (process->count)
        process->due_ns = now_ns;
}

struct taking {
    struct jit_process *process;
    jit_named_fn *take;
    void *context;
};

static void take_name(size_t index, const struct symbol *chain, size_t length, void *context)
{
    const struct taking *taking = context;
    (void)length;
    taking->take(taking->process->tags[index], chain, taking->context);
    taking->process->addresses[index] = 0; // nobody runs there
}

static void forget_named(struct jit_process *process)
{
    size_t kept = 0;
    for (size_t i = 0; i < process->count; i++) {
        process->addresses[kept] = process->addresses[i];
        process->tags[kept] = process->tags[i];
        kept += process->addresses[i] != 0;
    }
    process->wait_ns = kept < process->count ? 0 : process->wait_ns;
    process->count = kept;
}

uint64_t jit_process__ask(struct jit_process *process, struct worker *worker, bool is_last, jit_named_fn *take,
                          void *context)
{
    struct taking taking = {process, take, context};
    uint64_t cost_us = 0;
    jit_process__check(process, 0);
    for (size_t i = 0; i < process->place_count && process->count; i++) {
        struct jit_question question = {.addresses = process->addresses,
                                        .count = process->count,
                                        .are_new = process->has_new,
                                        .is_last = is_last || process->has_ended};
        jit_place__look(&process->places[i]);
        int err = jit_place__ask(&process->places[i], worker, &question, take_name, &taking, &cost_us);
        process->has_failed |= err && err != -ENOENT && err != -ENODATA;
        forget_named(process);
    }
    process->has_new = false;
    if (is_last || process->has_ended)
        process->count = 0;
    return cost_us;
}

void jit_process__wait(struct jit_process *process, uint64_t now_ns, uint64_t cost_us)
{
    if (!process->count) {
        process->due_ns = UINT64_MAX;
        return;
    }
    process->wait_ns = process->wait_ns ? process->wait_ns * 2 : LIMIT_JIT_AGAIN_NS;
    if (process->wait_ns > LIMIT_JIT_AGAIN_MAX_NS)
        process->wait_ns = LIMIT_JIT_AGAIN_MAX_NS;
    uint64_t rest_ns = cost_us * 1000 * LIMIT_JIT_REST;
    process->due_ns = now_ns + (process->wait_ns > rest_ns ? process->wait_ns : rest_ns);
}
