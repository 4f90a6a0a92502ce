#include "report/profile/group.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "store/owner.h"

#define NAME char ret_name[GROUP_NAME_BYTES]

static const char *or_else(const char *text, const char *other)
{
    return text && *text ? text : other;
}

static void put(NAME, const char *text)
{
    snprintf(ret_name, GROUP_NAME_BYTES, "%s", text);
}

static void name_comm(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)process;
    put(ret_name, or_else(thread->comm, STORE_MARK_UNKNOWN));
}

static void name_pid(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    snprintf(ret_name, GROUP_NAME_BYTES, "%" PRIu32, process->pid);
}

static void root_of_pid(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    snprintf(ret_name, GROUP_NAME_BYTES, "%s-%" PRIu32, or_else(process->comm, STORE_MARK_UNKNOWN), process->pid);
}

// Where the recording keeps no threads apart, those of one process and comm are one.
static void name_tid(const struct store_process *process, const struct store_thread *thread, NAME)
{
    if (thread->tid)
        snprintf(ret_name, GROUP_NAME_BYTES, "%" PRIu32, thread->tid);
    else
        snprintf(ret_name, GROUP_NAME_BYTES, "%" PRIu32 ", all of %s", process->pid, thread->comm);
}

static void root_of_thread(const struct store_process *process, const struct store_thread *thread, NAME)
{
    const char *comm = or_else(thread->comm, STORE_MARK_UNKNOWN);
    if (thread->tid)
        snprintf(ret_name, GROUP_NAME_BYTES, "%s-%" PRIu32 "/%" PRIu32, comm, process->pid, thread->tid);
    else
        snprintf(ret_name, GROUP_NAME_BYTES, "%s-%" PRIu32, comm, process->pid);
}

static void root_of_perf(const struct store_process *process, const struct store_thread *thread, NAME)
{
    snprintf(ret_name, GROUP_NAME_BYTES, "%s %" PRIu32 "/%" PRIu32, or_else(thread->comm, STORE_MARK_UNKNOWN),
             process->pid, thread->tid ? thread->tid : process->pid);
}

static void name_cgroup(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    put(ret_name, or_else(process->cgroup, "[no cgroup]"));
}

// `offset` of a text of struct owner.
static void put_owner(NAME, const struct store_process *process, size_t offset, const char *none)
{
    struct owner owner;
    owner__of(process->cgroup, &owner);
    put(ret_name, or_else((const char *)&owner + offset, none));
}

static void name_unit(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    put_owner(ret_name, process, offsetof(struct owner, unit), "[no unit]");
}

static void name_container(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    put_owner(ret_name, process, offsetof(struct owner, container), "[no container]");
}

static void name_pod(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    put_owner(ret_name, process, offsetof(struct owner, pod), "[no pod]");
}

// By the users of the host that reads the store.
static void name_user(const struct store_process *process, const struct store_thread *thread, NAME)
{
    const struct passwd *user = getpwuid(process->uid);
    (void)thread;
    if (user)
        put(ret_name, user->pw_name);
    else
        snprintf(ret_name, GROUP_NAME_BYTES, "%" PRIu32, process->uid);
}

static void name_exe(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)thread;
    put(ret_name, or_else(process->exe, "[no exe]"));
}

static void name_nothing(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)process;
    (void)thread;
    put(ret_name, "");
}

static void root_of_all(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)process;
    (void)thread;
    put(ret_name, "[all]");
}

static void root_compared(const struct store_process *process, const struct store_thread *thread, NAME)
{
    (void)process;
    (void)thread;
    put(ret_name, "compared");
}

const struct group group_of_comms = {"comm", "comm", name_comm, name_comm};
const struct group group_of_threads = {"tid", "thread", root_of_thread, name_tid};
const struct group group_of_perf = {"perf", "thread", root_of_perf, name_tid};
const struct group group_of_processes = {"pid", "process", root_of_pid, name_pid};
const struct group group_compared = {"compared", "nothing", root_compared, name_nothing};
static const struct group others[] = {
    {"cgroup", "cgroup", name_cgroup, name_cgroup},
    {"unit", "unit", name_unit, name_unit},
    {"container", "container", name_container, name_container},
    {"pod", "pod", name_pod, name_pod},
    {"user", "user", name_user, name_user},
    {"exe", "exe", name_exe, name_exe},
    {"none", "nothing", root_of_all, name_nothing},
};

int group__option(const char *text, void *target, struct fault *fault)
{
    const struct group **group = target;
    const struct group *const known[] = {&group_of_comms, &group_of_threads, &group_of_processes};
    *group = NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(text, known[i]->name) == 0)
            *group = known[i];
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(text, others[i].name) == 0)
            *group = &others[i];
    return *group ? 0 : fault__set(fault, -EINVAL, "'%s' is none of comm, " GROUP_KEYS_BUT_COMM, text);
}
