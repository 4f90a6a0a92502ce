// The bounds of hearth, each with its reason and what happens there. What is bounded by the kernel side too stands in
// bpf/wire.h.
#ifndef HEARTH_STORE_BASE_LIMITS_H
#define HEARTH_STORE_BASE_LIMITS_H

// Inlined functions shown for one address. The deepest chain seen in large C++ programs is 34. Above: the outermost
// ones are kept, the innermost cut.
#define LIMIT_CHAIN 64

// A process keeps this many mappings for naming raw addresses; the largest JVMs map some 5,000 files. Above: the oldest
// is forgotten, its frames read [unknown].
#define LIMIT_MAPPINGS_A_PROCESS 8192

// Processes remembered at once, dead ones until the drain after their end: the kernel's default pid_max. Above: new
// ones are not tracked, counted as the loss "processes-full".
#define LIMIT_PROCESSES 32768

#endif
