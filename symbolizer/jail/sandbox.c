#include "symbolizer/jail/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

#define NOBODY 65534

static struct sock_fprog filter;

// The only list of what the worker may ask the kernel for. Everything else fails with EPERM.
static const int allowed[] = {
    SCMP_SYS(read),         SCMP_SYS(pread64),      SCMP_SYS(write),       SCMP_SYS(fstat),         SCMP_SYS(close),
    SCMP_SYS(mmap),         SCMP_SYS(munmap),       SCMP_SYS(mremap),      SCMP_SYS(madvise),       SCMP_SYS(mprotect),
    SCMP_SYS(brk),          SCMP_SYS(memfd_create), SCMP_SYS(fcntl),       SCMP_SYS(sendmsg),       SCMP_SYS(recvmsg),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),   SCMP_SYS(futex),       SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(getrusage),    SCMP_SYS(sched_yield), SCMP_SYS(lseek),
#if defined(__SANITIZE_ADDRESS__)
    SCMP_SYS(sigaltstack), // ASan's own
#endif
};

// libseccomp makes the program; it is kept, so that each worker needs one call to put it on.
static int make_filter(void)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    _cleanup_fd_ int fd = memfd_create("filter", MFD_CLOEXEC);
    if (!context || fd < 0)
        return -ENOMEM;
    int err = 0;
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !err; i++)
        err = seccomp_rule_add(context, SCMP_ACT_ALLOW, allowed[i], 0);
    if (!err)
        err = seccomp_export_bpf(context, fd);
    seccomp_release(context);
    off_t bytes = lseek(fd, 0, SEEK_END);
    if (err || bytes <= 0 || bytes > BPF_MAXINSNS * (off_t)sizeof(struct sock_filter))
        return err ? err : -EIO;
    filter.filter = malloc((size_t)bytes);
    filter.len = (unsigned short)(bytes / (off_t)sizeof(struct sock_filter));
    if (!filter.filter)
        return -ENOMEM;
    return pread(fd, filter.filter, (size_t)bytes, 0) == bytes ? 0 : -EIO;
}

static int close_all_but(int keep_fd, int *ret_fd)
{
    int fd = fcntl(keep_fd, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || null < 0)
        return -errno;
    bool is_sanitized = false;
#if defined(__SANITIZE_ADDRESS__)
    is_sanitized = true; // its reports go to stderr
#endif
    for (int i = 0; i < (is_sanitized ? 2 : 3); i++)
        if (dup2(null, i) < 0)
            return -errno;
    // The highest number is the one to keep; what lies below and above it goes.
    if (fd > 3 && syscall(SYS_close_range, 3u, (unsigned)fd - 1, 0u) != 0)
        return -errno;
    if (syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u) != 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

static int become_nobody(void)
{
    if (geteuid() != 0)
        return 0; // an ordinary user has nothing to give up
    // A number, which needs no such user; but a user namespace may not have it (EINVAL), or forbid the groups (EPERM):
    // there uid 0 stays, which has no privilege outside and without capabilities none inside.
    if (setgroups(0, NULL) != 0 && errno != EPERM)
        return -errno;
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return errno == EINVAL ? 0 : -errno;
    return setuid(0) == 0 ? -EPERM : 0;
}

static int drop_capabilities(void)
{
    // Of no use any more, and without them even a file with setuid gives nothing (no_new_privs).
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522, 0}; // _LINUX_CAPABILITY_VERSION_3
    uint32_t none[6] = {0};
    return syscall(SYS_capset, &header, none) == 0 ? 0 : -errno;
}

// Whether there is a filter to be had at all: a container's own may refuse it, a kernel may lack it.
static int check_filters(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : -errno;
}

int sandbox__shed(int keep_fd, int *ret_fd)
{
    setsid(); // ^C is meant for the parent, which ends us by closing the socket
    int err = check_filters();
    if (!err)
        err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
    if (!err)
        err = close_all_but(keep_fd, ret_fd);
    if (!err)
        err = become_nobody();
    if (!err)
        err = drop_capabilities();
    if (!err)
        err = make_filter();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (int number = 1; number < NSIG; number++)
        signal(number, number == SIGPIPE ? SIG_IGN : SIG_DFL);
    return err;
}

static int limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit both = {soft, hard};
    return setrlimit((__rlimit_resource_t)resource, &both) == 0 ? 0 : -errno;
}

int sandbox__enter(const struct sandbox_limits *limits)
{
    int err = limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 1); // SIGXCPU, which says why, then SIGKILL
#if !defined(__SANITIZE_ADDRESS__)                                 // whose shadow is terabytes of addresses
    if (!err)
        err = limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
#endif
    if (!err)
        err = limit(RLIMIT_FSIZE, limits->answer_bytes, limits->answer_bytes);
    if (!err)
        err = limit(RLIMIT_NPROC, 0, 0);
    if (!err)
        err = limit(RLIMIT_CORE, 0, 0);
    if (err)
        return err;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0 ? 0 : -errno;
}
