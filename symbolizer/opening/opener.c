#include "symbolizer/opening/opener.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "store/base/limits.h"
#include "symbolizer/jail/packet.h"
#include "symbolizer/opening/opener_process.h"

struct slow_system { // a file system that answered late, or not
    uint64_t key;
    int64_t spent_ms, since_ms; // since: when the sum began
    int64_t until_ms;           // passed over until then; 0: it is asked
    bool to_be_told;
    char path[128]; // of a file on it
};

static struct {
    pthread_mutex_t lock;
    int socket; // -1: there is none
    pid_t pid, owner;
    pid_t left[LIMIT_OPENERS_LEFT]; // killed, and not dead when last looked at
    size_t left_count;
    struct slow_system slow[LIMIT_OPENER_SYSTEMS];
    size_t slow_count;
    uint64_t unanswered;
} opener = {.lock = PTHREAD_MUTEX_INITIALIZER, .socket = -1};

// ---- The process

static void reap_left(void)
{
    for (size_t i = opener.left_count; i-- > 0;)
        if (waitpid(opener.left[i], NULL, WNOHANG) != 0)
            opener.left[i] = opener.left[--opener.left_count];
}

// Never waits for the opener's end: one in a wait in the kernel that SIGKILL does not end lives until its file system
// answers.
static void leave(void)
{
    if (opener.owner != getpid()) // we are a child of the process that forked it
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
    int err = packet__pair(LIMIT_OPENER_ANSWER_MS, pair);
    if (err)
        return err;
    pid_t pid = fork();
    if (pid == 0)
        opener_process__run(pair[1]);
    err = pid < 0 ? -errno : 0;
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

static struct slow_system *find_slow(uint64_t key)
{
    for (size_t i = 0; i < opener.slow_count; i++)
        if (opener.slow[i].key == key)
            return &opener.slow[i];
    return NULL;
}

static struct slow_system *add_slow(uint64_t key)
{
    struct slow_system *slow = find_slow(key);
    if (slow)
        return slow;
    if (opener.slow_count < LIMIT_OPENER_SYSTEMS)
        slow = &opener.slow[opener.slow_count++];
    for (size_t i = 0; !slow && i < opener.slow_count; i++) // the row of one that is asked
        if (!opener.slow[i].until_ms)
            slow = &opener.slow[i];
    if (!slow)
        slow = &opener.slow[0];
    *slow = (struct slow_system){.key = key};
    return slow;
}

static bool is_passed_over(uint64_t key)
{
    struct slow_system *slow = find_slow(key);
    if (!slow || !slow->until_ms)
        return false;
    if (packet__now_ms() < slow->until_ms)
        return true;
    slow->until_ms = slow->spent_ms = 0;
    return false;
}

static void spend(const struct opening *opening, int64_t took_ms, bool has_failed)
{
    enum { LITTLE_MS = 20 };
    if (took_ms < LITTLE_MS && !has_failed)
        return;
    struct slow_system *slow = add_slow(key_of(opening));
    int64_t now_ms = packet__now_ms();
    if (now_ms - slow->since_ms > LIMIT_OPENER_AGAIN_MS) {
        slow->since_ms = now_ms;
        slow->spent_ms = 0;
    }
    slow->spent_ms += took_ms;
    if (!has_failed && slow->spent_ms < LIMIT_OPENER_SPENT_MS)
        return;
    slow->until_ms = now_ms + LIMIT_OPENER_AGAIN_MS;
    slow->to_be_told = true;
    snprintf(slow->path, sizeof(slow->path), "%.*s", (int)sizeof(slow->path) - 1, opening->path);
}

// ---- Requests

// Fails where no answer came; *ret_err is the answer's own error.
static int receive(int64_t begun_ms, struct opened *ret_opened, int *ret_err)
{
    struct opener_reply reply;
    struct packet_fds fds;
    do {
        int64_t quiet_ms = packet__now_ms() + LIMIT_OPENER_ANSWER_MS, end_ms = begun_ms + LIMIT_OPENER_FILE_MS;
        int err = packet__receive(opener.socket, quiet_ms < end_ms ? quiet_ms : end_ms, &reply, sizeof(reply), &fds);
        if (err)
            return err;
    } while (reply.err == -EINPROGRESS);
    *ret_opened = reply.has_fd ? (struct opened){fds.fds[0], fds.fds[1]} : (struct opened){-1, fds.fds[0]};
    *ret_err = reply.err;
    return 0;
}

static int ask(const struct opening *opening, int folder_fd, struct opened *ret_opened)
{
    struct packet_fds folder = {{folder_fd, -1}};
    int err = -EPIPE, answer = 0;
    for (int turn = 0; turn < 2 && err == -EPIPE; turn++) { // somebody may have killed the opener
        err = begin();
        if (err)
            return err;
        err = packet__send(opener.socket, opening, sizeof(*opening), &folder);
        if (!err)
            err = receive(packet__now_ms(), ret_opened, &answer);
        if (err) // or the next request would be given this one's answer
            leave();
    }
    return err ? err : answer;
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
    begin(); // if it fails, the first request tries again
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
    for (size_t i = 0; i < opener.slow_count && !found; i++) {
        struct slow_system *slow = &opener.slow[i];
        found = slow->to_be_told;
        slow->to_be_told = false;
        if (found)
            snprintf(text, text_bytes,
                     "the file system of '%s' does not answer, or too slowly; files on it have neither names nor "
                     "unwind rows",
                     slow->path);
    }
    pthread_mutex_unlock(&opener.lock);
    return found;
}
