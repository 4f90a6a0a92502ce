// Functions of guests (guest_codes.h), with their lines. `addresses` of a batch are frames of bpf/wire/guest.h.
#include <errno.h>
#include <string.h>

#include "collector/naming/guest_codes.h"
#include "collector/naming/resolver.h"
#include "store/base/buf.h"
#include "symbolizer/guests/guest_lines.h"

// Places whose lines are found by one job of a worker: 1 MB of tables at most.
enum { PLACES = 256 };

static const char *name_of_unknown(uint64_t frame)
{
    switch (WIRE_FRAME_GUEST_KIND(frame)) {
#define GUEST(name, number, spelled, ...)                                                                              \
    case number:                                                                                                       \
        return "[" spelled "]";
#include "bpf/wire/guests.def"
#undef GUEST
    default:
        return "[unknown]";
    }
}

static const struct guest_code *code_of(const struct batch *batch, size_t index)
{
    return guest_codes__find(batch->guests, WIRE_FRAME_GUEST_CODE(batch->addresses[index]));
}

static void append_place(const struct guest_code *code, uint32_t at, struct buf *places)
{
    struct guest_place place = {.place = at};
    if (code) {
        place.kind = code->kind;
        place.version = code->version;
        place.first_line = code->first_line;
        place.table_bytes = code->table_bytes;
    }
    buf__append(places, &place, sizeof(place));
    if (code)
        buf__append(places, code->table, code->table_bytes);
}

// Without a worker, or where the tables make no sense, functions have names alone.
static void resolve_some(struct symbolizer *symbolizer, const struct batch *batch, size_t first, size_t count,
                         symbol_chain_fn *take, void *context)
{
    _cleanup_(buf__release) struct buf places = {0};
    uint32_t lines[PLACES] = {0};
    for (size_t i = 0; i < count; i++)
        append_place(code_of(batch, first + i), WIRE_FRAME_GUEST_PLACE(batch->addresses[first + i]), &places);
    if (places.failed || symbolizer__guest_lines(symbolizer, places.data, places.length_bytes, count, lines) != 0)
        memset(lines, 0, sizeof(lines));
    for (size_t i = 0; i < count; i++) {
        const struct guest_code *code = code_of(batch, first + i);
        const struct symbol symbol = {.function = code ? code->name : name_of_unknown(batch->addresses[first + i]),
                                      .file = code ? code->file : "",
                                      .line = lines[i]};
        take(first + i, &symbol, 1, context);
    }
}

static int resolve(struct symbolizer *symbolizer, const struct batch *batch, symbol_chain_fn *take, void *context)
{
    for (size_t first = 0; first < batch->count; first += PLACES)
        resolve_some(symbolizer, batch, first, batch->count - first < PLACES ? batch->count - first : PLACES, take,
                     context);
    return 0;
}

const struct resolver resolver_guest = {.resolve = resolve};
