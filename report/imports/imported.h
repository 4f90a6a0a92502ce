// Opens the operand of `-i`: a store as it is, or a profile of another tool (imports.def), of which a store is made for
// as long as it is read. A signal that ends the command removes that store first.
#ifndef HEARTH_REPORT_IMPORTS_IMPORTED_H
#define HEARTH_REPORT_IMPORTS_IMPORTED_H

#include "store/base/fault.h"
#include "store/system/temporary_store.h"

struct imported {
    const char *path; // of the store to open
    struct temporary_store store;
};

// Where `path` is no store, but a file that an importer knows, or "-", the standard input. Other files are left to the
// reader of stores and its words, unless they have bytes that are neither. Cost: the whole file in memory.
int imported__open(const char *path, struct fault *fault, struct imported *imported);
void imported__release(struct imported *imported); // behind the reader's end

#endif
