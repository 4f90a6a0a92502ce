#include "collector/daemon/upkeep.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/priority.h"
#include "store/base/thread.h"

struct upkeep {
    pthread_t thread;
    bool is_running;
    atomic_bool is_done;
    struct maintenance plan;
    int err; // of the last one
    struct fault fault, said;
    uint64_t next_ns; // CLOCK_BOOTTIME
};

static void *run(void *own)
{
    struct upkeep *upkeep = own;
    struct maintained maintained;
    priority__lower();
    upkeep->err = maintenance__run(&upkeep->plan, &upkeep->fault, &maintained);
    atomic_store(&upkeep->is_done, true);
    return NULL;
}

static void join(struct upkeep *upkeep)
{
    if (upkeep->is_running)
        pthread_join(upkeep->thread, NULL);
    upkeep->is_running = false;
}

int upkeep__new(struct upkeep **ret_upkeep)
{
    struct upkeep *upkeep = calloc(1, sizeof(*upkeep));
    if (!upkeep)
        return -ENOMEM;
    upkeep->next_ns = clock__ns(CLOCK_BOOTTIME) + LIMIT_UPKEEP_PERIOD_NS;
    *ret_upkeep = upkeep;
    return 0;
}

void upkeep__free(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    join(upkeep);
    free(upkeep);
}

static void say_failure(struct upkeep *upkeep)
{
    if (upkeep->err && strcmp(upkeep->fault.text, upkeep->said.text) != 0)
        fault__say(&upkeep->fault, upkeep->err);
    upkeep->said = upkeep->fault;
}

bool upkeep__is_due(struct upkeep *upkeep)
{
    if (upkeep->is_running && !atomic_load(&upkeep->is_done))
        return false;
    if (upkeep->is_running) {
        join(upkeep);
        say_failure(upkeep);
    }
    return clock__ns(CLOCK_BOOTTIME) >= upkeep->next_ns;
}

void upkeep__begin(struct upkeep *upkeep, const struct maintenance *plan)
{
    upkeep->next_ns = clock__ns(CLOCK_BOOTTIME) + LIMIT_UPKEEP_PERIOD_NS;
    upkeep->plan = *plan;
    upkeep->fault = (struct fault){0};
    atomic_store(&upkeep->is_done, false);
    upkeep->is_running = thread__start(run, upkeep, &upkeep->thread) == 0;
}
