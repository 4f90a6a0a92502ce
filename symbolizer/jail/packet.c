#include "symbolizer/jail/packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

union control {
    struct cmsghdr header; // for its alignment
    char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
};

int packet__pair(int64_t patience_ms, int ret_pair[2])
{
    struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) != 0)
        return -errno;
    setsockopt(ret_pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return 0;
}

int packet__send(int socket, const void *bytes, size_t length, const struct packet_fds *fds)
{
    union control control = {0};
    struct iovec vector = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    int given[PACKET_FDS];
    size_t count = 0;
    for (size_t i = 0; fds && i < PACKET_FDS; i++)
        if (fds->fds[i] >= 0)
            given[count++] = fds->fds[i];
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), given, count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)length)
            return 0;
        if (errno != EINTR)
            return errno == ECONNRESET ? -EPIPE : errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
}

int64_t packet__now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_until(int socket, int64_t deadline_ms)
{
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    while (deadline_ms >= 0) {
        int64_t left_ms = deadline_ms - packet__now_ms();
        int result = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);
        if (result > 0)
            return 0;
        if (result == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

int packet__receive(int socket, int64_t deadline_ms, void *bytes, size_t length, struct packet_fds *ret_fds)
{
    union control control = {0};
    struct iovec vector = {bytes, length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
    ssize_t got;
    *ret_fds = (struct packet_fds){{-1, -1}};
    int err = wait_until(socket, deadline_ms);
    if (err)
        return err;
    do {
        message.msg_controllen = sizeof(control.bytes);
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got == 0 || errno == ECONNRESET ? -EPIPE : -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        size_t bytes_of_fds = header->cmsg_len - CMSG_LEN(0);
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && bytes_of_fds <= sizeof(ret_fds->fds))
            memcpy(ret_fds->fds, CMSG_DATA(header), bytes_of_fds);
    }
    if ((size_t)got == length && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return 0;
    packet__close(ret_fds);
    return -EBADMSG;
}

void packet__close(struct packet_fds *fds)
{
    for (size_t i = 0; i < PACKET_FDS; i++) {
        if (fds->fds[i] >= 0)
            close(fds->fds[i]);
        fds->fds[i] = -1;
    }
}
