#include "collector/daemon/privileges.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const cap_value_t kept[] = {
#define CAPABILITY(name, reason) name,
#include "collector/daemon/privileges.def"
#undef CAPABILITY
};

static bool is_kept(cap_value_t capability)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (kept[i] == capability)
            return true;
    return false;
}

// Those that are not there need no CAP_SETPCAP. Without that, the set stays, and no_new_privs has made it worth
// nothing.
static int drop_bounding_set(void)
{
    for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); capability++)
        if (!is_kept(capability) && cap_get_bound(capability) == CAP_SET && cap_drop_bound(capability) != 0 &&
            errno != EPERM)
            return -errno;
    return 0;
}

// Of the effective and the permitted ones; none is inheritable.
static int drop_capabilities(void)
{
    cap_t caps = cap_get_proc();
    int err = !caps || cap_clear_flag(caps, CAP_INHERITABLE) != 0 ? -errno : 0;
    for (cap_value_t capability = 0; !err && CAP_IS_SUPPORTED(capability); capability++)
        if (!is_kept(capability) && (cap_set_flag(caps, CAP_EFFECTIVE, 1, &capability, CAP_CLEAR) != 0 ||
                                     cap_set_flag(caps, CAP_PERMITTED, 1, &capability, CAP_CLEAR) != 0))
            err = -errno;
    if (!err && cap_set_proc(caps) != 0)
        err = -errno;
    cap_free(caps);
    return err;
}

int privileges__keep_needed(struct fault *fault)
{
    int err = drop_bounding_set();
    if (!err)
        err = drop_capabilities();
    if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        err = -errno;
    return err ? fault__set(fault, err, "cannot give up the capabilities that the daemon does not need: %s",
                            strerror(-err))
               : 0;
}

// --- The filter of system calls

// fsopen() and fsmount() stay, for a tracefs that nobody else sees: without move_mount() it is put nowhere.
static const char *const denied[] = {
    "acct",           "add_key",           "adjtimex",       "chroot",
    "clock_adjtime",  "clock_settime",     "create_module",  "delete_module",
    "execve",         "execveat",          "finit_module",   "init_module",
    "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm",
    "iopl",           "kexec_file_load",   "kexec_load",     "keyctl",
    "mount",          "mount_setattr",     "move_mount",     "open_tree",
    "personality",    "pidfd_getfd",       "pivot_root",     "process_vm_writev",
    "quotactl",       "quotactl_fd",       "reboot",         "request_key",
    "setdomainname",  "sethostname",       "setns",          "settimeofday",
    "stime",          "swapoff",           "swapon",         "umount",
    "umount2",        "unshare",           "userfaultfd",    "vhangup",
#if !defined(__SANITIZE_ADDRESS__) // whose search for leaks stops the other threads by it
    "ptrace",
#endif
};

static const unsigned denied_sockets[] = {AF_INET, AF_INET6, AF_PACKET};

static int deny(scmp_filter_ctx context, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), number, 0);
}

static int deny_socket(scmp_filter_ctx context, unsigned family)
{
    return seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family));
}

int privileges__filter_calls(struct fault *fault)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    int err = context ? 0 : -ENOMEM;
    for (size_t i = 0; !err && i < sizeof(denied) / sizeof(denied[0]); i++)
        err = deny(context, denied[i]);
    for (size_t i = 0; !err && i < sizeof(denied_sockets) / sizeof(denied_sockets[0]); i++)
        err = deny_socket(context, denied_sockets[i]);
    if (!err)
        err = seccomp_load(context);
    if (context)
        seccomp_release(context);
    return err ? fault__set(fault, err, "cannot give up system calls: %s; this host's own filter may forbid it",
                            strerror(-err))
               : 0;
}
