#include "symbolizer/naming/file_naming.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "store/base/file_name.h"
#include "symbolizer/naming/naming_batch.h"
#include "symbolizer/worker/frame_functions.h"
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

// Gives functions that have only a place in the file the file's name: "[+0x9f80]" -> "[sqlite3+0x9f80]".
struct naming_by_place {
    bool is_wanted;
    const char *file_name;
    int file_name_length;
    symbol_chain_fn *take;
    void *context;
};

// "/usr/bin/sqlite3" -> "sqlite3", "[vdso]" -> "vdso".
static void set_file_name(struct naming_by_place *placed, const char *path)
{
    const char *name = file_name__of(path);
    size_t length = strnlen(name, NAME_MAX);
    bool is_bracketed = length > 2 && name[0] == '[' && name[length - 1] == ']';
    placed->file_name = name + is_bracketed;
    placed->file_name_length = (int)length - 2 * is_bracketed;
}

static void take_placed(size_t index, const struct symbol *chain, size_t length, void *context)
{
    const struct naming_by_place *placed = context;
    const char *name = length == 1 ? chain[0].function : NULL;
    if (!name || strncmp(name, FRAME_FUNCTIONS_PREFIX, strlen(FRAME_FUNCTIONS_PREFIX)) != 0) {
        placed->take(index, chain, length, placed->context);
        return;
    }
    char text[NAME_MAX + 32];
    struct symbol symbol = chain[0];
    snprintf(text, sizeof(text), "[%.*s%s", placed->file_name_length, placed->file_name, name + 1);
    symbol.function = text;
    placed->take(index, placed->is_wanted ? &symbol : NULL, placed->is_wanted, placed->context);
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
        struct naming_by_place placed = {.is_wanted = naming->options->by_place, .take = take, .context = context};
        set_file_name(&placed, file->path);
        err =
            naming_batch__give(&batch, pieces, naming->options->no_inline, names, naming->worker, take_placed, &placed);
        index_pieces__cool(pieces);
        return err;
    }
    for (size_t i = 0; i < count && err != -EAGAIN; i++)
        take(i, NULL, 0, context);
    return err;
}
