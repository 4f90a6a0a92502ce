// The pure step, with the kernel's way to read the memory of the current process.
#ifndef HEARTH_BPF_UNWIND_UNWIND_STEP_BPF_H
#define HEARTH_BPF_UNWIND_UNWIND_STEP_BPF_H

#include "bpf/common/vmlinux.h"

#include <bpf/bpf_helpers.h>

#ifndef UNWIND_HAS_READ // the includer has one that reads another process
static __always_inline long unwind_read(void *to, __u32 bytes, __u64 address)
{
    return bpf_probe_read_user(to, bytes, (const void *)address);
}
#endif

#include "bpf/unwind/unwind_step.h"

#endif
