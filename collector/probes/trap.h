// The cost of a uprobe before the program behind it runs: the trap into the kernel, the look-up, and the way back over
// the instruction that stood there. hearth measures that, on functions of its own that begin as the probed one does,
// with a program that does nothing, in a few ms.
//
// The first instruction decides (arch/x86/kernel/uprobes.c): what the kernel emulates (nop, push, jumps) costs half a
// microsecond, what it must step over twice as much, or many times that in a virtual machine. Which of it a kernel
// emulates is not asked: each kind that there is among the places is measured.
#ifndef HEARTH_COLLECTOR_PROBES_TRAP_H
#define HEARTH_COLLECTOR_PROBES_TRAP_H

#include <stdint.h>

#include "collector/probes/probe_cost.h"
#include "collector/probes/probe_sites.h"
#include "collector/programs/loader.h"

enum trap_place { TRAP_ENTRY, TRAP_RETURN, TRAP_BOTH };

// ends: of pairs of probes that begin at `sites`, NULL: there are none. All zero: not to be had. The object has a
// program "trap_nothing", which is loaded like those that are put on the places: prepared by uprobe_multi__prepare(),
// or not.
struct trap_cost trap__measure(struct loaded *loaded, const struct probe_sites *sites, const struct probe_sites *ends,
                               enum trap_place place);

#endif
