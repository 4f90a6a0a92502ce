#include "collector/who/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector/who/cgroups.h"
#include "collector/who/procfs.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/name_pattern.h"
#include "store/system/live_thread.h"

const struct option_row target_option_rows[] = {
    {'a', "all", NULL, "every process (the default without a command or a -p)", option__flag,
     offsetof(struct target_options, all)},
    {'p', "pid", "PID[,PID...]", "only these processes", option__string, offsetof(struct target_options, pids)},
    {'t', "tid", "TID[,TID...]", "only these threads, kept apart", option__string,
     offsetof(struct target_options, tids)},
    {'G', "cgroup", "PATH", "only this cgroup (v2) and those below it", option__string,
     offsetof(struct target_options, cgroup)},
    {'u', "uid", "USER", "only this user's, by name or number", option__string, offsetof(struct target_options, uid)},
    {'C', "cpu", "LIST", "only these CPUs: 0,2-5", option__string, offsetof(struct target_options, cpus)},
    {0, "comm", "NAME", NAME_PATTERN_HELP, option__string, offsetof(struct target_options, comm)},
    {0, "include-self", NULL, "hearth itself too, for its developers", option__flag,
     offsetof(struct target_options, include_self)},
    {0},
};

static int out_of_memory(struct fault *fault)
{
    return fault__set(fault, -ENOMEM, "out of memory");
}

static int append_id(uint32_t **ids, size_t *count, uint32_t id)
{
    if (RESIZE(*ids, *count + 1) != 0)
        return -ENOMEM;
    (*ids)[(*count)++] = id;
    return 0;
}

// "1,2,5": numbers; with ranges also "2-5". `what` names the option in faults.
static int parse_list(const char *text, bool ranges, const char *what, uint32_t **ret_ids, size_t *ret_count,
                      struct fault *fault)
{
    const char *at = text;
    while (true) {
        char *end;
        errno = 0;
        unsigned long first = strtoul(at, &end, 10), last = first;
        bool good = end != at && *at >= '0' && *at <= '9';
        if (good && ranges && *end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
            good = end != at;
        }
        if (!good || errno || last > INT_MAX || last < first || (*end && *end != ','))
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "bad value for %s: '%s' is not a list such as %s",
                                   what, text, ranges ? "0,2-5" : "12,345");
        if (last - first > WIRE_CPU_WORDS * 64)
            return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "bad value for %s: '%s' is too long", what, text);
        for (unsigned long id = first; id <= last; id++)
            if (append_id(ret_ids, ret_count, (uint32_t)id))
                return out_of_memory(fault);
        if (!*end)
            return 0;
        at = end + 1;
    }
}

static int add_process(struct target *target, uint32_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return -errno;
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    if (RESIZE(target->processes, target->process_count + 1) != 0) {
        close(pidfd);
        return -ENOMEM;
    }
    target->processes[target->process_count++] = (struct target_process){.pid = pid, .pidfd = pidfd};
    return 0;
}

// The thread group of a thread, from /proc; 0: there is no such thread.
static uint32_t tgid_of(uint32_t tid)
{
    char path[64], line[256];
    unsigned tgid = 0;
    snprintf(path, sizeof(path), "/proc/%u/status", tid);
    _cleanup_file_ FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Tgid: %u", &tgid) == 1)
            break;
    return tgid;
}

static int resolve_pids(const char *list, struct target *target, struct fault *fault)
{
    _cleanup_free_ uint32_t *pids = NULL;
    size_t count = 0;
    int err = parse_list(list, false, "-p", &pids, &count, fault);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        uint32_t tgid = tgid_of(pids[i]);
        err = pids[i] && tgid ? add_process(target, tgid) : -ESRCH;
        if (err == -ESRCH && count > 1)
            fault__warn("no process with PID %u; the others are recorded", pids[i]);
        else if (err == -ESRCH)
            return fault__set(fault, err, "no process with PID %u", pids[i]);
        else if (err)
            return fault__set(fault, err, "cannot watch PID %u: %s", pids[i], strerror(-err));
        else if (tgid != pids[i])
            fault__warn("%u is a thread of PID %u, which is recorded whole; -t %u records the thread alone", pids[i],
                        tgid, pids[i]);
    }
    target->named = true;
    return target->process_count ? 0 : fault__set(fault, -ESRCH, "none of the PIDs '%s' exists", list);
}

static int add_thread(struct target *target, uint32_t tid, struct fault *fault)
{
    struct target_thread *thread = &target->threads[target->thread_count];
    uint32_t tgid = tgid_of(tid);
    if (!tgid || procfs__start(tid, &thread->start_boot_ns) != 0)
        return fault__set(fault, -ESRCH, "no thread with TID %u", tid);
    int err = add_process(target, tgid);
    if (err)
        return fault__set(fault, err, "cannot watch PID %u: %s", tgid, strerror(-err));
    thread->tid = tid;
    target->thread_count++;
    return 0;
}

static int resolve_tids(const char *list, struct target *target, struct fault *fault)
{
    _cleanup_free_ uint32_t *tids = NULL;
    size_t count = 0;
    int err = parse_list(list, false, "-t", &tids, &count, fault);
    if (err)
        return err;
    target->threads = calloc(count, sizeof(*target->threads));
    if (!target->threads)
        return out_of_memory(fault);
    for (size_t i = 0; i < count && !err; i++)
        err = add_thread(target, tids[i], fault);
    target->named = true;
    return err;
}

static int resolve_uid(const char *user, uint32_t *ret_uid, struct fault *fault)
{
    char *end;
    errno = 0;
    unsigned long uid = strtoul(user, &end, 10);
    if (end != user && !*end && !errno && uid < WIRE_UID_ANY) {
        *ret_uid = (uint32_t)uid;
        return 0;
    }
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return fault__set_code(fault, EXIT_CODE_USAGE, -ENOENT, "no user '%s'", user);
    *ret_uid = entry->pw_uid;
    return 0;
}

// One of the kernel's lists of CPUs: "0-3".
static int read_cpus(const char *path, const char *what, uint32_t **ret_cpus, size_t *ret_count, struct fault *fault)
{
    char line[4096] = "0";
    _cleanup_file_ FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof(line), file))
        line[strcspn(line, "\n")] = '\0';
    return parse_list(line, true, what, ret_cpus, ret_count, fault);
}

static int choose_asked(const char *list, const uint32_t *online, struct wire_config *config, struct target *target,
                        struct fault *fault)
{
    int err = parse_list(list, true, "-C", &target->asked, &target->asked_count, fault);
    for (size_t i = 0; i < target->asked_count && !err; i++) {
        uint32_t cpu = target->asked[i];
        bool found = false;
        for (size_t j = 0; j < target->online_count; j++)
            found = found || online[j] == cpu;
        if (!found || cpu >= WIRE_CPU_WORDS * 64)
            return fault__set_code(fault, EXIT_CODE_USAGE, -ENOENT, "CPU %u is not online", cpu);
        config->cpus[cpu / 64] |= 1ull << (cpu % 64);
    }
    return err;
}

static int resolve_cpus(const char *list, struct wire_config *config, struct target *target, struct fault *fault)
{
    _cleanup_free_ uint32_t *online = NULL;
    int err = read_cpus("/sys/devices/system/cpu/present", "the CPUs present", &target->present, &target->present_count,
                        fault);
    if (!err)
        err = read_cpus("/sys/devices/system/cpu/online", "the online CPUs", &online, &target->online_count, fault);
    if (!err && list)
        err = choose_asked(list, online, config, target, fault);
    config->by_cpu = list != NULL;
    target->cpus = list ? target->asked : target->present;
    target->cpu_count = list ? target->asked_count : target->present_count;
    return err;
}

static int resolve_cgroup(const char *path, struct wire_config *config, struct fault *fault)
{
    uint64_t id;
    uint32_t level;
    int err = cgroup__find(path, &id, &level);
    if (err)
        return fault__set(fault, err, "no cgroup (v2) '%s': %s", path, strerror(-err));
    config->cgroup = id;
    config->cgroup_level = level;
    return 0;
}

static int resolve_comm(const char *text, struct wire_config *config, struct fault *fault)
{
    struct name_pattern pattern;
    int err = name_pattern__parse(text, fault, &pattern);
    if (err)
        return err;
    _Static_assert(sizeof(pattern) == sizeof(config->comm), "both sides mean the same");
    memcpy(&config->comm, &pattern, sizeof(pattern));
    config->by_comm = true;
    return 0;
}

int target__resolve(const struct target_options *options, struct wire_config *config, struct target *ret_target,
                    struct fault *fault)
{
    _cleanup_(target__release) struct target target = {0};
    config->uid = WIRE_UID_ANY;
    config->self_tgid = options->include_self ? 0 : (uint32_t)getpid();
    if (options->all && (options->pids || options->tids))
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "-a and -p (or -t) exclude each other");
    int err = options->pids ? resolve_pids(options->pids, &target, fault) : 0;
    if (!err && options->tids)
        err = resolve_tids(options->tids, &target, fault);
    if (!err && options->uid)
        err = resolve_uid(options->uid, &config->uid, fault);
    if (!err && options->cgroup)
        err = resolve_cgroup(options->cgroup, config, fault);
    if (!err && options->comm)
        err = resolve_comm(options->comm, config, fault);
    if (!err)
        err = resolve_cpus(options->cpus, config, &target, fault);
    if (err)
        return err;
    config->by_tgid = options->pids != NULL;
    config->by_tid = options->tids != NULL;
    config->keep_tid |= options->tids != NULL;
    *ret_target = target;
    target = (struct target){0};
    return 0;
}

int target__add_command(struct target *target, pid_t pid, struct wire_config *config, struct fault *fault)
{
    int err = add_process(target, (uint32_t)pid);
    if (err)
        return fault__set(fault, err, "cannot watch the command: %s", strerror(-err));
    target->has_command = true;
    config->follow_forks = true;
    config->by_tgid = true;
    return 0;
}

bool target_process__runs(const struct target_process *process)
{
    struct pollfd gone = {.fd = process->pidfd, .events = POLLIN};
    return poll(&gone, 1, 0) == 0;
}

bool target_thread__runs(const struct target_thread *thread)
{
    uint64_t start_boot_ns;
    return procfs__start(thread->tid, &start_boot_ns) == 0 && start_boot_ns == thread->start_boot_ns;
}

bool target__is_processes(const struct target *target)
{
    bool is_so = target->named && !target->has_command;
    for (size_t i = 0; i < target->process_count && is_so; i++)
        is_so = live_thread__of((pid_t)target->processes[i].pid) == (pid_t)target->processes[i].pid;
    return is_so;
}

void target__release(struct target *target)
{
    for (size_t i = 0; i < target->process_count; i++)
        close(target->processes[i].pidfd);
    free(target->processes);
    free(target->threads);
    free(target->present);
    free(target->asked);
    *target = (struct target){0};
}
