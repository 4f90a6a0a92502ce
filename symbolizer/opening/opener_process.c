#include "symbolizer/opening/opener_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbolizer/jail/packet.h"
#include "symbolizer/opening/opening.h"

enum { SOCKET_FD = 3, PROGRESS_MS = 100 };

struct progress {
    int socket;
    int64_t told_ms;
};

static void tell_progress(void *context)
{
    struct progress *progress = context;
    int64_t now_ms = packet__now_ms();
    if (now_ms - progress->told_ms < PROGRESS_MS)
        return;
    progress->told_ms = now_ms;
    packet__send(progress->socket, &(struct opener_reply){.err = -EINPROGRESS}, sizeof(struct opener_reply), NULL);
}

static int serve(int socket)
{
    static struct opening opening;
    struct packet_fds folder;
    struct opened opened = OPENED_NONE;
    int err = packet__receive(socket, -1, &opening, sizeof(opening), &folder);
    if (err)
        return err;
    opening.path[sizeof(opening.path) - 1] = '\0';
    struct progress progress = {.socket = socket, .told_ms = packet__now_ms()};
    struct opener_reply reply = {.err = opening__run_apart(&opening, folder.fds[0], tell_progress, &progress, &opened)};
    reply.has_fd = opened.fd >= 0;
    struct packet_fds made = {{opened.fd, opened.place_fd}};
    err = packet__send(socket, &reply, sizeof(reply), &made);
    packet__close(&made);
    packet__close(&folder);
    return err;
}

// Closes every descriptor that came with fork(). An opener that is left behind would keep the BPF programs loaded, and
// the write end of a pipe open whose reader waits for its end.
static void shed(int socket)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (socket != SOCKET_FD)
        dup3(socket, SOCKET_FD, O_CLOEXEC);
    for (int fd = 0; fd < SOCKET_FD && null >= 0; fd++)
        dup2(null, fd);
    syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0);
}

void opener_process__run(int socket)
{
    setsid(); // ^C is meant for the parent, which ends us by closing the socket
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "hearth-opener"); // 15 bytes at most (TASK_COMM_LEN)
    signal(SIGPIPE, SIG_IGN);
    shed(socket);
    while (serve(SOCKET_FD) == 0)
        ;
    _exit(0);
}
