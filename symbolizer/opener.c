#include "symbolizer/opener.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "store/base/limits.h"
#include "symbolizer/opener_process.h"
#include "symbolizer/packet.h"

struct sick { // a file system that took its time
    uint64_t key;
    int64_t spent_ms, since_ms; // since: when the sum began
    int64_t until_ms;           // not asked before then; 0: it answers
    bool to_be_told;
    char path[128]; // of a file on it
};

static struct {
    pthread_mutex_t lock;
    int socket; // -1: there is none
    pid_t pid, owner;
    pid_t left[LIMIT_OPENERS_LEFT]; // killed, and not dead when last looked at
    size_t left_count;
    struct sick sick[LIMIT_FAR_SICK];
    size_t sick_count;
    uint64_t unanswered;
} opener = {.lock = PTHREAD_MUTEX_INITIALIZER, .socket = -1};

// ---- The process

static void reap_left(void)
{
    for (size_t i = opener.left_count; i-- > 0;)
        if (waitpid(opener.left[i], NULL, WNOHANG) != 0)
            opener.left[i] = opener.left[--opener.left_count];
}

// Never waits: one in a wait of the kernel's that no signal ends is there until its file system answers.
static void leave(void)
{
    if (opener.owner != getpid()) // a child of the one that began it
        opener.left_count = 0;
    else if (opener.pid > 0) {
        kill(opener.pid, SIGKILL);
        if (opener.left_count < LIMIT_OPENERS_LEFT)
            opener.left[opener.left_count++] = opener.pid;
    }
    fd__close(&opener.socket);
    opener.socket = -1;
    opener.pid = 0;
    reap_left();
}

static int begin(void)
{
    int pair[2];
    if (opener.socket >= 0 && opener.owner == getpid())
        return 0;
    leave();
    if (opener.left_count == LIMIT_OPENERS_LEFT)
        return -ETIMEDOUT;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    struct timeval patience = {.tv_sec = LIMIT_FAR_QUIET_MS / 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    pid_t pid = fork();
    if (pid == 0)
        opener_process__run(pair[1]);
    int err = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (err) {
        close(pair[0]);
        return err;
    }
    opener.socket = pair[0];
    opener.pid = pid;
    opener.owner = getpid();
    return 0;
}

// ---- The file systems

// The device where it is known, else the folder.
static uint64_t key_of(const struct opening *opening)
{
    const char *slash = strrchr(opening->path, '/');
    return opening->device  ? opening->device
           : *opening->path ? hash__bytes(opening->path, slash ? (size_t)(slash - opening->path) : 0) | 1ull << 63
                            : hash__pair((uint64_t)opening->pid, opening->start) | 1ull << 63;
}

static struct sick *find_sick(uint64_t key)
{
    for (size_t i = 0; i < opener.sick_count; i++)
        if (opener.sick[i].key == key)
            return &opener.sick[i];
    return NULL;
}

static struct sick *add_sick(uint64_t key)
{
    struct sick *sick = find_sick(key);
    if (sick)
        return sick;
    if (opener.sick_count < LIMIT_FAR_SICK)
        sick = &opener.sick[opener.sick_count++];
    for (size_t i = 0; !sick && i < opener.sick_count; i++) // the place of one that answers
        if (!opener.sick[i].until_ms)
            sick = &opener.sick[i];
    if (!sick)
        sick = &opener.sick[0];
    *sick = (struct sick){.key = key};
    return sick;
}

static bool is_passed_over(uint64_t key)
{
    struct sick *sick = find_sick(key);
    if (!sick || !sick->until_ms)
        return false;
    if (packet__now_ms() < sick->until_ms)
        return true;
    sick->until_ms = sick->spent_ms = 0;
    return false;
}

static void spend(const struct opening *opening, int64_t took_ms, bool has_failed)
{
    enum { LITTLE_MS = 20 };
    if (took_ms < LITTLE_MS && !has_failed)
        return;
    struct sick *sick = add_sick(key_of(opening));
    int64_t now_ms = packet__now_ms();
    if (now_ms - sick->since_ms > LIMIT_FAR_AGAIN_MS) {
        sick->since_ms = now_ms;
        sick->spent_ms = 0;
    }
    sick->spent_ms += took_ms;
    if (!has_failed && sick->spent_ms < LIMIT_FAR_SPENT_MS)
        return;
    sick->until_ms = now_ms + LIMIT_FAR_AGAIN_MS;
    sick->to_be_told = true;
    snprintf(sick->path, sizeof(sick->path), "%.*s", (int)sizeof(sick->path) - 1, opening->path);
}

// ---- Requests

static int receive(int64_t begun_ms, struct opened *ret_opened)
{
    struct opener_reply reply;
    struct packet_fds fds;
    do {
        int64_t quiet_ms = packet__now_ms() + LIMIT_FAR_QUIET_MS, end_ms = begun_ms + LIMIT_FAR_OPEN_MS;
        int err = packet__receive(opener.socket, quiet_ms < end_ms ? quiet_ms : end_ms, &reply, sizeof(reply), &fds);
        if (err)
            return err;
    } while (reply.err == -EINPROGRESS);
    *ret_opened = reply.has_fd ? (struct opened){fds.fds[0], fds.fds[1]} : (struct opened){-1, fds.fds[0]};
    return reply.err;
}

static int ask(const struct opening *opening, int folder_fd, struct opened *ret_opened)
{
    struct packet_fds folder = {{folder_fd, -1}};
    int err = -EPIPE;
    for (int turn = 0; turn < 2 && err == -EPIPE; turn++) { // somebody may have killed it
        err = begin();
        if (err)
            return err;
        err = packet__send(opener.socket, opening, sizeof(*opening), &folder);
        if (!err)
            err = receive(packet__now_ms(), ret_opened);
        if (err == -EPIPE || err == -ETIMEDOUT || err == -EBADMSG)
            leave();
    }
    return err;
}

int opener__ask(const struct opening *opening, int folder_fd, struct opened *ret_opened)
{
    struct opened opened = OPENED_NONE;
    pthread_mutex_lock(&opener.lock);
    int64_t begun_ms = packet__now_ms();
    bool is_known = is_passed_over(key_of(opening));
    int err = is_known ? -ETIMEDOUT : ask(opening, folder_fd, &opened);
    if (!is_known)
        spend(opening, packet__now_ms() - begun_ms, err == -ETIMEDOUT);
    opener.unanswered += err == -ETIMEDOUT;
    pthread_mutex_unlock(&opener.lock);
    if (err)
        opened__close(&opened);
    else
        *ret_opened = opened;
    return err;
}

void opener__begin(void)
{
    pthread_mutex_lock(&opener.lock);
    begin(); // or the first request tries again
    pthread_mutex_unlock(&opener.lock);
}

void opener__end(void)
{
    pthread_mutex_lock(&opener.lock);
    leave();
    pthread_mutex_unlock(&opener.lock);
}

uint64_t opener__unanswered(void)
{
    pthread_mutex_lock(&opener.lock);
    uint64_t count = opener.unanswered;
    pthread_mutex_unlock(&opener.lock);
    return count;
}

bool opener__tell(char *text, size_t text_bytes)
{
    bool found = false;
    pthread_mutex_lock(&opener.lock);
    for (size_t i = 0; i < opener.sick_count && !found; i++) {
        struct sick *sick = &opener.sick[i];
        found = sick->to_be_told;
        sick->to_be_told = false;
        if (found)
            snprintf(text, text_bytes,
                     "the file system of '%s' does not answer, or too slowly; files on it have neither names nor "
                     "unwind rows",
                     sick->path);
    }
    pthread_mutex_unlock(&opener.lock);
    return found;
}
