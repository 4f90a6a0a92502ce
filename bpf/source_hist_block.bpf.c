// How long block I/O takes, from its issue to the device to its completion, for the thread that issued it.
#define KERNEL_FRAMES_SKIPPED 2 // the program and bpf_trace_runN
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/event.bpf.h"

struct request;

struct issued {
    __u64 start_ns;
    struct event_who who;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384); // more than the queues of 16 disks hold
    __type(key, __u64);         // address of the request
    __type(value, struct issued);
} own_issued SEC(".maps");

SEC("tp_btf/block_rq_issue")
int BPF_PROG(hist_block_issue, struct request *request)
{
    __u64 address = (__u64)request;
    struct issued issued = {0};
    if (!filter__passes())
        return 0;
    struct sample sample = {.event = own_event};
    event__begin(ctx, &issued.who, &sample, 1, sample__fill);
    issued.start_ns = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&own_issued, &address, &issued, BPF_ANY) != 0)
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(hist_block_complete, struct request *request)
{
    __u64 address = (__u64)request, now_ns = bpf_ktime_get_ns();
    struct issued *found = bpf_map_lookup_elem(&own_issued, &address);
    if (!found)
        return 0;
    struct issued issued = *found;
    if (bpf_map_delete_elem(&own_issued, &address) != 0)
        return 0;
    event__end(&issued.who, now_ns - issued.start_ns, 1, true);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
