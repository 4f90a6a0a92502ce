#include "symbolizer/naming/file_naming.h"

#include <errno.h>

#include "symbolizer/naming/naming_batch.h"
#include "symbolizer/worker/worker.h"

int file_naming__init(const struct symbolizer_options *options, struct fault *fault, struct file_naming *ret_naming)
{
    *ret_naming = (struct file_naming){.options = options};
    int err = options->worker ? 0 : worker__new(NULL, fault, &ret_naming->own_worker);
    ret_naming->worker = options->worker ? options->worker : ret_naming->own_worker;
    return err ? err : index_set__new(options, ret_naming->worker, fault, &ret_naming->indexes);
}

void file_naming__release(struct file_naming *naming)
{
    index_set__free(naming->indexes);
    shown_names__release(&naming->names);
    worker__free(naming->own_worker);
}

int file_naming__resolve(struct file_naming *naming, const struct symbol_file *file, const uint64_t *offsets,
                         size_t count, symbol_chain_fn *take, void *context)
{
    _cleanup_(naming_batch__release) struct naming_batch batch = {0};
    const struct index_pieces *pieces;
    int err = naming_batch__new(offsets, count, &batch);
    if (!err)
        err = index_set__load(naming->indexes, file, offsets, count, &pieces);
    if (!err) {
        struct shown_names *names = naming->options->no_demangle ? NULL : &naming->names;
        err = naming_batch__give(&batch, pieces, naming->options->no_inline, names, naming->worker, take, context);
        index_pieces__cool(pieces);
        return err;
    }
    for (size_t i = 0; i < count && err != -EAGAIN; i++)
        take(i, NULL, 0, context);
    return err;
}
