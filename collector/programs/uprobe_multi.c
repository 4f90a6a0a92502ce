#include "collector/programs/uprobe_multi.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/cleanup.h"

// Of the kernel's include/uapi/linux/bpf.h, newer than the headers this is built with.
enum {
    TRACE_UPROBE_MULTI = 48,
    TRACE_UPROBE_SESSION = 57,
    UPROBE_MULTI_RETURN = 1,
};

struct link_create {
    uint32_t program_fd, target_fd, attach_type, flags;
    uint64_t path, offsets, reference_counters, cookies; // user addresses
    uint32_t count, multi_flags, pid, padding;
};

static int create_link(struct link_create *request)
{
    int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, request, sizeof(*request));
    return fd < 0 ? -errno : fd;
}

// A link on a directory: the kernel says EBADF of it when it knows the kind of link, and EINVAL when it does not.
static int probe(void)
{
    const struct bpf_insn nothing[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    uint64_t offset = 0;
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = (enum bpf_attach_type)TRACE_UPROBE_SESSION);
    _cleanup_fd_ int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "hearth_probe", "GPL", nothing, 2, &options);
    if (program < 0)
        return -errno;
    struct link_create request = {
        .program_fd = (uint32_t)program,
        .attach_type = TRACE_UPROBE_SESSION,
        .path = (uint64_t)(uintptr_t) "/",
        .offsets = (uint64_t)(uintptr_t)&offset,
        .count = 1,
    };
    _cleanup_fd_ int link = create_link(&request);
    return link == -EBADF ? 0 : link < 0 ? link : -EINVAL;
}

int uprobe_multi__probe(void)
{
    static int answer = 1;
    if (answer == 1)
        answer = probe();
    return answer;
}

void uprobe_multi__prepare(struct bpf_program *program, enum uprobe_kind kind)
{
    int type = kind == UPROBE_SESSION ? TRACE_UPROBE_SESSION : TRACE_UPROBE_MULTI;
    bpf_program__set_expected_attach_type(program, (enum bpf_attach_type)type);
}

bool uprobe_multi__is_prepared(const struct bpf_program *program)
{
    int type = (int)bpf_program__expected_attach_type(program);
    return type == TRACE_UPROBE_MULTI || type == TRACE_UPROBE_SESSION;
}

bool uprobe_multi__is_session(const struct bpf_program *program)
{
    return (int)bpf_program__expected_attach_type(program) == TRACE_UPROBE_SESSION;
}

int uprobe_multi__attach(const struct bpf_program *program, const struct uprobe_places *places, bool at_return, int pid,
                         int *ret_fd)
{
    struct link_create request = {
        .program_fd = (uint32_t)bpf_program__fd(program),
        .attach_type = (uint32_t)bpf_program__expected_attach_type(program),
        .path = (uint64_t)(uintptr_t)places->path,
        .offsets = (uint64_t)(uintptr_t)places->file_offsets,
        .reference_counters = (uint64_t)(uintptr_t)places->semaphores,
        .cookies = (uint64_t)(uintptr_t)places->cookies,
        .count = (uint32_t)places->count,
        .multi_flags = at_return ? UPROBE_MULTI_RETURN : 0,
        .pid = pid > 0 ? (uint32_t)pid : 0,
    };
    int fd = create_link(&request);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}
