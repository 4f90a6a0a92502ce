// All that crosses between the BPF programs and the collector: declared once, for both sides. Fixed widths, zeroed,
// asserted. The BPF objects are embedded in the binary, so both sides are always of one build.
//
// A sample leaves the kernel as one count and its stacks:
//
//   counts[struct wire_count_key] += {1, value}      who, which event, which stacks
//   stacks[key.user_stack]   = chunk {frames leaf first, caller = id of the chunk that continues}
//   stacks[key.kernel_stack] = chunk ...
//
// The id of a chunk is a hash of everything in it and of the id of the chunk behind it, so that equal stacks are one
// entry, and deep recursion shares its tail.
#ifndef HEARTH_BPF_WIRE_WIRE_H
#define HEARTH_BPF_WIRE_WIRE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include "bpf/arch/registers.h"

#define WIRE_COMM_BYTES        16
#define WIRE_CHUNK_FRAMES      32
#define WIRE_USER_FRAMES_MAX   512
#define WIRE_KERNEL_FRAMES_MAX 127 // the kernel's own limit: sysctl kernel.perf_event_max_stack

// One frame of a user stack.
//   00 ..   a user address, as it is: code whose mapping or binary was not known (or JIT code); to be resolved by the
//           collector in the key's process
//   10 ..   a function of a guest, such as CPython (bpf/wire/guest.h)
//   01 ..   22 bits of binary id (struct wire_binary), 40 bits of offset in its file
//   11 ..   a kernel address
// The frame of a caller is its return address minus one, which lies inside the call; only the leaf, and the frame a
// signal interrupted, are exact.
#define WIRE_FRAME_IN_BINARY   (1ull << 62)
#define WIRE_FRAME_OFFSET_BITS 40
#define WIRE_FRAME_BINARY_MAX  ((1u << 22) - 1)
#define WIRE_FRAME(binary, offset)                                                                                     \
    (WIRE_FRAME_IN_BINARY | ((__u64)(binary) << WIRE_FRAME_OFFSET_BITS) |                                              \
     ((offset) & ((1ull << WIRE_FRAME_OFFSET_BITS) - 1)))
#define WIRE_FRAME_BINARY(frame) ((__u32)(((frame) & ~WIRE_FRAME_IN_BINARY) >> WIRE_FRAME_OFFSET_BITS))
#define WIRE_FRAME_OFFSET(frame) ((frame) & ((1ull << WIRE_FRAME_OFFSET_BITS) - 1))

enum wire_stack_status {
#define STACK_STATUS(name, ...) WIRE_STACK_##name,
#include "bpf/wire/stack_status.def"
#undef STACK_STATUS
    WIRE_STACK_STATUS_COUNT,
};

enum wire_loss {
#define LOSS(name, ...) WIRE_LOSS_##name,
#include "bpf/wire/losses.def"
#undef LOSS
    WIRE_LOSS_COUNT,
};

enum wire_wait_state { // detail of off-CPU samples
#define WAIT_STATE(name, ...) WIRE_WAIT_##name,
#include "bpf/wire/wait_states.def"
#undef WAIT_STATE
    WIRE_WAIT_STATE_COUNT,
};

struct wire_chunk {
    __u64 caller; // id of the chunk with the callers of the last frame; 0: none
    __u8 frame_count;
    __u8 status; // enum wire_stack_status, in the first chunk of a stack
    __u8 reserved[6];
    __u64 frames[WIRE_CHUNK_FRAMES]; // leaf first; zero behind frame_count
};

// Stack ids that are no hash.
#define WIRE_NO_STACK   0ull // there is none: a kernel thread's user stack, a user sample's kernel stack
#define WIRE_STACK_LOST 1ull // there was one, but the map was full

struct wire_count_key {
    __u64 start_boot_ns; // of the thread group's leader, CLOCK_BOOTTIME: with tgid it names a process for ever
    __u64 cgroup;        // id of the cgroup v2
    __u64 user_stack;
    __u64 kernel_stack;
    __u32 tgid;   // as the initial pid namespace has it, like every id here
    __u32 tid;    // 0 unless threads are kept apart
    __u16 event;  // index of the event in the recording
    __u16 bucket; // of a histogram, plus 1; 0: none
    __u32 detail; // of the event: off-cpu keeps an enum wire_wait_state here
    __u32 uid;    // real user id of the thread
    __u32 reserved;
    char comm[WIRE_COMM_BYTES]; // the thread's; zero behind the NUL
};

struct wire_count {
    __u64 samples;
    __u64 value;
};

// Histograms, counted per CPU in the maps hists_0 and hists_1: one cell a key and bucket. The buckets are those of
// store/base/bucket.h: WIRE_HIST_BUCKETS for values from 0 on, then as many for those below 0, by their magnitudes.
// Events without keys have theirs in the arrays cells_0 and cells_1: from number * WIRE_HIST_CELLS on, by bucket, with
// the unmatched last. The number is that of the event among the recording's histograms.
#define WIRE_HIST_BUCKETS   496
#define WIRE_HIST_CELLS     1024
#define WIRE_HIST_UNMATCHED 0xffff // as a bucket: returns without an entry, entries without a return
#define WIRE_HIST_RETURNED  0xff   // as an argument's number: what a function returns

enum wire_hist_by {
    WIRE_HIST_BY_NOTHING = 0,
    WIRE_HIST_BY_COMM = 1,
    WIRE_HIST_BY_PID = 2,
    WIRE_HIST_BY_TID = 3,
    WIRE_HIST_BY_CGROUP = 4,
    WIRE_HIST_BY_ARGUMENT = 5,
};

struct wire_hist_key {
    union {
        char comm[WIRE_COMM_BYTES];
        __u64 number; // the rest is zero
    } by;
    __u32 group;  // of an event that has several histograms: the number of the system call
    __u16 number; // of the event among the histograms
    __u16 bucket;
};

// Of a bucket below 0: of the magnitudes.
struct wire_hist_cell {
    __u64 count;
    __u64 sum;      // of the low 32 bits of each value, and
    __u64 sum_high; // of the high ones: neither wraps before 2^32 values
    __u64 low;      // the complement of the least value, so that 0 is none
    __u64 max;
};

// The same for all histograms of one event.
struct wire_hist_config {
    __u8 by;          // enum wire_hist_by
    __u8 by_argument; // where it is an argument, its number
    __u8 argument;    // whose value is counted, or which pairs a start with its end
    __u8 bytes;       // of that argument: 1, 2, 4 or 8
    __u8 is_signed;   // else never below 0
    __u8 by_key;      // starts and ends are paired by `argument`, not by thread
    __u8 stacks;      // a sample with its bucket is kept too
    __u8 is_on;
    __u32 group; // the only system call that is looked at
    __u32 all_groups;
    __u8 by_bytes;     // of by_argument
    __u8 by_is_signed; // of by_argument
    __u8 has_type;     // bytes and is_signed were asked for; otherwise a USDT argument is as its note has it
    __u8 by_has_type;
    __u32 number; // of the event among the histograms
};

// Where an argument of a USDT probe is at one of its places (symbolizer/arch/usdt_argument.h).
#define WIRE_USDT_PLACES_MAX 4096 // of one event: what starts and what ends
#define WIRE_NO_REGISTER     (-1)
struct wire_usdt_argument {
    __s64 offset;
    __s16 base, index; // offsets in pt_regs
    __u8 shift, bytes, is_signed, is_memory;
};
struct wire_usdt_place {             // by the cookie of its probe
    struct wire_usdt_argument value; // or the key
    struct wire_usdt_argument by;
};

// How a file is known to the kernel side.
struct wire_file {
    __u64 inode;
    __u32 device;     // as the superblock has it: major << 20 | minor
    __u32 generation; // tells two files apart that had the same inode number, one after the other
};

// The value of a file in the map `files`. All zero: the file was announced, the collector has not answered yet.
struct wire_binary {
    __u32 binary; // its id, never used for another one
    __u32 table;  // its unwind rows: an index of unwind_tables; 0: it has none
};
#define WIRE_TABLE_JIT 0xffffffffu // memory that only looks like a file (memfd): its code is followed as a JIT's

// The vDSO, which is no file: the same for all 64-bit processes.
#define WIRE_VDSO_GENERATION 1 // with device and inode 0

// A process that runs code of its own making stands in `files` too, so that it is announced once: by its start time
// (inode) and PID (device).
#define WIRE_JIT_GENERATION 2

#define WIRE_FILES_MAX  16384 // known at once
#define WIRE_TABLES_MAX 8192  // binaries with unwind rows at once; each is an array of its own
#define WIRE_RULES_MAX  32768 // distinct rules; all of a machine's binaries have some 1,500. Above: not supported

// Read-only for the programs, in the mmapable array `unwind_control`.
struct wire_unwind_control {
    __u32 generation; // raised after each change of files, tables or mappings that caches must not outlive
    __u32 reserved;
};

// The kernel side tells these to the collector at once, through the ring buffer `notes`; all else waits for a drain.
enum wire_note_kind {
    WIRE_NOTE_BINARY = 1, // a file was seen in a stack that has no binary id yet
    WIRE_NOTE_JIT = 2,    // a process was seen in code that no file holds; file.inode: when it started (CLOCK_BOOTTIME)
};

struct wire_note {
    __u32 kind;
    __u32 tgid;
    struct wire_file file;
    __u64 start, end, file_offset; // of the mapping: /proc/TGID/map_files/START-END
};

// A control group that was made, through the ring buffer `own_made` of the object "cgroups".
#define WIRE_CGROUP_PATH_BYTES 504 // longer ones are cut; systemd's and containers' have some 200
struct wire_cgroup {
    __u64 id;
    char path[WIRE_CGROUP_PATH_BYTES]; // from the root of the hierarchy
};

// One sample's registers and stack, through the ring buffer `copies`: as many bytes of `stack` as there are.
#define WIRE_COPY_BYTES 65536

struct wire_copy {
    __u64 id;      // the count's user_stack
    __u64 time_ns; // CLOCK_MONOTONIC
    __u64 start_boot_ns;
    __u64 returned_from; // the function that has just returned to where the registers are; 0: none
    __u32 tgid;
    __u16 set;       // the one its count went to
    __u16 is_compat; // a 32-bit process: not to be unwound
    __u32 weight;    // how many samples it stands for
    __u32 zero;
    __u64 registers[ARCH_REGISTERS]; // as DWARF numbers them
    __u64 stack_address;             // of stack[0]
    __u32 stack_bytes;
    __u32 taken;                        // the kernel side's own
    __u8 stack[WIRE_COPY_BYTES + 4096]; // sent up to WIRE_COPY_BYTES; whole only for config.compare, with:
    __u32 frame_count, frame_status;
    __u64 frames[WIRE_USER_FRAMES_MAX];
};

// A pattern of names, compiled: struct name_pattern of store/base/name_pattern.h.
struct wire_name_pattern {
    __u32 steps[256];
    __u32 end;
};

// Read-only for the programs, filled in before they are loaded.
#define WIRE_UID_ANY   0xffffffffu
#define WIRE_CPU_WORDS 64 // 4096 CPUs

struct wire_config {
    __u64 stack_seed; // hashes of stacks begin with it
    __u64 cgroup;     // only this cgroup and those below it; 0: any
    __u32 cgroup_level;
    __u32 self_tgid;                 // hearth itself, to be left out with its workers; 0: nobody is
    __u32 uid;                       // WIRE_UID_ANY: any
    __u8 by_tgid;                    // only thread groups in the map `targets`
    __u8 by_tid;                     // only threads in the map `targets_tid`
    __u8 by_cpu;                     // only CPUs in `cpus`
    __u8 by_comm;                    // only threads whose name `comm` matches
    __u8 follow_forks;               // children of targets become targets
    __u8 keep_tid;                   // a count per thread
    __u8 user_stacks, kernel_stacks; // collect them
    __u8 unwind;                     // enum wire_unwind
    __u8 compare;                    // for tests: beside the frames that were unwound, a copy with both
    __u8 reserved[2];
    struct wire_name_pattern comm;
    __u32 drain_at[4]; // entries of a map (enum wire_fill) at which the collector is asked to drain; 0: never
    __u64 cpus[WIRE_CPU_WORDS];
};

enum wire_unwind {
    WIRE_UNWIND_AUTO = 0,  // tables, and frame pointers where there are none
    WIRE_UNWIND_TABLE = 1, // tables only
    WIRE_UNWIND_FP = 2,    // frame pointers only
    WIRE_UNWIND_COPY = 3,  // registers and a copy of the stack go to user space
};

// The maps of a set whose entries are counted, so that a drain comes before one is full.
enum wire_fill { WIRE_FILL_COUNTS = 0, WIRE_FILL_STACKS = 1, WIRE_FILL_HISTS = 2, WIRE_FILL_MAPS = 3 };

#define WIRE_EVENTS_MAX    32 // of one recording
#define WIRE_HALVINGS_MOST 16 // one in 65,536

// The writable words that both sides share, in the mmapable array `control`.
struct wire_control {
    __u32 flips;                    // of the two sets, since the begin: the programs write to the set flips & 1
    __u8 halvings[WIRE_EVENTS_MAX]; // of each event: its programs take one in 2^halvings of what they are called for
    __u32 reserved[7];
    __u32 filled[2][4]; // entries put into each map of a set since it was drained; apart from `flips`, which all read
};

// Counted per CPU, in the map `tallies`; they only ever grow.
struct wire_tally {
    __u64 emitted; // samples that passed the filter: what counts + losses must add up to
    __u64 losses[WIRE_LOSS_COUNT];
    struct {
        __u64 busy_ns; // how long its programs took, for all that they did not leave out
        __u64 turns;   // of a periodic event, while it is thinned
    } events[WIRE_EVENTS_MAX];
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct wire_chunk) == 16 + 8 * WIRE_CHUNK_FRAMES, "no holes");
_Static_assert(sizeof(struct wire_count_key) == 72, "no holes");
_Static_assert(sizeof(struct wire_file) == 16, "no holes");
_Static_assert(sizeof(struct wire_note) == 48, "no holes");
_Static_assert(sizeof(struct wire_copy) == 208 + WIRE_COPY_BYTES + 4096 + 8 * WIRE_USER_FRAMES_MAX, "no holes");
_Static_assert(sizeof(struct wire_hist_key) == 24, "no holes");
_Static_assert(sizeof(struct wire_hist_config) == 24, "no holes");
_Static_assert(sizeof(struct wire_usdt_place) == 32, "no holes");
#endif

#endif
