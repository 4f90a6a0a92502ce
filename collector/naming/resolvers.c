#include "collector/naming/resolvers.h"

static int resolve_file(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take, void *context)
{
    const struct binary *binary = batch->binary;
    struct symbol_file file = {
        .fd = binary->fd,
        .root_fd = binary->root_fd,
        .path = binary->path,
        .identity = binary->contents,
    };
    if (file.fd < 0)
        return 0;
    return symbolizer__resolve_file(symbolizer, &file, batch->addresses, batch->count, take, context);
}

static int resolve_vdso(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take, void *context)
{
    return symbolizer__resolve_vdso(symbolizer, batch->addresses, batch->count, take, context);
}

static int resolve_kernel(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take,
                          void *context)
{
    return symbolizer__resolve_kernel(symbolizer, batch->addresses, batch->count, take, context, NULL);
}

#define FRAME_KIND(name, number, word, by, ...) extern const struct resolver resolver_##by;
#include "store/frame_kinds.def"
#undef FRAME_KIND

const struct resolver resolver_file = {.resolve = resolve_file};
const struct resolver resolver_vdso = {.resolve = resolve_vdso};
const struct resolver resolver_kernel = {.resolve = resolve_kernel};
const struct resolver resolver_process = {.by_process = true};
const struct resolver resolver_none = {0};

const struct resolver *resolvers__of(enum store_binary_kind kind)
{
    static const struct resolver *const resolvers[] = {
#define FRAME_KIND(name, number, word, by, ...) [STORE_BINARY_##name] = &resolver_##by,
#include "store/frame_kinds.def"
#undef FRAME_KIND
    };
    return resolvers[kind];
}
