// The records of .eh_frame and .debug_frame: CIEs (what functions have in common) and FDEs (one a function), found and
// checked, their programs not yet run (that is unwind_cfa.h).
//
//   00000014 00000000 CIE "zR" cf=1 df=-8 ra=16           [length][0][version, augmentation, factors, program]
//   00000024 0000001c FDE cie=00000000 pc=26000..26360    [length][where the CIE is][start, bytes, program]
//
// DWARF 5, section 6.4.1, and for .eh_frame the Linux Standard Base, "Exception Frames".
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_CFI_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/unwind/unwind_elf.h"

struct cfi_cie {
    uint64_t record; // offset in the section
    uint64_t code_factor;
    int64_t data_factor;
    uint64_t return_register;
    const uint8_t *program, *program_end; // in the section
    uint8_t encoding;                     // of addresses in FDEs, DW_EH_PE_*
    bool augmented;                       // FDEs have augmentation data
    bool is_signal;                       // 'S': the frame below was interrupted, it did not call
    bool is_usable;                       // understood; FDEs of others become UNWIND_UNSUPPORTED
};

struct cfi_fde {
    uint64_t record;
    uint64_t address, bytes; // of the code
    const struct cfi_cie *cie;
    const uint8_t *program, *program_end;
};

// Calls `take` for every FDE that can be read, in the order of the section, once all CIEs are known. Records that make
// no sense end the walk (what follows cannot be found), FDEs that make none are skipped. Returns what `take` returned
// when that was not 0, or -ENOMEM. The CIEs go to ret_cies (to be freed), which FDEs point into.
typedef int cfi_fde_fn(const struct cfi_fde *fde, void *context);
int cfi__each_fde(const struct unwind_section *section, bool is_eh_frame, cfi_fde_fn *take, void *context,
                  struct cfi_cie **ret_cies);

#endif
