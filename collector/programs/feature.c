#include "collector/programs/feature.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collector/programs/bpf_meter.h"
#include "collector/programs/uprobe_multi.h"
#include "collector/who/cgroups.h"
#include "store/base/cleanup.h"
#include "symbolizer/worker/worker.h"

// --- Capabilities

static int has_capability(cap_value_t capability)
{
    cap_flag_value_t value = CAP_CLEAR;
    cap_t all = cap_get_proc();
    int err = !all || cap_get_flag(all, capability, CAP_EFFECTIVE, &value) != 0 ? -errno : 0;
    cap_free(all);
    return err ? err : value == CAP_SET ? 0 : -EPERM;
}

// CAP_SYS_ADMIN stands for the two that were split from it in 5.8.
static int probe_cap_bpf(void)
{
    return has_capability(CAP_BPF) == 0 ? 0 : has_capability(CAP_SYS_ADMIN);
}

static int probe_cap_perfmon(void)
{
    return has_capability(CAP_PERFMON) == 0 ? 0 : has_capability(CAP_SYS_ADMIN);
}

static int probe_cap_ptrace(void)
{
    return has_capability(CAP_SYS_PTRACE);
}

static int probe_cap_read(void)
{
    return has_capability(CAP_DAC_READ_SEARCH) == 0 ? 0 : has_capability(CAP_DAC_OVERRIDE);
}

// --- BPF

int feature__btf(void)
{
    return access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? 0 : -errno;
}

// A program of one type that returns 0, with at most one map looked up.
static int load_program(enum bpf_prog_type type, const char *attach_to, int map_fd)
{
    struct bpf_insn with_map[] = {
        {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4},
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
        {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4},
        {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map_fd},
        {0},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    size_t all = sizeof(with_map) / sizeof(with_map[0]), skipped = map_fd < 0 ? all - 2 : 0;
    LIBBPF_OPTS(bpf_prog_load_opts, load);
    if (type == BPF_PROG_TYPE_TRACING) {
        load.expected_attach_type = attach_to[0] == '@' ? BPF_TRACE_RAW_TP : BPF_TRACE_FENTRY;
        char name[64];
        snprintf(name, sizeof(name), "%s%s", attach_to[0] == '@' ? "btf_trace_" : "",
                 attach_to + (attach_to[0] == '@'));
        struct btf *btf = btf__load_vmlinux_btf();
        int id =
            btf ? btf__find_by_name_kind(btf, name, attach_to[0] == '@' ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC) : -ENOENT;
        btf__free(btf);
        if (id < 0)
            return id;
        load.attach_btf_id = (__u32)id;
    }
    int fd = bpf_prog_load(type, "hearth_probe", "GPL", with_map + skipped, all - skipped, &load);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int probe_perf_program(void)
{
    return load_program(BPF_PROG_TYPE_PERF_EVENT, NULL, -1);
}

static int probe_raw_tracepoint(void)
{
    return load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, -1);
}

static int probe_tp_btf(void)
{
    return load_program(BPF_PROG_TYPE_TRACING, "@sched_switch", -1);
}

// Whether the kernel has a helper, by its own list of their numbers.
static int find_helper(const char *name)
{
    struct btf *btf = btf__load_vmlinux_btf();
    int id = btf ? btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM) : -ENOENT, err = -ENOENT;
    const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
    for (uint16_t i = 0; type && i < btf_vlen(type) && err; i++)
        if (strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off), name) == 0)
            err = 0;
    btf__free(btf);
    return err;
}

static int probe_other_memory(void)
{
    return find_helper("BPF_FUNC_copy_from_user_task");
}

int feature__fentry(void)
{
    return load_program(BPF_PROG_TYPE_TRACING, "do_nanosleep", -1);
}

int feature__lazy_maps(void)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    _cleanup_fd_ int map = bpf_map_create(BPF_MAP_TYPE_HASH, "hearth_probe", 4, 8, 1, &options);
    return map < 0 ? -errno : load_program(BPF_PROG_TYPE_PERF_EVENT, NULL, map);
}

static int probe_ring_buffer(void)
{
    _cleanup_fd_ int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "hearth_probe", 0, 0, 65536, NULL);
    return map < 0 ? -errno : 0;
}

static int probe_batches(void)
{
    _cleanup_fd_ int map = bpf_map_create(BPF_MAP_TYPE_HASH, "hearth_probe", 4, 8, 1, NULL);
    __u32 position, key, count = 1;
    __u64 value;
    if (map < 0)
        return -errno;
    if (bpf_map_lookup_and_delete_batch(map, NULL, &position, &key, &value, &count, NULL) == 0 || errno == ENOENT)
        return 0;
    return -errno;
}

static int probe_bpf_statistics(void)
{
    _cleanup_fd_ int fd = bpf_statistics__open();
    return fd < 0 ? -errno : 0;
}

// --- Perf events

static int open_perf_event(struct perf_event_attr *attr)
{
    attr->size = sizeof(*attr);
    _cleanup_fd_ int fd = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : 0;
}

static int probe_cpu_clock(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1, .sample_freq = 99};
    return open_perf_event(&attr);
}

static int probe_cycles(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES, .freq = 1, .sample_freq = 99};
    return open_perf_event(&attr);
}

static int probe_build_ids(void)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY, .mmap = 1, .mmap2 = 1, .build_id = 1};
    return open_perf_event(&attr);
}

static int probe_pmu(const char *name)
{
    char path[96];
    snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
    return access(path, R_OK) == 0 ? 0 : -errno;
}

static int probe_uprobes(void)
{
    return probe_pmu("uprobe");
}

static int probe_kprobes(void)
{
    return probe_pmu("kprobe");
}

// --- The rest

static int probe_membarrier(void)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    return commands < 0 ? -errno : commands & MEMBARRIER_CMD_GLOBAL ? 0 : -ENOSYS;
}

static int probe_tracefs(void)
{
    if (access("/sys/kernel/tracing/events", R_OK) == 0 || access("/sys/kernel/debug/tracing/events", R_OK) == 0)
        return 0;
    return -errno;
}

static int probe_kallsyms(void)
{
    _cleanup_file_ FILE *file = fopen("/proc/kallsyms", "re");
    char line[512];
    unsigned long long address;
    if (!file)
        return -errno;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%llx", &address) == 1 && address)
            return 0;
    return -EACCES;
}

static int probe_cgroups(void)
{
    uint64_t id;
    uint32_t level;
    return cgroup__find("/", &id, &level);
}

// The initial pid namespace's inode is fixed (include/linux/proc_ns.h, PROC_PID_INIT_INO).
static int probe_pid_namespace(void)
{
    char link[64] = "";
    if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) < 0)
        return -errno;
    return strcmp(link, "pid:[4026531836]") == 0 ? 0 : -ENOTSUP;
}

// The worker that reads binaries must be able to give up everything else.
static int probe_sandbox(void)
{
    struct worker *worker;
    int err = worker__new(NULL, NULL, &worker);
    if (!err)
        worker__free(worker);
    return err;
}

int feature__require(const char *name, struct fault *fault)
{
    const struct feature *feature = features;
    while (feature->name && strcmp(feature->name, name) != 0)
        feature++;
    int err = feature->name ? feature->probe() : 0;
    if (!err)
        return 0;
    return fault__set_code(fault, EXIT_CODE_LACKS, err, "no %s: %s; %s", feature->name, feature->lost, feature->advice);
}

#define AS_ROOT "run as root, or give hearth the capability (setcap)"

const struct feature features[] = {
    {"CAP_BPF", FEATURE_NEEDED, probe_cap_bpf, "no BPF program can be loaded", AS_ROOT},
    {"CAP_PERFMON", FEATURE_NEEDED, probe_cap_perfmon, "no event can be opened for other processes", AS_ROOT},
    {"CAP_SYS_PTRACE", FEATURE_OPTIONAL, probe_cap_ptrace, "mappings and files of other users' processes are not seen",
     AS_ROOT},
    {"CAP_DAC_READ_SEARCH", FEATURE_OPTIONAL, probe_cap_read, "binaries that others may not read get no names",
     AS_ROOT},
    {"kernel BTF", FEATURE_NEEDED, feature__btf, "the programs cannot find the kernel's fields",
     "boot a kernel with CONFIG_DEBUG_INFO_BTF=y"},
    {"BPF on perf events", FEATURE_NEEDED, probe_perf_program, "no CPU samples",
     "kernel 5.15 or later with CONFIG_BPF_SYSCALL"},
    {"BPF on raw tracepoints", FEATURE_NEEDED, probe_raw_tracepoint, "children of a command are not followed",
     "kernel 5.15 or later with CONFIG_BPF_EVENTS"},
    {"BPF on BTF tracepoints", FEATURE_OPTIONAL, probe_tp_btf, "no off-CPU time", "kernel 5.15 or later"},
    {"BPF reads other processes", FEATURE_OPTIONAL, probe_other_memory,
     "threads that wait since before the recording have no user stacks", "kernel 5.18 or later"},
    {"BPF ring buffer", FEATURE_NEEDED, probe_ring_buffer, "new binaries are not announced", "kernel 5.15 or later"},
    {"batched map reads", FEATURE_NEEDED, probe_batches, "the maps cannot be drained", "kernel 5.15 or later"},
    {"maps allocated as needed", FEATURE_OPTIONAL, feature__lazy_maps, "the maps take all their memory at once",
     "kernel 6.1 or later"},
    {"BPF run time statistics", FEATURE_OPTIONAL, probe_bpf_statistics, "hearth's own cost in the kernel is not known",
     "kernel 5.8 or later, CAP_SYS_ADMIN"},
    {"cpu-clock", FEATURE_NEEDED, probe_cpu_clock, "no CPU samples", "kernel with CONFIG_PERF_EVENTS; " AS_ROOT},
    {"hardware counters", FEATURE_OPTIONAL, probe_cycles, "the event cpu counts cpu-clock instead of cycles",
     "a machine, or a virtual machine, that shows its PMU"},
    {"build ids in records", FEATURE_OPTIONAL, probe_build_ids, "files that are gone are known by inode only",
     "kernel 5.12 or later"},
    {"uprobes", FEATURE_OPTIONAL, probe_uprobes, "no events in programs: uprobe, uretprobe, usdt",
     "kernel with CONFIG_UPROBE_EVENTS"},
    {"uprobe sessions", FEATURE_OPTIONAL, uprobe_multi__probe,
     "a call's latency takes two probes, which cost it some 15 % more; many functions take long to probe",
     "kernel 6.13 or later"},
    {"kprobes", FEATURE_OPTIONAL, probe_kprobes, "no kprobe events", "kernel with CONFIG_KPROBE_EVENTS"},
    {"fentry", FEATURE_OPTIONAL, feature__fentry, "no fentry events",
     "a kernel with CONFIG_FUNCTION_TRACER that is not locked down (lockdown=none)"},
    {"tracefs", FEATURE_OPTIONAL, probe_tracefs, "no tracepoint events by name",
     "mount -t tracefs tracefs /sys/kernel/tracing"},
    {"membarrier", FEATURE_NEEDED, probe_membarrier, "drains could lose counts", "kernel with CONFIG_MEMBARRIER"},
    {"kernel symbols", FEATURE_OPTIONAL, probe_kallsyms, "kernel frames have no names",
     "sysctl kernel.kptr_restrict=0, or CAP_SYSLOG"},
    {"cgroup v2", FEATURE_OPTIONAL, probe_cgroups, "processes are not told apart by cgroup or container",
     "mount -t cgroup2 cgroup2 /sys/fs/cgroup"},
    {"seccomp", FEATURE_NEEDED, probe_sandbox, "no binary can be read without danger: no names, no recording",
     "kernel with CONFIG_SECCOMP_FILTER; allow seccomp, capset and setresuid in the container's profile"},
    {"initial pid namespace", FEATURE_NEEDED, probe_pid_namespace, "PIDs would mean other processes than in /proc",
     "run hearth on the host, or in a container with --pid=host"},
    {0},
};
