// Unwind rows as the kernel side reads them: what symbolizer/ compiles out of an ELF's call frame information, what the
// collector publishes in one array a binary, and what bpf/unwind/unwind_step.h looks up. Declared once, for both sides.
//
// A row says, from one file offset of code to the next, how to find the caller: the canonical frame address (CFA: the
// stack pointer in the caller, after the return), the return address (always at CFA-8, or the row is marked) and the
// caller's bp and bx. Few such rules are distinct (some 1,400 over all of a machine's binaries), so a row is 4 bytes:
// 16 bits of place, 16 bits of rule.
//
//   table (32-bit words, in blocks of 4 KiB)
//     word 0..7              struct unwind_head
//     word 8..8+granules     the index: for each granule (2^shift bytes of the file) the word of its run
//     then the runs          [count:16 | rule:16] [place:16 | rule:16] ... sorted by place
//
// The first word of a run is the row in force at the granule's first byte; `count` rows follow, whose places are
// relative to the granule and above 0. Granules without rows of their own share a run of one word. A run may cross from
// one block to the next, and is never longer than a block.
#ifndef HEARTH_BPF_WIRE_UNWIND_ROWS_H
#define HEARTH_BPF_WIRE_UNWIND_ROWS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define UNWIND_BLOCK_BYTES 4096
#define UNWIND_BLOCK_WORDS 1024
#define UNWIND_HEAD_WORDS  8
#define UNWIND_RUN_MAX     1023 // rows behind a run's first word
#define UNWIND_SHIFT_MIN   8    // 256 distinct places at most: a run always fits
#define UNWIND_SHIFT_MAX   16   // places have 16 bits
#define UNWIND_RULES_MAX   65536
#define UNWIND_WORDS_MAX   (64u << 20 >> 2) // a table of 64 MiB; the largest known (librustc_driver) needs 4

struct unwind_head {
    __u32 base;     // file offset of the first granule
    __u32 granules; // how many there are
    __u32 shift;    // log2 of a granule's bytes
    __u32 words;    // of the whole table, this head included
    __u32 reserved[4];
};

// How the CFA is found. `o` is cfa_offset; ip, sp, bp and bx are the registers of bpf/arch/registers.h.
enum unwind_kind {
    UNWIND_GAP = 0,          // no call frame information: padding, hand-written code, a binary that has none
    UNWIND_END = 1,          // the outermost frame: the return address is undefined
    UNWIND_SP = 2,           // CFA = sp + o
    UNWIND_BP = 3,           // CFA = bp + o
    UNWIND_BX = 4,           // CFA = bx + o (ld.so's _dl_runtime_resolve)
    UNWIND_PLT = 5,          // CFA = sp + o + (ip % 16 >= bp_offset ? 8 : 0); bp and bx unchanged
    UNWIND_SIGNAL = 6,       // CFA = *(sp + o), and ip, bp and bx stand beside it, as in struct sigcontext
    UNWIND_SP_DEREF = 7,     // CFA = *(sp + o)
    UNWIND_SP_DEREF_8 = 8,   // CFA = *(sp + o) + 8 (OpenSSL's assembler)
    UNWIND_BP_DEREF = 9,     // CFA = *(bp + o) (functions that realign their stack)
    UNWIND_UNSUPPORTED = 10, // there is a rule, but none of the above: never guessed
    UNWIND_GO_CALL = 11      // CFA = *(*(sp + o) + 8) - *(sp + o - 8) + 8, on another stack (Go's asmcgocall); + 16
                             // where it has pushed bp (UNWIND_BP_AT_CFA)
};

// Where the caller's bp is, in bits 4 and 5 of `kind`.
enum unwind_bp {
    UNWIND_BP_SAME = 0,   // unchanged
    UNWIND_BP_AT_CFA = 1, // *(CFA + bp_offset)
    UNWIND_BP_AT_BP = 2,  // *(bp + bp_offset)
    UNWIND_BP_LOST = 3,   // some other rule: whatever needs it further out is unsupported
};

#define UNWIND_KIND_OF(kind) ((kind)&15)
#define UNWIND_BP_OF(kind)   ((kind) >> 4 & 3)
#define UNWIND_GUEST         64 // in `kind`: the code is the loop of a guest (bpf/wire/guest.h)

#define UNWIND_BX_SAME 0
#define UNWIND_BX_LOST (-128)

struct unwind_rule {
    __s32 cfa_offset;
    __s16 bp_offset;
    __s8 bx_slot; // the caller's bx is at CFA + 8 * bx_slot; or one of UNWIND_BX_*
    __u8 kind;    // enum unwind_kind | enum unwind_bp << 4 | UNWIND_GUEST
};

#define UNWIND_ROW_PLACE(word) ((word) >> 16)
#define UNWIND_ROW_RULE(word)  ((word)&0xffff)

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct unwind_head) == 4 * UNWIND_HEAD_WORDS, "no holes");
_Static_assert(sizeof(struct unwind_rule) == 8, "no holes");
#endif

#endif
