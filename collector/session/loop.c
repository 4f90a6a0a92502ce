#include "collector/session/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct watch {
    int fd;
    bool is_timer; // the loop's own, read before each call
    bool is_once;  // and gone then
    loop_call_fn *call;
    void *own;
    struct watch *next;
};

struct loop {
    int epoll_fd;
    bool is_stopped;
    struct watch *watches;
};

int loop__new(struct loop **ret_loop)
{
    _cleanup_(loop__freep) struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return -errno;
    *ret_loop = take_pointer(loop);
    return 0;
}

static void free_watch(struct watch *watch)
{
    if (watch->is_timer)
        fd__close(&watch->fd);
    free(watch);
}

void loop__free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->watches) {
        struct watch *watch = loop->watches;
        loop->watches = watch->next;
        free_watch(watch);
    }
    fd__close(&loop->epoll_fd);
    free(loop);
}

static struct watch **find(struct loop *loop, int fd)
{
    struct watch **at = &loop->watches;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    return at;
}

void loop__remove(struct loop *loop, int fd)
{
    struct watch **at = find(loop, fd), *watch = *at;
    if (!watch)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL); // fails where it was closed
    *at = watch->next;
    free_watch(watch);
}

int loop__add(struct loop *loop, int fd, loop_call_fn *call, void *own)
{
    loop__remove(loop, fd);
    struct watch *watch = malloc(sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    *watch = (struct watch){.fd = fd, .call = call, .own = own, .next = loop->watches};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(watch);
        return -errno;
    }
    loop->watches = watch;
    return 0;
}

int loop__add_timer(struct loop *loop, uint64_t after_ns, bool repeats, loop_call_fn *call, void *own)
{
    struct timespec time = {.tv_sec = (time_t)(after_ns / 1000000000u), .tv_nsec = (long)(after_ns % 1000000000u)};
    struct itimerspec setting = {.it_value = time};
    _cleanup_fd_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (repeats)
        setting.it_interval = time;
    if (fd < 0 || timerfd_settime(fd, 0, &setting, NULL) != 0)
        return -errno;
    int err = loop__add(loop, fd, call, own);
    if (err)
        return err;
    loop->watches->is_timer = true;
    loop->watches->is_once = !repeats;
    take_fd(&fd);
    return 0;
}

// One at a time: a call may remove those that would come next. The kernel puts the one it tells of behind the others.
static int wait_once(struct loop *loop, struct fault *fault)
{
    struct epoll_event event;
    int count = epoll_wait(loop->epoll_fd, &event, 1, -1);
    if (count < 0 && errno != EINTR)
        return fault__set(fault, -errno, "cannot wait for events: %s", strerror(errno));
    if (count <= 0)
        return 0;
    struct watch watch = *(const struct watch *)event.data.ptr;
    uint64_t expirations;
    if (watch.is_timer && read(watch.fd, &expirations, sizeof(expirations)) < 0)
        return 0; // EAGAIN: another one has been set meanwhile
    if (watch.is_once)
        loop__remove(loop, watch.fd);
    return watch.call(watch.own, fault);
}

int loop__run(struct loop *loop, struct fault *fault)
{
    int err = 0;
    while (!loop->is_stopped && !err)
        err = wait_once(loop, fault);
    return err;
}

void loop__stop(struct loop *loop)
{
    loop->is_stopped = true;
}

bool loop__is_stopped(const struct loop *loop)
{
    return loop->is_stopped;
}
