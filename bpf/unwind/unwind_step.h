// One step of unwinding, pure: registers and a rule in, the caller's registers out. Also compiled on the host, where
// tests hold it against other unwinders.
//
// The includer gives the only thing that is not pure, reading the memory of the process:
//
//   static __always_inline long unwind_read(void *to, __u32 bytes, __u64 address);      // 0, or it could not be read
//
// bp and bx are followed lazily: where a rule says that the caller's is saved, only the place is noted, and it is
// read when a rule further out needs it. Most code is built without frame pointers, so most of these reads never
// happen. The slot below the return address, where bp is saved when it is a frame pointer, comes with the return
// address.
#ifndef HEARTH_BPF_UNWIND_UNWIND_STEP_H
#define HEARTH_BPF_UNWIND_UNWIND_STEP_H

#include "bpf/arch/registers.h"
#include "bpf/wire/unwind_rows.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

struct unwind_registers {
    __u64 ip, sp;
    __u64 bp, bx;       // where the next one is 0
    __u64 bp_at, bx_at; // the address it is saved at; UNWIND_NOWHERE: lost
};
#define UNWIND_NOWHERE 1

enum unwind_outcome {
    UNWIND_STEPPED = 0,     // the registers are the caller's
    UNWIND_INTERRUPTED = 1, // they are those of the code that a signal interrupted: ip is exact, not behind a call
    UNWIND_OUTERMOST = 2,   // there is no caller
    UNWIND_NO_RULE = 3,     // UNWIND_GAP
    UNWIND_UNREADABLE = 4,  // memory that the rule needs
    UNWIND_CANNOT = 5,      // UNWIND_UNSUPPORTED, or a rule that needs a lost register
    UNWIND_NO_RETURN = 6,   // there is a caller by the rule, but its address is zero
};

static __always_inline int unwind_step__saved(__u64 *value, __u64 *at)
{
    if (*at == 0)
        return UNWIND_STEPPED;
    if (*at == UNWIND_NOWHERE)
        return UNWIND_CANNOT;
    __u64 saved;
    if (unwind_read(&saved, sizeof(saved), *at) != 0)
        return UNWIND_UNREADABLE;
    *value = saved;
    *at = 0;
    return UNWIND_STEPPED;
}

static __always_inline int unwind_step__signal(struct unwind_registers *registers, struct unwind_rule rule)
{
    struct signal_frame saved;
    if (unwind_read(&saved, sizeof(saved), registers->sp + (__s64)rule.cfa_offset + SIGNAL_FRAME_BP) != 0)
        return UNWIND_UNREADABLE;
    registers->bp = saved.bp;
    registers->bx = saved.bx;
    registers->bp_at = registers->bx_at = 0;
    registers->sp = saved.sp; // may lie below: signals have stacks of their own
    registers->ip = saved.ip;
    return UNWIND_INTERRUPTED;
}

static __always_inline int unwind_step__deref(struct unwind_registers *registers, struct unwind_rule rule, __u32 kind,
                                              __u64 *ret_cfa)
{
    __u64 address = registers->sp;
    if (kind == UNWIND_BP_DEREF) {
        int outcome = unwind_step__saved(&registers->bp, &registers->bp_at);
        if (outcome)
            return outcome;
        address = registers->bp;
    }
    __u64 cfa;
    if (unwind_read(&cfa, sizeof(cfa), address + (__s64)rule.cfa_offset) != 0)
        return UNWIND_UNREADABLE;
    *ret_cfa = kind == UNWIND_SP_DEREF_8 ? cfa + 8 : cfa;
    return UNWIND_STEPPED;
}

// Go calls C on the system stack of the thread. The call has the goroutine (struct g: stack.lo, stack.hi, ...) at
// sp + o, and below it how far from stack.hi the goroutine's stack pointer was: at the return address, or at the bp
// that was pushed below it.
static __always_inline int unwind_step__go_call(const struct unwind_registers *registers, struct unwind_rule rule,
                                                __u64 *ret_cfa)
{
    __u64 saved[2], high;
    if (unwind_read(saved, sizeof(saved), registers->sp + (__s64)rule.cfa_offset - 8) != 0 ||
        unwind_read(&high, sizeof(high), saved[1] + 8) != 0)
        return UNWIND_UNREADABLE;
    *ret_cfa = high - saved[0] + (UNWIND_BP_OF(rule.kind) == UNWIND_BP_AT_CFA ? 16 : 8);
    return UNWIND_STEPPED;
}

// All kinds but UNWIND_SP, UNWIND_BP and UNWIND_SIGNAL: what is rare.
static __always_inline int unwind_step__rare_cfa(struct unwind_registers *registers, struct unwind_rule rule,
                                                 __u32 kind, __u64 *ret_cfa)
{
    int outcome;
    switch (kind) {
    case UNWIND_GAP:
        return UNWIND_NO_RULE;
    case UNWIND_END:
        return UNWIND_OUTERMOST;
    case UNWIND_BX:
        outcome = unwind_step__saved(&registers->bx, &registers->bx_at);
        *ret_cfa = registers->bx + (__s64)rule.cfa_offset;
        return outcome;
    case UNWIND_PLT:
        *ret_cfa = registers->sp + (__s64)rule.cfa_offset;
        if ((__s16)(registers->ip & 15) >= rule.bp_offset)
            *ret_cfa += 8;
        return UNWIND_STEPPED;
    case UNWIND_GO_CALL:
        return unwind_step__go_call(registers, rule, ret_cfa);
    case UNWIND_SP_DEREF:
    case UNWIND_SP_DEREF_8:
    case UNWIND_BP_DEREF:
        return unwind_step__deref(registers, rule, kind, ret_cfa);
    default:
        return UNWIND_CANNOT;
    }
}

// Takes the return address, and what lies below it, from the frame.
static __always_inline int unwind_step__return(struct unwind_registers *registers, struct unwind_rule rule, __u32 kind,
                                               __u64 cfa)
{
    __u64 pair[2]; // *(CFA - 16), *(CFA - 8)
    // A caller's frame is above its callee's, on the same stack: anything else is none, and could go on for ever.
    if (cfa <= registers->sp && kind != UNWIND_GO_CALL)
        return UNWIND_UNREADABLE;
    // With a frame of 8 bytes the lower half is below the stack pointer, and may be on a page that is not there.
    if (unwind_read(pair, sizeof(pair), cfa - 16) != 0) {
        pair[0] = 0;
        if (unwind_read(&pair[1], sizeof(pair[1]), cfa - 8) != 0)
            return UNWIND_UNREADABLE;
    }
    __u32 bp = UNWIND_BP_OF(rule.kind);
    if (kind != UNWIND_PLT) {
        if (bp == UNWIND_BP_AT_CFA) {
            registers->bp = pair[0];
            registers->bp_at = rule.bp_offset == -16 ? 0 : cfa + (__s64)rule.bp_offset;
        } else if (bp == UNWIND_BP_AT_BP) {
            int outcome = unwind_step__saved(&registers->bp, &registers->bp_at);
            registers->bp_at = outcome ? UNWIND_NOWHERE : registers->bp + (__s64)rule.bp_offset;
        } else if (bp == UNWIND_BP_LOST) {
            registers->bp_at = UNWIND_NOWHERE;
        }
        if (rule.bx_slot == UNWIND_BX_LOST)
            registers->bx_at = UNWIND_NOWHERE;
        else if (rule.bx_slot != UNWIND_BX_SAME)
            registers->bx_at = cfa + 8 * (__s64)rule.bx_slot;
    }
    registers->sp = cfa;
    registers->ip = pair[1];
    return pair[1] ? UNWIND_STEPPED : UNWIND_NO_RETURN; // code that has no caller has a rule that says so
}

// On any outcome but the first two the registers are not to be used further.
static __always_inline int unwind_step__apply(struct unwind_registers *registers, struct unwind_rule rule)
{
    __u32 kind = UNWIND_KIND_OF(rule.kind);
    __u64 cfa = registers->sp + (__s64)rule.cfa_offset;
    int outcome = UNWIND_STEPPED;
    if (kind == UNWIND_SIGNAL)
        return unwind_step__signal(registers, rule);
    if (kind == UNWIND_BP) {
        outcome = unwind_step__saved(&registers->bp, &registers->bp_at);
        cfa = registers->bp + (__s64)rule.cfa_offset;
    } else if (kind != UNWIND_SP) {
        outcome = unwind_step__rare_cfa(registers, rule, kind, &cfa);
    }
    return outcome ? outcome : unwind_step__return(registers, rule, kind, cfa);
}

// By the frame pointer, for code without rules that keeps one: JITs, Go, programs built so. UNWIND_OUTERMOST where the
// chain ends as the psABI has it, in a zero (section 3.4.1). The first link must point into the stack above; behind it,
// the chain may go on on another stack (Go's systemstack).
#define UNWIND_FRAME_BYTES_MAX (8u << 20) // the usual limit of a whole stack

static __always_inline int unwind_step__frame_pointer(struct unwind_registers *registers, __u32 is_first_link)
{
    int outcome = unwind_step__saved(&registers->bp, &registers->bp_at);
    if (outcome)
        return outcome;
    if (registers->bp == 0)
        return UNWIND_OUTERMOST;
    if (registers->bp % 8)
        return UNWIND_NO_RULE;
    if (is_first_link && (registers->bp < registers->sp || registers->bp - registers->sp > UNWIND_FRAME_BYTES_MAX))
        return UNWIND_NO_RULE;
    __u64 pair[2];
    if (unwind_read(pair, sizeof(pair), registers->bp) != 0)
        return UNWIND_UNREADABLE;
    registers->sp = registers->bp + 16;
    registers->bp = pair[0];
    registers->bx_at = UNWIND_NOWHERE;
    registers->ip = pair[1];
    return pair[1] ? UNWIND_STEPPED : UNWIND_OUTERMOST;
}

// The last row of a run, words[low] its first one, whose place is at or before `place`; `high` is the last to look at.
// Both are below UNWIND_BLOCK_WORDS. `cell` is memory of no other use: an index that went through memory is just a
// number to the verifier, which would otherwise follow each of the 2^10 ways to come by it.
static __always_inline __u32 unwind_step__search(const __u32 *words, __u32 low, __u32 high, __u32 place,
                                                 volatile __u32 *cell)
{
    for (int i = 0; i < 10; i++) { // 2^10 words are a block
        if (low >= high)
            break;
        *cell = (low + high + 1) / 2;
        __u32 middle = *cell & (UNWIND_BLOCK_WORDS - 1);
        if (UNWIND_ROW_PLACE(words[middle]) <= place)
            low = middle;
        else
            high = middle - 1;
    }
    *cell = low;
    return *cell & (UNWIND_BLOCK_WORDS - 1);
}

#endif
