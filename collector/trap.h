// What a uprobe costs before the program behind it runs: the trap into the kernel, the look-up, and the way back over
// the instruction that stood there. It is measured, on functions of hearth's own that begin as the probed one does,
// with a program that does nothing, in a few ms.
//
// The first instruction decides (arch/x86/kernel/uprobes.c): what the kernel emulates (nop, push, jumps) costs half a
// microsecond, what it must step over twice as much, or many times that in a virtual machine.
#ifndef HEARTH_COLLECTOR_TRAP_H
#define HEARTH_COLLECTOR_TRAP_H

#include <stdint.h>

#include "collector/loader.h"

enum trap_place { TRAP_ENTRY, TRAP_RETURN, TRAP_BOTH };

// Nanoseconds a call of a function that begins with these 16 bytes; 0: not to be had. The object has a program
// "trap_nothing", which is loaded like those that are put on the function: prepared by uprobe_multi__prepare(), or not.
uint32_t trap__measure(struct loaded *loaded, const uint8_t *code, enum trap_place place);

#endif
