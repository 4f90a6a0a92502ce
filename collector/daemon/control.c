#include "collector/daemon/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collector/session/loop.h"
#include "store/base/clock.h"
#include "store/base/limits.h"

struct asker {
    struct control *control;
    int fd; // -1: this place is free
    bool may_ask, has_asked, has_left;
    uint64_t since_ns; // CLOCK_MONOTONIC
    struct ucred peer;
    void (*left)(void *context);
    void *context;
};

struct control {
    int fd;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    gid_t group; // (gid_t)-1: there is no such group
    control_request_fn *request;
    void *context;
    struct loop *loop;
    bool is_timed; // on_silence() is due, of this loop
    struct asker askers[LIMIT_CONTROL_CLIENTS];
};

// --- The socket

static int make_folder(const char *path, struct fault *fault)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    const char *folder = dirname(copy);
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return 0;
    return fault__set(fault, -errno,
                      "cannot make the directory '%s' of the control socket: %s; choose another place "
                      "with --control",
                      folder, strerror(errno));
}

// A daemon that was killed has left its socket, and bind() refuses the name.
static int remove_stale(const char *path, struct fault *fault)
{
    struct fault why = {0};
    int other = -1;
    int err = control_client__open(path, &why, &other);
    fd__close(&other);
    if (!err)
        return fault__set(fault, -EADDRINUSE,
                          "another hearth daemon answers at '%s'; choose another socket with "
                          "--control",
                          path);
    if (err == -ECONNREFUSED && unlink(path) != 0)
        return fault__set(fault, -errno, "cannot remove '%s', which nobody answers at: %s", path, strerror(errno));
    return 0;
}

// The file gets the group that the process has for files: that takes no CAP_CHOWN.
static int bind_for_group(struct control *control, const struct sockaddr_un *address)
{
    const struct group *group = getgrnam(CONTROL_GROUP);
    control->group = group ? group->gr_gid : (gid_t)-1;
    mode_t mask = umask(0117);
    int own = group ? setfsgid(group->gr_gid) : 0;
    int err = bind(control->fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ? -errno : 0;
    if (group)
        setfsgid((gid_t)own);
    umask(mask);
    return err;
}

static int make_socket(struct control *control, struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, control->path, sizeof(control->path));
    control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int err = control->fd < 0 ? -errno : bind_for_group(control, &address);
    if (!err && listen(control->fd, LIMIT_CONTROL_CLIENTS) != 0)
        err = -errno;
    return err ? fault__set(fault, err, "cannot make the control socket '%s': %s; choose another place with --control",
                            control->path, strerror(-err))
               : 0;
}

int control__new(const char *path, control_request_fn *request, void *context, struct fault *fault,
                 struct control **ret_control)
{
    _cleanup_(control__freep) struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return fault__set(fault, -ENOMEM, "out of memory");
    *control = (struct control){.fd = -1, .request = request, .context = context};
    for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        control->askers[i] = (struct asker){.control = control, .fd = -1};
    if (strlen(path) >= sizeof(control->path))
        return fault__set(fault, -ENAMETOOLONG, "'%s' is too long for a socket; choose another place with --control",
                          path);
    int err = make_folder(path, fault);
    if (!err)
        err = remove_stale(path, fault);
    if (err)
        return err;
    strncpy(control->path, path, sizeof(control->path) - 1);
    err = make_socket(control, fault);
    if (!err)
        *ret_control = take_pointer(control);
    return err;
}

void control__free(struct control *control)
{
    if (!control)
        return;
    for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        fd__close(&control->askers[i].fd);
    if (control->fd >= 0)
        unlink(control->path);
    fd__close(&control->fd);
    free(control);
}

// --- Clients

static void close_asker(struct asker *asker)
{
    if (asker->control->loop)
        loop__remove(asker->control->loop, asker->fd);
    fd__close(&asker->fd);
    *asker = (struct asker){.control = asker->control, .fd = -1};
}

// Closes the connection and frees its place.
static void leave(struct asker *asker)
{
    loop__remove(asker->control->loop, asker->fd);
    asker->has_left = true;
    if (asker->left)
        asker->left(asker->context);
    else
        close_asker(asker);
}

static bool is_of_group(int fd, const struct ucred *peer, gid_t group)
{
    gid_t groups[NGROUPS_MAX > 1024 ? 1024 : NGROUPS_MAX];
    socklen_t bytes = sizeof(groups);
    if (group == (gid_t)-1)
        return false;
    if (peer->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) != 0)
        return false;
    for (size_t i = 0; i < bytes / sizeof(groups[0]); i++)
        if (groups[i] == group)
            return true;
    return false;
}

static bool may_ask(const struct control *control, int fd, struct ucred *ret_peer)
{
    socklen_t bytes = sizeof(*ret_peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &bytes) != 0)
        return false;
    return ret_peer->uid == 0 || ret_peer->uid == geteuid() || is_of_group(fd, ret_peer, control->group);
}

static void refuse(struct asker *asker, const char *why)
{
    char line[512];
    snprintf(line, sizeof(line), "hearth: the daemon refuses: %s\n", why);
    asker__answer(asker, CONTROL_SAID, line, -1);
    asker__end(asker, EXIT_CODE_FAILED);
}

// "hearth 1", and words.
static void take_request(struct asker *asker, const char *text, size_t bytes)
{
    const char *words[LIMIT_CONTROL_WORDS], *end = text + bytes;
    int count = 0;
    if (!asker->may_ask) {
        refuse(asker, "root and the members of the group " CONTROL_GROUP " may ask");
        return;
    }
    if (bytes == 0 || end[-1] || strcmp(text, CONTROL_VERSION) != 0) {
        refuse(asker, "it speaks '" CONTROL_VERSION "'; use the hearth that it is");
        return;
    }
    for (text += strlen(text) + 1; text < end && count < LIMIT_CONTROL_WORDS; text += strlen(text) + 1)
        words[count++] = text;
    if (text < end) {
        refuse(asker, "so many words are no request");
        return;
    }
    asker->has_asked = true;
    asker->control->request(asker->control->context, asker, count, words);
}

static int on_asker(void *own, struct fault *fault)
{
    struct asker *asker = own;
    char text[CONTROL_MESSAGE_BYTES + 1];
    ssize_t got = recv(asker->fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
    (void)fault;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        leave(asker);
    else if (asker->has_asked)
        leave(asker); // one request a asker
    else if ((size_t)got > CONTROL_MESSAGE_BYTES)
        refuse(asker, "the request is too long");
    else
        take_request(asker, text, (size_t)got);
    return 0;
}

static int on_silence(void *own, struct fault *fault);

static void watch_silence(struct control *control)
{
    if (!control->is_timed)
        control->is_timed = loop__add_timer(control->loop, LIMIT_CONTROL_SILENT_NS, false, on_silence, control) == 0;
}

static int on_silence(void *own, struct fault *fault)
{
    struct control *control = own;
    uint64_t now_ns = clock__ns(CLOCK_MONOTONIC);
    bool is_again = false;
    (void)fault;
    control->is_timed = false;
    for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i++) {
        struct asker *asker = &control->askers[i];
        bool is_silent = asker->fd >= 0 && !asker->has_asked;
        if (is_silent && now_ns - asker->since_ns >= LIMIT_CONTROL_SILENT_NS)
            close_asker(asker);
        else
            is_again = is_again || is_silent;
    }
    if (is_again)
        watch_silence(control);
    return 0;
}

static struct asker *find_free(struct control *control)
{
    for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
        if (control->askers[i].fd < 0)
            return &control->askers[i];
    return NULL;
}

static int on_connection(void *own, struct fault *fault)
{
    struct control *control = own;
    _cleanup_fd_ int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct asker *asker = find_free(control);
    (void)fault;
    if (fd < 0 || !asker)
        return 0; // closed: "the daemon has ended before it was done"
    *asker = (struct asker){.control = control, .fd = take_fd(&fd), .since_ns = clock__ns(CLOCK_MONOTONIC)};
    // One that may not is told so when its request is read: unread, it would take the answer with it (ECONNRESET).
    asker->may_ask = may_ask(control, asker->fd, &asker->peer);
    if (loop__add(control->loop, asker->fd, on_asker, asker) != 0)
        close_asker(asker);
    else
        watch_silence(control);
    return 0;
}

int control__watch(struct control *control, struct loop *loop)
{
    control->loop = loop;
    control->is_timed = false;
    if (!loop)
        return 0;
    int err = loop__add(loop, control->fd, on_connection, control);
    for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS && !err; i++)
        if (control->askers[i].fd >= 0 && !control->askers[i].has_left)
            err = loop__add(loop, control->askers[i].fd, on_asker, &control->askers[i]);
    if (!err)
        watch_silence(control);
    return err;
}

void asker__whose(const struct asker *asker, char *ret_text, size_t bytes)
{
    if (asker->peer.uid == 0)
        snprintf(ret_text, bytes, "root (PID %d)", asker->peer.pid);
    else
        snprintf(ret_text, bytes, "user %u (PID %d)", asker->peer.uid, asker->peer.pid);
}

static int send_packet(int socket, char letter, const char *text, size_t bytes, int fd)
{
    union {
        struct cmsghdr header; // for its alignment
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec parts[] = {{&letter, 1}, {(void *)text, bytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

void asker__answer(struct asker *asker, enum control_letter letter, const char *text, int fd)
{
    size_t left = strlen(text);
    int err = 0;
    do {
        size_t bytes = left < CONTROL_MESSAGE_BYTES ? left : CONTROL_MESSAGE_BYTES;
        // One whose buffer is full does not read: it lacks the code at the end, and takes that for an error.
        err = send_packet(asker->fd, (char)letter, text, bytes, fd);
        text += bytes;
        left -= bytes;
        fd = -1;
    } while (left && !err);
}

void asker__end(struct asker *asker, enum exit_code code)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", code);
    asker__answer(asker, CONTROL_CODE, text, -1);
    close_asker(asker);
}

void asker__on_leave(struct asker *asker, void (*left)(void *context), void *context)
{
    asker->left = left;
    asker->context = context;
}
