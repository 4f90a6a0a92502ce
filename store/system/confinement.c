#include "store/system/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"

#define NOBODY 65534

static int keep_only(uint32_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = capabilities, .permitted = capabilities}};
    return syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}

static uint32_t read_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    return syscall(SYS_capget, &header, data) == 0 ? data[0].permitted & 1u << CAP_DAC_READ_SEARCH : 0;
}

// Without CAP_SETPCAP it stays: no_new_privs has made it worth nothing.
static void drop_bounding_set(void)
{
    for (int number = 0; prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0; number++)
        ;
}

static int become_nobody(bool reads_files)
{
    uint32_t kept = reads_files ? read_capability() : 0;
    drop_bounding_set();
    if (geteuid() != 0)
        return keep_only(0);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return -errno;
    // A user namespace may not have that uid (EINVAL), or forbid the groups (EPERM): see symbolizer/jail/sandbox.c.
    if (setgroups(0, NULL) != 0 && errno != EPERM)
        return -errno;
    if ((setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0) && errno != EINVAL)
        return -errno;
    return keep_only(kept);
}

// --- Landlock: which files may be read

static int allow_below(int ruleset, const char *path)
{
    struct stat status;
    _cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return 0; // not on this host
    struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    if (S_ISDIR(status.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : -errno;
}

static int allow_store(int ruleset, const char *store)
{
    struct stat status;
    char folder[PATH_MAX];
    if (stat(store, &status) == 0 && S_ISDIR(status.st_mode))
        return allow_below(ruleset, store);
    if (strlen(store) >= sizeof(folder))
        return -ENAMETOOLONG;
    memcpy(folder, store, strlen(store) + 1);
    return allow_below(ruleset, dirname(folder)); // with its -wal and -shm
}

static int lock_files(const char *store, const char *sources)
{
    static const char *const others[] = {"/etc/passwd", "/etc/nsswitch.conf", "/etc/localtime", "/usr/share/zoneinfo"};
    // All kinds of access of the first version of Landlock (5.13).
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    _cleanup_fd_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (ruleset < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
    int err = store ? allow_store(ruleset, store) : 0;
    if (!err && sources)
        err = allow_below(ruleset, sources);
    for (size_t i = 0; store && !err && i < sizeof(others) / sizeof(others[0]); i++)
        err = allow_below(ruleset, others[i]);
    if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        err = -errno;
    return err;
}

// --- The filter of system calls

// The only list of the calls that the server and its children make. Everything else fails with EPERM.
static const char *const allowed[] = {
    "accept4",
    "access",
    "alarm",
    "brk",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "close",
    "dup",
    "dup2",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fcntl",
    "fork",
    "fstat",
    "fstatfs",
    "ftruncate",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpeername",
    "getpid",
    "getppid",
    "getrandom",
    "getrusage",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "ioctl",
    "kill",
    "lseek",
    "lstat",
    "madvise",
    "membarrier",
    "memfd_create",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "recvfrom",
    "recvmsg",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "sendfile",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_tid_address",
    "setrlimit",
    "setsockopt",
    "shutdown",
    "sigaltstack",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "time",
    "uname",
    "wait4",
    "write",
    "writev",
};

// open() and openat() without a bit that makes or changes a file.
static int allow_reading(scmp_filter_ctx context, const char *name, unsigned flags_argument)
{
    const uint64_t changing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    struct scmp_arg_cmp reads = SCMP_CMP(flags_argument, SCMP_CMP_MASKED_EQ, changing, O_RDONLY);
    return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, &reads);
}

static int filter_calls(void)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = context ? 0 : -ENOMEM;
    for (size_t i = 0; !err && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);
        if (number != __NR_SCMP_ERROR)
            err = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
    }
    if (!err)
        err = allow_reading(context, "open", 1);
    if (!err)
        err = allow_reading(context, "openat", 2);
    if (!err) // glibc falls back to clone(), whose flags a filter could see
        err = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name("clone3"), 0);
    if (!err)
        err = seccomp_load(context);
    if (context)
        seccomp_release(context);
    return err;
}

static int say(const char *words, int err, struct fault *fault)
{
    return fault__set(fault, err, "cannot give up %s: %s; this host's own filter may forbid it", words, strerror(-err));
}

int confinement__enter(const char *store, const char *sources, struct fault *fault)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault__set(fault, -errno, "cannot set no_new_privs: %s", strerror(errno));
    int err = lock_files(store, sources);
    if (err)
        return fault__set(fault, err, "cannot give up the other files: %s", strerror(-err));
    err = become_nobody(store != NULL);
    if (err)
        return say("the privileges", err, fault);
    err = filter_calls();
    return err ? say("the system calls", err, fault) : 0;
}
