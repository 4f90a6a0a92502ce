// One index of a binary, by as many jobs as it takes:
//
//   our own reader     is enough for nearly all
//   libdw, second      where our own reader refused units, or crashed. A job of its own: when libdw crashes, hangs or
//                      takes too much memory, the index of the first try still stands. Within LIMIT_QUICK_*.
//   the symbol table   where the debug information is too much for each of them
#ifndef HEARTH_SYMBOLIZER_NAMING_TRIES_H
#define HEARTH_SYMBOLIZER_NAMING_TRIES_H

#include "symbolizer/index.h"
#include "symbolizer/naming_job.h"
#include "symbolizer/symbolizer.h"

struct worker;

struct made_index { // checked; unmap `bytes`
    void *bytes;
    size_t length_bytes;
    struct index index;
    enum naming_reader reader; // who made it
};

// Sets request->reader and is_quick. -EAGAIN: a quick request ran out of its time; -EBADMSG: no ELF file; others as
// worker__index.
int naming_tries__run(struct worker *worker, struct naming_request *request, struct symbolizer_counts *counts,
                      struct made_index *ret_made);

#endif
