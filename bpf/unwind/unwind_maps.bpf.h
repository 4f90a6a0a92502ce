// The maps of the unwinder, and who writes them.
//
//   files             (device, inode, generation) -> binary id and table       collector, on a note; pending: this side
//   unwind_tables     table -> array of blocks (bpf/wire/unwind_rows.h)             collector, before it is there
//   unwind_rules      rule -> struct unwind_rule, of all binaries together     collector, through mmap()
//   unwind_uses       table -> not 0: looked at                                this side
//   unwind_control    the generation: raised whenever any of them changed      collector
//   unwind_cpus       CPU   -> caches of mappings by process, and of frames    this side
#ifndef HEARTH_BPF_UNWIND_MAPS_H
#define HEARTH_BPF_UNWIND_MAPS_H

#include "bpf/common/maps.bpf.h"
#include "bpf/unwind/unwind_step.bpf.h"
#include "bpf/wire/guest.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, WIRE_FILES_MAX);
    __type(key, struct wire_file);
    __type(value, struct wire_binary);
} files SEC(".maps");

struct unwind_block {
    __u32 words[UNWIND_BLOCK_WORDS];
};

struct unwind_table_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_INNER_MAP); // each has its own length; 5.10 and later
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, UNWIND_BLOCK_BYTES);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, WIRE_TABLES_MAX);
    __type(key, __u32);
    __array(values, struct unwind_table_map);
} unwind_tables SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, WIRE_RULES_MAX);
    __type(key, __u32);
    __type(value, struct unwind_rule); // 8 bytes: elements of a mapped array stand 8 bytes apart at least
} unwind_rules SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wire_unwind_control);
} unwind_control SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, WIRE_TABLES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} unwind_uses SEC(".maps");

enum unwind_code { // of an address
    UNWIND_CODE_NONE = 0,
    UNWIND_CODE_BINARY,  // in a binary with an id; with or without a table
    UNWIND_CODE_UNKNOWN, // in a file that the collector has not answered for yet
    UNWIND_CODE_JIT,     // in memory without a file
    UNWIND_CODE_UPROBE,  // the page that probed functions call, where the kernel could make their first instruction a
                         // call
};

struct unwind_mapping {
    __u64 start, end;
    __u64 frame; // of `start`: WIRE_FRAME, or the address itself
    __u32 table; // of the binary; 0: none
    __u32 code;  // enum unwind_code
};

#define UNWIND_PROCESSES 32 // a CPU's latest, one a slot of a hash of the process
#define UNWIND_MAPPINGS  16 // of a process, the latest; node needs 5, chromium 12
#define UNWIND_FRAMES    2048

struct unwind_process {
    __u64 mm, exec_vm, mmap_base, start_stack; // tell it from others, and from itself before exec or dlopen
    __u32 tgid;
    __u32 generation;
    __u32 epoch; // changes whenever one of the above does
    __u32 next;  // mapping to be overwritten
    struct unwind_mapping mappings[UNWIND_MAPPINGS];
};

// A frame seen before, in a process and an epoch: its rule is known without looking for mapping and row.
struct unwind_cached {
    __u64 pc; // where it was looked up: one before a return address
    __u64 frame;
    struct unwind_rule rule;
    __u32 epoch;
    __u32 code;
};

// Of one CPU, used by one program at a time: one that interrupts another finds it taken, and does without.
struct unwind_cpu {
    __u32 taken;
    __u32 epoch; // the last one given
    __u64 reserved;
    struct unwind_process processes[UNWIND_PROCESSES];
    struct unwind_cached frames[UNWIND_FRAMES];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); // CPUs; set by the loader
    __type(key, __u32);
    __type(value, struct unwind_cpu);
} unwind_cpus SEC(".maps");

#define UNWIND_NO_CPU 0xffffffff

#define UNWIND_PIVOTS 15 // include/linux/maple_tree.h: MAPLE_RANGE64_SLOTS - 1; arange nodes have fewer

// The guests' part of an unwinding (bpf/unwind/guest.bpf.h).
struct guest_walk {
    __u32 kind;      // of the guest that was met first; 0: none yet
    __u32 binary;    // that it is in
    __u64 bias;      // what its addresses in this process are above those of its file
    __u64 low, high; // of the native frame whose guest frames are wanted: its stack is [low, high)
    __u64 anchor;    // what the next loop has left on the C stack; 0: there is none
    __u64 frame;     // the next guest frame
    __u64 stop;      // a frame that is another loop's
    __u64 code;      // the code object of the frame
    __u64 last_code; // of the frame before, whose number and bytecode are:
    __u64 check;
    __u32 last_id;
    __u32 version;
    __u32 first; // the place of the native frame among those that were put
    __u32 step;  // enum guest_step, where a guest's frames end
    __u64 code_type;
    union {
        struct wire_cpython offsets;
        struct {
            struct wire_php php;
            __u64 opcodes, opcode_bytes; // of the function of the frame
            __u64 opline;                // where the leaf is, by its registers; 0: not known
            __u32 is_paired;             // a loop was met
            __u32 turns;                 // frames that were read, of all loops
        };
    };
    __u64 block[32]; // a frame, or the head of a code object
};

// One unwinding, in the scratch of the program that does it.
struct unwind_walk {
    struct unwind_registers registers;
    __u64 pc; // where the frame is looked up
    __u64 frame;
    struct unwind_rule rule;
    struct unwind_mapping mapping;       // the last one looked up
    unsigned long pivots[UNWIND_PIVOTS]; // of the node of the maple tree that is looked at
    __u64 mm;
    __u64 trampoline;      // page of uprobes in this process; ~0: none
    __u64 returned_from;   // a function that has just returned: the leaf, though its frame is gone; 0: none
    __u64 return_instance; // struct return_instance of the next uretprobe's frame
    __u32 tgid;
    __u32 cpu;     // UNWIND_NO_CPU: without caches
    __u32 process; // slot of unwind_cpu.processes
    __u32 epoch;
    __u32 code;        // of the frame
    __u8 before_call;  // 1: ip is a return address
    __u8 by_pointer;   // the last step followed a frame pointer
    __u8 uncertain;    // a frame pointer was followed
    __u8 status;       // enum wire_stack_status, when it is done
    __u32 tables_only; // no frame pointers
    __u32 cell;        // of unwind_step__search
    __u32 count;       // of frames that were put
    __u32 met_guest;   // the code of a guest was met
    struct guest_walk guest;
};

struct unwind_frames {
    __u64 at[WIRE_USER_FRAMES_MAX];
};

#endif
