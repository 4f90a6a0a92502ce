// Tells the path of each control group (v2) when it is made: one that is gone before the drain cannot be asked any
// more.
#include "bpf/common/maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 256 * 1024);
} own_made SEC(".maps");

// include/trace/events/cgroup.h: TP_PROTO(struct cgroup *cgrp, const char *path), before any process can be in it. Ids
// are unique within a hierarchy; that of version 2 has the number 0.
SEC("raw_tracepoint/cgroup_mkdir")
int follow_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
    struct cgroup *cgroup = (struct cgroup *)ctx->args[0];
    if (BPF_CORE_READ(cgroup, root, hierarchy_id) != 0)
        return 0;
    struct wire_cgroup *made = bpf_ringbuf_reserve(&own_made, sizeof(*made), 0);
    if (!made) {
        tally__lose(WIRE_LOSS_CGROUPS_LOST);
        return 0;
    }
    made->id = BPF_CORE_READ(cgroup, kn, id);
    if (bpf_probe_read_kernel_str(made->path, sizeof(made->path), (const char *)ctx->args[1]) < 0)
        made->path[0] = '\0';
    bpf_ringbuf_submit(made, 0);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
