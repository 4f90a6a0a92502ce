// Running the programs of call frame information: the rules in force, address by address, in the form of
// bpf/wire/unwind_rows.h.
//
//   DW_CFA_def_cfa: sp+8;  DW_CFA_offset: ra at cfa-8       (the CIE)           26000  sp+8   c-8
//   DW_CFA_advance_loc: 6; DW_CFA_def_cfa_offset: 16        (the FDE)           26006  sp+16  c-8
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_CFA_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_CFA_H

#include "bpf/wire/unwind_rows.h"
#include "store/base/byte_reader.h"
#include "symbolizer/unwind/unwind_cfi.h"

enum cfa_how { // where a register of the caller is
    CFA_UNSPECIFIED = 0,
    CFA_SAME,
    CFA_UNDEFINED,
    CFA_AT_CFA,     // *(CFA + offset)
    CFA_EXPRESSION, // *(expression)
    CFA_OTHER,      // CFA + offset, another register, the value of an expression
};

struct cfa_place {
    enum cfa_how how;
    int64_t offset;
    struct byte_reader expression; // borrowed from the section
};

struct cfa_state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    bool cfa_is_expression;
    struct byte_reader cfa_expression;
    struct cfa_place bx, bp, ip;
};

// Runs the program of a CIE. False: it is not understood.
bool cfa__start(const struct cfi_cie *cie, struct cfa_state *ret_state);

// Calls `take` for each row of an FDE's function: at the start, and wherever a rule may change; `distance` is from the
// function's start. `start` is what cfa__start left. False: the program is not understood (or `take` failed); rows
// already taken mean nothing then.
typedef bool cfa_row_fn(uint64_t distance, struct unwind_rule rule, void *context);
bool cfa__run(const struct cfi_fde *fde, const struct cfa_state *start, cfa_row_fn *take, void *context);

#endif
