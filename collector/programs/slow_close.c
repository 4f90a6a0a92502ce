#include "collector/programs/slow_close.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FEW = 8, THREADS = 32 }; // of a few, some 400 ms at most

struct share {
    const int *fds;
    size_t first, count;
};

static void *close_share(void *context)
{
    const struct share *share = context;
    for (size_t i = share->first; i < share->count; i += THREADS)
        close(share->fds[i]);
    return NULL;
}

void slow_close__links(const int *fds, size_t count)
{
    pthread_t threads[THREADS];
    struct share shares[THREADS];
    bool is_started[THREADS] = {false};
    for (size_t i = 0; i < THREADS && i < count; i++) {
        shares[i] = (struct share){fds, i, count};
        is_started[i] = count > FEW && pthread_create(&threads[i], NULL, close_share, &shares[i]) == 0;
        if (!is_started[i])
            close_share(&shares[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        if (is_started[i])
            pthread_join(threads[i], NULL);
}

static int compare(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;
    return (a > b) - (a < b);
}

static void close_between(unsigned first, unsigned last)
{
    if (first <= last)
        syscall(SYS_close_range, first, last, 0);
}

// Nobody must wait for the end of a pipe, or for a lock, that the child has.
static void close_others(const int *fds, size_t count)
{
    unsigned next = 0;
    for (size_t i = 0; i < count; i++) {
        if (fds[i] > 0)
            close_between(next, (unsigned)fds[i] - 1);
        next = (unsigned)fds[i] + 1;
    }
    close_between(next, ~0u);
}

void slow_close__events(int *fds, size_t count)
{
    if (count)
        qsort(fds, count, sizeof(*fds), compare);
    if (count > FEW && fork() == 0) {
        close_others(fds, count);
        _exit(0);
    }
    for (size_t i = 0; i < count; i++) // not the last close, but where there is no child
        close(fds[i]);
}
