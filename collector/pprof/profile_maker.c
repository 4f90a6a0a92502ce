#include "collector/pprof/profile_maker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "collector/pprof/profile_order.h"
#include "report/query/report.h"
#include "report/serve/child.h"
#include "store/base/cleanup.h"
#include "store/system/confinement.h"
#include "symbolizer/jail/packet.h"

#define TIME_BYTES 40

static int answer(const struct question *question, struct fault *fault)
{
    static const char *const own[] = {NULL};
    struct filter filter = {0};
    struct report_request request;
    int err = question__request(question, own, &filter, fault, &request);
    request.format = "pprof";
    request.is_whole_range = true;
    return err ? err : report__write(question->store, &request, "-", NULL, fault);
}

// The time to the nanosecond, as filters take it.
static void print_time(uint64_t wall_ns, char ret_text[TIME_BYTES])
{
    snprintf(ret_text, TIME_BYTES, "@%" PRIu64 ".%09" PRIu64, wall_ns / 1000000000u, wall_ns % 1000000000u);
}

// -EINVAL: the order is none.
static int read_order(const struct profile_order *order, struct question *question)
{
    const char *word = order->words, *end = word + sizeof(order->words);
    if (order->words[sizeof(order->words) - 1])
        return -EINVAL;
    for (uint32_t i = 0; i < order->word_count; i++) {
        const char *value = word + strlen(word) + 1;
        if (value >= end)
            return -EINVAL;
        question__add(question, word, value);
        word = value + strlen(value) + 1;
        if (word >= end)
            return -EINVAL;
    }
    return 0;
}

// Until the child has ended; false: nobody wants the answer any more.
static bool wait_for(const struct child *child, int wanted_fd)
{
    struct pollfd fds[] = {{.fd = child->done_fd, .events = POLLIN}, {.fd = wanted_fd}};
    while (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno == EINTR)
        continue;
    return fds[0].revents != 0;
}

static void make(int fd, const char *directory, const struct profile_order *order, int wanted_fd)
{
    char since[TIME_BYTES], until[TIME_BYTES];
    struct question question = {.store = directory};
    struct profile_reply reply = {.id = order->id, .status = 503};
    struct packet_fds fds = {{-1, -1}};
    struct child child = {.answer_fd = -1};
    struct pollfd wanted = {.fd = wanted_fd};
    if (poll(&wanted, 1, 0) != 0)
        return;
    print_time(order->since_ns, since);
    print_time(order->until_ns, until);
    int err = read_order(order, &question);
    question__add(&question, "from", since);
    question__add(&question, "to", until);
    if (!err && child__start(answer, &question, &child) == 0) {
        if (!wait_for(&child, wanted_fd)) {
            child__stop(&child);
            return;
        }
        reply.status = child__finish(&child, &fds.fds[0]);
    }
    packet__send(fd, &reply, sizeof(reply), &fds);
    packet__close(&fds);
}

static bool is_ready(const char *directory)
{
    struct fault fault = {0};
    pid_t parent = getppid();
    int err = confinement__enter(directory, NULL, &fault);
    if (err)
        fault__say(&fault, err);
    // The kernel forgets the signal when a process changes its user (commit_creds()).
    return !err && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

void profile_maker__serve(int fd, void *directory)
{
    static struct profile_order order;
    struct packet_fds fds;
    if (!is_ready(directory))
        return;
    for (;;) {
        int err = packet__receive(fd, -1, &order, sizeof(order), &fds);
        if (err == -EPIPE)
            return;
        if (!err && fds.fds[0] >= 0)
            make(fd, directory, &order, fds.fds[0]);
        packet__close(&fds);
    }
}
