#include "symbolizer/jail/helper.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

// Its stack is of the memory that the worker may have: the deepest task walks entries with tables of some KiB.
#define STACK_BYTES ((size_t)1 << 20)

struct helper {
    size_t least_bytes;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    helper_fn *task; // NULL: none
    void *context;
};

static void *run(void *argument)
{
    struct helper *helper = argument;
    pthread_mutex_lock(&helper->lock);
    for (;;) {
        while (!helper->task)
            pthread_cond_wait(&helper->changed, &helper->lock);
        helper_fn *task = helper->task;
        pthread_mutex_unlock(&helper->lock);
        task(helper->context);
        pthread_mutex_lock(&helper->lock);
        helper->task = NULL;
        pthread_cond_broadcast(&helper->changed);
    }
    return NULL;
}

static void do_nothing(void *context)
{
    (void)context;
}

int helper__new(size_t least_bytes, struct helper **ret_helper)
{
    pthread_attr_t attributes;
    pthread_t thread;
    struct helper *helper = calloc(1, sizeof(*helper));
    if (!helper)
        return -ENOMEM;
    helper->least_bytes = least_bytes;
    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->changed, NULL);
    mallopt(M_ARENA_MAX, 1); // one of its own would take 128 MiB of the addresses that the worker may have
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int err = -pthread_create(&thread, &attributes, run, helper);
    pthread_attr_destroy(&attributes);
    if (err) {
        free(helper);
        return err;
    }
    // A thread says some things to the kernel when it starts, which it may not say any more when it is locked in.
    helper__begin(helper, do_nothing, NULL);
    helper__wait(helper);
    *ret_helper = helper;
    return 0;
}

bool helper__is_worth(const struct helper *helper, size_t bytes)
{
    return helper && bytes >= helper->least_bytes;
}

void helper__begin(struct helper *helper, helper_fn *task, void *context)
{
    if (!helper) {
        task(context);
        return;
    }
    pthread_mutex_lock(&helper->lock);
    helper->task = task;
    helper->context = context;
    pthread_cond_broadcast(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
}

void helper__wait(struct helper *helper)
{
    if (!helper)
        return;
    pthread_mutex_lock(&helper->lock);
    while (helper->task)
        pthread_cond_wait(&helper->changed, &helper->lock);
    pthread_mutex_unlock(&helper->lock);
}
