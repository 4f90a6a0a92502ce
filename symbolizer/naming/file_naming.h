// Names for the addresses of files: their indexes, and the worker that makes them.
#ifndef HEARTH_SYMBOLIZER_NAMING_FILE_NAMING_H
#define HEARTH_SYMBOLIZER_NAMING_FILE_NAMING_H

#include "symbolizer/naming/index_set.h"
#include "symbolizer/naming/shown_names.h"
#include "symbolizer/naming/symbolizer_types.h"

struct file_naming {
    const struct symbolizer_options *options;
    struct worker *worker;
    struct worker *own_worker; // NULL: it is borrowed
    struct index_set *indexes;
    struct shown_names names;
};

// Borrows the options. On failure too the naming is to be released.
int file_naming__init(const struct symbolizer_options *options, struct fault *fault, struct file_naming *ret_naming);
void file_naming__release(struct file_naming *naming);

// As symbolizer__resolve_file.
int file_naming__resolve(struct file_naming *naming, const struct symbol_file *file, const uint64_t *offsets,
                         size_t count, symbol_chain_fn *take, void *context);

#endif
