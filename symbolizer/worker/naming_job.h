// Makes the index of one binary: opens the ELF file, asks for the files that belong to it, and lets every resolver of
// the table in naming_job.c add its symbols and lines. Runs in the sandboxed worker, and in process where there is
// none.
#ifndef HEARTH_SYMBOLIZER_WORKER_NAMING_JOB_H
#define HEARTH_SYMBOLIZER_WORKER_NAMING_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "symbolizer/companions/companion.h"

// Who reads the debug information.
enum naming_reader {
    NAMING_BY_OUR_OWN, // dwarf_file.h
    NAMING_BY_BOTH,    // libdw the units that our own reader refuses: the second try
    NAMING_BY_LIBDW,   // libdw alone: the second try when our own reader crashed
    NAMING_BY_NOBODY,  // the symbol table alone gives the names: the last try
};

struct helper;

struct naming_request {
    int fd;
    const uint64_t *offsets; // file offsets whose units are wanted
    size_t count;
    bool complete; // all units
    enum naming_reader reader;
    struct helper *helper; // a thread that does a part of the work; NULL: none
    bool is_quick;         // within the lower limits of LIMIT_QUICK_*
    bool is_large;         // quick, but with the memory of LIMIT_WORKER_MEMORY_BYTES
    struct companion_opener companions;
};

// Appends the index to `ret_index`. -EBADMSG: no ELF file.
int naming_job__run(const struct naming_request *request, struct buf *ret_index);

#endif
