#include "symbolizer/range.h"

#include <errno.h>
#include <stdlib.h>

#include "store/base/cleanup.h"

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

static bool is_sorted(const struct layer *layers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare_layers(&layers[i - 1], &layers[i]) > 0)
            return false;
    return true;
}

int range__flatten(struct layer *layers, size_t count, struct buf *ranges)
{
    _cleanup_free_ const struct layer **open = calloc(count + 1, sizeof(*open)); // the top is what is seen
    if (!open)
        return -ENOMEM;
    if (!is_sorted(layers, count))
        qsort(layers, count, sizeof(*layers), compare_layers);
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
