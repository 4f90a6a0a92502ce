// The functions that Go's compiler inlined, as its runtime knows them for its own stack traces. Each function has a
// tree of calls, and a program that says which of them an instruction came from:
//
//   tree of main.run: 0 main.middle, called at +0x20; 1 main.leaf, called at +0x31
//   program: +0 none, +0x20 call 0, +0x31 call 1, +0x40 none
//
// A call's place is that of an instruction which belongs to the caller; whether that was inlined too, the program says.
#ifndef HEARTH_SYMBOLIZER_GO_GO_INLINES_H
#define HEARTH_SYMBOLIZER_GO_GO_INLINES_H

#include "symbolizer/go/go_layout.h"

// Looks for what the trees are counted from, which is known to the runtime's description of the program only.
void go_inlines__prepare(struct go_table *table);

// Adds the scopes and ranges of one function's inlined calls to the sink.
int go_inlines__add(struct go_table *table, const struct go_function *function);

#endif
