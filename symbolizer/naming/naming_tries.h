// Makes one index of a binary by up to three jobs:
//
//   our own reader     reads nearly all binaries whole
//   libdw              after our own reader refused units, or crashed. A job of its own, within LIMIT_QUICK_*: when
//                      libdw crashes, hangs or takes too much memory, the index of the first job is kept.
//   the symbol table   after both jobs failed: the debug information is over their limits, or makes them crash
#ifndef HEARTH_SYMBOLIZER_NAMING_NAMING_TRIES_H
#define HEARTH_SYMBOLIZER_NAMING_NAMING_TRIES_H

#include "symbolizer/index/index.h"
#include "symbolizer/naming/symbolizer_types.h"
#include "symbolizer/worker/naming_job.h"

struct worker;

struct made_index { // checked; unmap `bytes`
    void *bytes;
    size_t length_bytes;
    struct index index;
    enum naming_reader reader;
};

// Sets request->reader and is_quick. -EAGAIN: a quick request ran out of its time; -EBADMSG: no ELF file; others as
// worker__index.
int naming_tries__run(struct worker *worker, struct naming_request *request, struct symbolizer_counts *counts,
                      struct made_index *ret_made);

#endif
