#include "symbolizer/index/range.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"

// Fewer are sorted by comparing: a pass over the digits costs as much as counting all of their values.
#define FEW        256
#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

struct key {
    uint32_t start;
    uint32_t index; // where the item stood
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    return a->start != b->start ? (a->start < b->start ? -1 : 1) : a->index < b->index ? -1 : a->index > b->index;
}

// One pass of a radix sort; it keeps the order of what has the same digit. False when all have, and nothing was done.
static bool sort_by_digit(const struct key *from, struct key *to, size_t count, unsigned shift)
{
    uint32_t starts[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        starts[(from[i].start >> shift) % DIGITS]++;
    if (starts[(from[0].start >> shift) % DIGITS] == count)
        return false;
    for (uint32_t i = 0, sum = 0; i < DIGITS; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[(from[i].start >> shift) % DIGITS]++] = from[i];
    return true;
}

static uint32_t start_of(const uint8_t *item)
{
    uint32_t start;
    memcpy(&start, item, sizeof(start));
    return start;
}

// Puts the items in the order of the keys. Inline, for a size that the compiler knows: a copy is a load and a store.
static inline __attribute__((always_inline)) void gather(const struct key *keys, const uint8_t *items,
                                                         size_t item_bytes, size_t count, uint8_t *sorted)
{
    for (size_t i = 0; i < count; i++)
        memcpy(sorted + i * item_bytes, items + keys[i].index * item_bytes, item_bytes);
}

static void gather_any(const struct key *keys, const uint8_t *items, size_t item_bytes, size_t count, uint8_t *sorted)
{
    switch (item_bytes) {
    case 12: // struct range
        gather(keys, items, 12, count, sorted);
        break;
    case 16: // struct layer, struct dwarf_sequence
        gather(keys, items, 16, count, sorted);
        break;
    case 24: // struct symbol_entry
        gather(keys, items, 24, count, sorted);
        break;
    default:
        gather(keys, items, item_bytes, count, sorted);
    }
}

int range__sort(void *items, size_t item_bytes, size_t count)
{
    uint8_t *bytes = items;
    size_t in_order = 1;
    while (in_order < count && start_of(bytes + in_order * item_bytes) >= start_of(bytes + (in_order - 1) * item_bytes))
        in_order++;
    if (in_order >= count)
        return 0;
    _cleanup_free_ struct key *memory = reallocarray(NULL, 2 * count, sizeof(*memory));
    _cleanup_free_ uint8_t *sorted = reallocarray(NULL, count, item_bytes);
    if (!memory || !sorted)
        return -ENOMEM;
    struct key *keys = memory, *other = memory + count;
    for (size_t i = 0; i < count; i++)
        keys[i] = (struct key){start_of(bytes + i * item_bytes), (uint32_t)i};
    if (count < FEW)
        qsort(keys, count, sizeof(*keys), compare_keys);
    for (unsigned shift = 0; shift < 32 && count >= FEW; shift += DIGIT_BITS) {
        if (!sort_by_digit(keys, other, count, shift))
            continue;
        struct key *done = other;
        other = keys;
        keys = done;
    }
    gather_any(keys, bytes, item_bytes, count, sorted);
    memcpy(items, sorted, count * item_bytes);
    return 0;
}

static int compare_layers(const void *left, const void *right)
{
    const struct layer *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void append(struct buf *ranges, size_t first_byte, uint32_t start, uint32_t end, uint32_t value)
{
    if (start >= end)
        return;
    if (!ranges->failed && ranges->length_bytes > first_byte) {
        struct range *last = (struct range *)(ranges->data + ranges->length_bytes) - 1;
        if (last->end == start && last->value == value) {
            last->end = end;
            return;
        }
    }
    struct range range = {start, end, value};
    buf__append(ranges, &range, sizeof(range));
}

// Keeps the order of what is equal: of two siblings inlined at one place the later one is seen.
static void insert_in_order(struct layer *layers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct layer layer = layers[i];
        size_t at = i;
        for (; at > 0 && compare_layers(&layers[at - 1], &layer) > 0; at--)
            layers[at] = layers[at - 1];
        layers[at] = layer;
    }
}

static int sort_layers(struct layer *layers, size_t count)
{
    int err = range__sort(layers, sizeof(*layers), count);
    for (size_t i = 0, next; i < count && !err; i = next) {
        for (next = i + 1; next < count && layers[next].start == layers[i].start;)
            next++;
        if (next - i > 1 && next - i <= FEW)
            insert_in_order(layers + i, next - i);
        else if (next - i > FEW) // no compiler's work: any order will do
            qsort(layers + i, next - i, sizeof(*layers), compare_layers);
    }
    return err;
}

int range__flatten(struct layer *layers, size_t count, struct buf *ranges)
{
    _cleanup_free_ const struct layer **open = calloc(count + 1, sizeof(*open)); // the top is what is seen
    if (!open || sort_layers(layers, count) != 0)
        return -ENOMEM;
    size_t depth = 0, first_byte = ranges->length_bytes;
    uint32_t seen = 0; // everything below is written
    for (size_t i = 0; i <= count; i++) {
        uint32_t next = i < count ? layers[i].start : UINT32_MAX;
        while (depth > 0) {
            const struct layer *top = open[depth - 1];
            uint32_t end = top->end < next ? top->end : next;
            if (end > seen) {
                append(ranges, first_byte, seen > top->start ? seen : top->start, end, top->value);
                seen = end;
            }
            if (top->end > next)
                break;
            depth--;
        }
        if (i < count && layers[i].start < layers[i].end)
            open[depth++] = &layers[i];
        if (next > seen)
            seen = next;
    }
    return ranges->failed ? -ENOMEM : 0;
}

const struct range *range__find(const struct range *ranges, size_t count, uint32_t address)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && address < ranges[low - 1].end ? &ranges[low - 1] : NULL;
}
