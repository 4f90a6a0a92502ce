// The maps that all programs share. Each object file has them; the loader makes them once, by name, and hands them to
// the objects that follow. Maps whose name begins with "own_" stay with their object.
//
// Counts and stacks exist twice: control.flips says which set is written to. The collector raises it, waits
// until no program can still hold the old value (membarrier), and drains the other set at leisure.
#ifndef HEARTH_BPF_MAPS_H
#define HEARTH_BPF_MAPS_H

#include "bpf/common/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/wire/wire.h"

#define EEXIST 17

// Bounds are set by the loader, from the rate of samples and the period of drains. Entries are allocated when they are
// needed (BPF_F_NO_PREALLOC), where the kernel lets a perf_event program do that: 6.1 and later.
#define SHARED_HASH(map_name, key_type, value_type)                                                                    \
    struct {                                                                                                           \
        __uint(type, BPF_MAP_TYPE_HASH);                                                                               \
        __uint(map_flags, BPF_F_NO_PREALLOC);                                                                          \
        __uint(max_entries, 16384);                                                                                    \
        __type(key, key_type);                                                                                         \
        __type(value, value_type);                                                                                     \
    } map_name SEC(".maps")

SHARED_HASH(counts_0, struct wire_count_key, struct wire_count);
SHARED_HASH(counts_1, struct wire_count_key, struct wire_count);
SHARED_HASH(stacks_0, __u64, struct wire_chunk);
SHARED_HASH(stacks_1, __u64, struct wire_chunk);
SHARED_HASH(targets, __u32, __u8);     // thread groups to sample, where config.by_tgid
SHARED_HASH(targets_tid, __u32, __u8); // threads to sample, where config.by_tid

// Of histograms: allocated at once, so that no value is lost for want of memory; as large as the events need.
#define SHARED_HISTS(map_name)                                                                                         \
    struct {                                                                                                           \
        __uint(type, BPF_MAP_TYPE_PERCPU_HASH);                                                                        \
        __uint(max_entries, 1);                                                                                        \
        __type(key, struct wire_hist_key);                                                                             \
        __type(value, struct wire_hist_cell);                                                                          \
    } map_name SEC(".maps")

SHARED_HISTS(hists_0);
SHARED_HISTS(hists_1);

// Of histograms without keys: WIRE_HIST_CELLS cells each, found without a hash.
#define SHARED_CELLS(map_name)                                                                                         \
    struct {                                                                                                           \
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                                                       \
        __uint(max_entries, 1);                                                                                        \
        __type(key, __u32);                                                                                            \
        __type(value, struct wire_hist_cell);                                                                          \
    } map_name SEC(".maps")

SHARED_CELLS(cells_0);
SHARED_CELLS(cells_1);

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wire_control);
} control SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wire_tally);
} tallies SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 256 * 1024);
} notes SEC(".maps");

// Readable for the collector when a map of the active set has as many entries as config.drain_at says.
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} hurry SEC(".maps");

const volatile struct wire_config config;

static __always_inline struct wire_tally *tally__get(void)
{
    __u32 zero = 0;
    return bpf_map_lookup_elem(&tallies, &zero);
}

// Atomic although per CPU: an interrupt between load and store would lose a count.
static __always_inline void tally__lose_some(enum wire_loss loss, __u64 count)
{
    struct wire_tally *tally = tally__get();
    if (tally && loss < WIRE_LOSS_COUNT)
        __sync_fetch_and_add(&tally->losses[loss], count);
}

static __always_inline void tally__lose(enum wire_loss loss)
{
    tally__lose_some(loss, 1);
}

static __always_inline __u32 control__flips(void)
{
    __u32 zero = 0;
    struct wire_control *shared = bpf_map_lookup_elem(&control, &zero);
    return shared ? *(volatile __u32 *)&shared->flips : 0;
}

static __always_inline __u32 control__active_set(void)
{
    return control__flips() & 1;
}

// Counts an entry that was put into a map of the set; that entry which fills it to its mark asks for a drain.
static __always_inline void control__note_entry(__u32 set, enum wire_fill map)
{
    __u32 zero = 0;
    struct wire_control *shared = bpf_map_lookup_elem(&control, &zero);
    if (!shared)
        return;
    __u32 entries = __sync_fetch_and_add(&shared->filled[set & 1][map], 1) + 1;
    if (entries == config.drain_at[map])
        bpf_ringbuf_output(&hurry, &entries, sizeof(entries), BPF_RB_FORCE_WAKEUP);
}

// Look-up in one of two maps. Each has its own instruction: the verifier puts the look-up in place of a call where it
// knows the map, but clang would rather make one call with a chosen map.
#define SET_LOOK_UP(set, maps, key)                                                                                    \
    ({                                                                                                                 \
        void *found_;                                                                                                  \
        if (set) {                                                                                                     \
            found_ = bpf_map_lookup_elem(&maps##_1, key);                                                              \
            asm volatile("/* set 1 */" : "+r"(found_));                                                                \
        } else {                                                                                                       \
            found_ = bpf_map_lookup_elem(&maps##_0, key);                                                              \
            asm volatile("/* set 0 */" : "+r"(found_));                                                                \
        }                                                                                                              \
        found_;                                                                                                        \
    })

#endif
