#include "store/system/control_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"

static int say_unreached(const char *path, int err, struct fault *fault)
{
    if (err == -EACCES)
        return fault__set_code(fault, EXIT_CODE_LACKS, err,
                               "cannot ask the daemon at '%s': %s; root and the members of the group " CONTROL_GROUP
                               " may",
                               path, strerror(-err));
    if (err == -ENOENT || err == -ECONNREFUSED)
        return fault__set(
            fault, err,
            "no hearth daemon answers at '%s'; start one with `hearth daemon`, or name its directory with "
            "-o, its socket with --control",
            path);
    return fault__set(fault, err, "cannot ask the daemon at '%s': %s", path, strerror(-err));
}

int control_client__open(const char *path, struct fault *fault, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof(address.sun_path))
        return say_unreached(path, -ENAMETOOLONG, fault);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return say_unreached(path, -errno, fault);
    *ret_fd = take_fd(&fd);
    return 0;
}

int control_client__ask(int fd, int argc, const char *const *argv, struct fault *fault)
{
    _cleanup_(buf__release) struct buf request = {0};
    buf__append(&request, CONTROL_VERSION, sizeof(CONTROL_VERSION));
    for (int i = 0; i < argc; i++)
        buf__append(&request, argv[i], strlen(argv[i]) + 1);
    if (request.failed)
        return fault__set(fault, -ENOMEM, "out of memory");
    if (request.length_bytes > CONTROL_MESSAGE_BYTES)
        return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "the daemon takes at most %d bytes of words",
                               CONTROL_MESSAGE_BYTES);
    if (send(fd, request.data, request.length_bytes, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        return fault__set(fault, -errno, "cannot ask the daemon: %s", strerror(errno));
    return 0; // of one that has refused us, the reason waits to be read
}

int control_client__receive(int fd, struct fault *fault, struct control_answer *ret_answer)
{
    union {
        struct cmsghdr header; // for its alignment
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec parts[] = {{&ret_answer->letter, 1}, {ret_answer->text, CONTROL_MESSAGE_BYTES}};
    struct msghdr message = {
        .msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t got;
    ret_answer->fd = -1;
    do
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return fault__set(fault, got == 0 ? -EPIPE : -errno, "the daemon has ended before it was done: %s",
                          got == 0 ? "it closed the connection" : strerror(errno));
    ret_answer->text[got - 1] = '\0';
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&ret_answer->fd, CMSG_DATA(header), sizeof(int));
    return 0;
}
