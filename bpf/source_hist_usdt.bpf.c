// Histograms between two USDT probes, or of a USDT probe's argument. Each place of a probe has its arguments elsewhere:
// the cookie of the probe there is its row in own_places.
//
// A start waits for its end in its thread's task storage, the newest first, so that pairs may be nested; or, with a key
// (--key argN: a request's number), in a hash map by process and key, whatever thread ends it.
#define UNWIND_AT_UPROBE 1
#define SCRATCH_SLOTS    4 // a uprobe's program may be preempted, and another thread of the CPU may hit the probe then
#include "bpf/wire/wire.h"

const volatile __u16 own_event;

#include "bpf/hist_argument.bpf.h"

#define STARTS_MAX 64

struct starts {       // a ring: above STARTS_MAX the oldest are forgotten
    __u64 has_passed; // see hist__of_thread()
    __u64 depth;
    struct {
        __u64 start_ns;
        __u64 argument; // of --by
    } rows[STARTS_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct starts);
} own_starts SEC(".maps");

struct start_key {
    __u64 value;
    __u64 tgid;
};

struct start {
    __u64 start_ns;
    __u64 argument;
    struct wire_hist_key who; // began it
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, struct start_key);
    __type(value, struct start);
} own_keyed SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, WIRE_USDT_PLACES_MAX);
    __type(key, __u32);
    __type(value, struct wire_usdt_place);
} own_places SEC(".maps");

static __always_inline __u64 register_at(struct pt_regs *ctx, __s16 place)
{
    __u64 value = 0;
    if (place != WIRE_NO_REGISTER)
        bpf_probe_read_kernel(&value, sizeof(value), (void *)ctx + place);
    return value;
}

struct value {
    __u64 bits;
    bool is_signed;
};

enum { OF_VALUE, OF_BY };

// Cut to its size: that of the note, and then the one that was asked for. False: its memory cannot be read.
static __noinline bool argument__read(struct pt_regs *ctx, __u32 which, struct value *ret_value)
{
    __u32 row = (__u32)bpf_get_attach_cookie(ctx);
    struct wire_usdt_place *place = bpf_map_lookup_elem(&own_places, &row);
    if (!place)
        return false;
    struct wire_usdt_argument *argument = which == OF_BY ? &place->by : &place->value;
    __u64 value = argument->offset + register_at(ctx, argument->base) +
                  (register_at(ctx, argument->index) << (argument->shift & 3));
    if (argument->is_memory) {
        void *address = (void *)value;
        __u32 bytes = argument->bytes < sizeof(value) ? argument->bytes : sizeof(value);
        value = 0;
        if (bpf_probe_read_user(&value, bytes, address) != 0)
            return false;
    }
    ret_value->bits = hist__cut(value, argument->bytes, argument->is_signed);
    ret_value->is_signed = argument->is_signed;
    if (which == OF_BY && own_hist.by_has_type) {
        ret_value->bits = hist__cut(ret_value->bits, own_hist.by_bytes, own_hist.by_is_signed);
    } else if (which == OF_VALUE && own_hist.has_type) {
        ret_value->bits = hist__cut(ret_value->bits, own_hist.bytes, own_hist.is_signed);
        ret_value->is_signed = own_hist.is_signed;
    }
    return true;
}

static __always_inline bool by_argument(struct pt_regs *ctx, __u64 *ret_argument)
{
    struct value value = {0};
    if (own_hist.by == WIRE_HIST_BY_ARGUMENT && !argument__read(ctx, OF_BY, &value))
        return false;
    *ret_argument = value.bits;
    return true;
}

static __always_inline void count_unmatched(void)
{
    struct wire_hist_key key;
    hist__key(&key, 0);
    hist__unmatched(&key, 1);
}

static __always_inline void start_in_thread(struct pt_regs *ctx)
{
    struct starts *starts = hist__of_thread(&own_starts);
    if (!starts)
        return;
    __u64 depth = starts->depth++, argument = 0;
    bool is_read = by_argument(ctx, &argument);
    starts->rows[depth % STARTS_MAX].argument = argument;
    starts->rows[depth % STARTS_MAX].start_ns = is_read ? bpf_ktime_get_ns() : 0; // its end will be unmatched
}

static __always_inline bool key_of(struct pt_regs *ctx, struct start_key *ret_key)
{
    struct value value = {0};
    if (!argument__read(ctx, OF_VALUE, &value)) {
        hist__lose(WIRE_LOSS_VALUES_UNREAD);
        return false;
    }
    ret_key->value = value.bits;
    ret_key->tgid = bpf_get_current_pid_tgid() >> 32;
    return true;
}

SEC("kprobe")
int hist_usdt_start(struct pt_regs *ctx)
{
    if (!own_hist.by_key) {
        start_in_thread(ctx);
        return 0;
    }
    if (!filter__passes())
        return 0;
    struct start_key key = {0};
    struct start start = {0};
    if (!key_of(ctx, &key))
        return 0;
    if (!by_argument(ctx, &start.argument)) {
        hist__lose(WIRE_LOSS_VALUES_UNREAD);
        return 0;
    }
    hist__key(&start.who, start.argument);
    start.start_ns = bpf_ktime_get_ns();
    if (bpf_map_lookup_elem(&own_keyed, &key))
        count_unmatched(); // started again without an end
    if (bpf_map_update_elem(&own_keyed, &key, &start, BPF_ANY) != 0)
        hist__lose(WIRE_LOSS_NOT_FOLLOWED);
    return 0;
}

static __always_inline bool take_start(struct pt_regs *ctx, struct start *ret_start)
{
    if (own_hist.by_key) {
        struct start_key key = {0};
        struct start *start = key_of(ctx, &key) ? bpf_map_lookup_elem(&own_keyed, &key) : NULL;
        if (!start)
            return false;
        *ret_start = *start;
        return bpf_map_delete_elem(&own_keyed, &key) == 0; // nobody else was faster
    }
    struct starts *starts = bpf_task_storage_get(&own_starts, bpf_get_current_task_btf(), NULL, 0);
    __u64 last = starts ? starts->depth - 1 : ~0ull;
    if (last == ~0ull)
        return false;
    starts->depth = last;
    ret_start->start_ns = starts->rows[last % STARTS_MAX].start_ns;
    ret_start->argument = starts->rows[last % STARTS_MAX].argument;
    starts->rows[last % STARTS_MAX].start_ns = 0;
    return ret_start->start_ns != 0; // else it was forgotten
}

SEC("kprobe")
int hist_usdt_end(struct pt_regs *ctx)
{
    __u64 now_ns = bpf_ktime_get_ns();
    struct start start = {0};
    if (own_hist.by_key && !filter__passes())
        return 0;
    if (!take_start(ctx, &start)) {
        if (own_hist.by_key || filter__passes())
            count_unmatched();
        return 0;
    }
    struct wire_hist_key key;
    hist__key(&key, start.argument);
    event__emit(ctx, &key, now_ns - start.start_ns);
    return 0;
}

SEC("kprobe")
int hist_usdt_value(struct pt_regs *ctx)
{
    struct wire_hist_key key;
    struct value value = {0};
    __u64 by = 0;
    if (!filter__passes())
        return 0;
    if (!by_argument(ctx, &by) || !argument__read(ctx, OF_VALUE, &value)) {
        hist__lose(WIRE_LOSS_VALUES_UNREAD);
        return 0;
    }
    hist__key(&key, by);
    hist__add_cut(ctx, &key, value.bits, value.is_signed, 0);
    return 0;
}

// Starts of pairs that will not be seen to end. Those paired by a key wait for any thread: they are counted at the end.
static __always_inline void leave_open(struct task_struct *task)
{
    struct starts *starts = bpf_task_storage_get(&own_starts, task, NULL, 0);
    struct wire_hist_key key;
    __u64 depth = starts ? starts->depth : 0;
    if (!depth)
        return;
    starts->depth = 0;
    hist__key_of(task, &key);
    if (own_hist.by != WIRE_HIST_BY_ARGUMENT) {
        hist__unmatched(&key, depth);
        return;
    }
    for (__u32 i = 0; i < STARTS_MAX && i < depth; i++) {
        key.by.number = starts->rows[i].argument;
        hist__unmatched(&key, 1);
    }
}

HIST_LEFT_OPEN(leave_open)

static long count_keyed(void *map, const void *unused_key, struct start *start, void *unused)
{
    struct wire_hist_key key = start->who;
    hist__unmatched(&key, 1);
    return 0;
}

// Run once, when the event is detached.
SEC("syscall")
int left_keyed(void *ctx)
{
    bpf_for_each_map_elem(&own_keyed, count_keyed, NULL, 0);
    return 0;
}

// For measuring the cost of a probe without a program: see collector/probes/trap.h.
SEC("kprobe")
int trap_nothing(struct pt_regs *ctx)
{
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
