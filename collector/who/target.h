// Whom to sample: the -a -p -t -G -u -C --comm options, shared by all live commands, checked and turned into the
// filter's configuration.
#ifndef HEARTH_COLLECTOR_WHO_TARGET_H
#define HEARTH_COLLECTOR_WHO_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire/wire.h"
#include "store/base/fault.h"
#include "store/base/name_pattern.h"
#include "store/base/options.h"

// As the options leave it.
struct target_options {
    bool all;
    const char *pids, *tids, *cgroup, *uid, *cpus, *comm;
    bool include_self;
};

extern const struct option_row target_option_rows[]; // of a struct target_options

struct target_process {
    uint32_t pid;
    int pidfd; // readable when the process is gone
};

struct target_thread {
    uint32_t tid;
    uint64_t start_boot_ns; // with it, the thread is named for ever
};

struct target {
    struct target_process *processes; // of -p, and the command
    size_t process_count;
    struct target_thread *threads; // of -t
    size_t thread_count;
    uint32_t *present; // every CPU that is there, those that are offline too
    size_t present_count;
    size_t online_count; // when the target was resolved
    uint32_t *asked;     // of -C
    size_t asked_count;
    const uint32_t *cpus; // those to open events on, where they are online: asked, else present
    size_t cpu_count;
    bool has_command;
    bool named; // -p or -t was given: when all of those are gone, there is nothing left to record
};

// Checks the options and fills in the filter's part of config. A PID that does not exist, a user or a cgroup that is
// not there: -ESRCH, -ENOENT with a fault. Where -p names several and some exist, the missing ones are said on stderr.
int target__resolve(const struct target_options *options, struct wire_config *config, struct target *ret_target,
                    struct fault *fault);
// Adds the command that hearth starts: with its children it is the target, unless -a or other targets were given too.
int target__add_command(struct target *target, pid_t pid, struct wire_config *config, struct fault *fault);
// Whether the process, or the thread, that was meant still runs: its id may be another one's by now.
bool target_process__runs(const struct target_process *process);
bool target_thread__runs(const struct target_thread *thread);
// Whether the target is some processes that exist, and none of their children: what a probe can be narrowed down to.
// The kernel puts a probe of one process into its leader's memory: a process whose leader has exited is none such.
bool target__is_processes(const struct target *target);
void target__release(struct target *target);

#endif
