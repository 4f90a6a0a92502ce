#include "collector/who/mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/grow.h"
#include "store/base/limits.h"

// The first row that ends behind the address.
static size_t first_behind(const struct mappings *mappings, uint64_t address)
{
    size_t low = 0, high = mappings->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mappings->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct mapping *mappings__find(const struct mappings *mappings, uint64_t address)
{
    size_t row = first_behind(mappings, address);
    return row < mappings->count && mappings->rows[row].start <= address ? &mappings->rows[row] : NULL;
}

bool mappings__replaces(const struct mappings *mappings, const struct mapping *mapping)
{
    for (size_t i = first_behind(mappings, mapping->start); i < mappings->count; i++) {
        const struct mapping *row = &mappings->rows[i];
        if (row->start >= mapping->end)
            break;
        if (row->binary == mapping->binary && row->binary->kind == STORE_BINARY_JIT)
            continue; // a JIT has no rows
        if (row->binary != mapping->binary || row->file_offset - row->start != mapping->file_offset - mapping->start)
            return true;
    }
    return false;
}

static int reserve(struct mappings *mappings, size_t count)
{
    if (count <= mappings->capacity)
        return 0;
    if (count > LIMIT_MAPPINGS_A_PROCESS)
        return -ENOSPC;
    return GROW(mappings->rows, mappings->capacity, count);
}

// Memory of no file, such as a JIT's code.
static bool is_anonymous(const struct mapping *mapping)
{
    return mapping->binary && mapping->binary->kind == STORE_BINARY_JIT &&
           (mapping->binary->path[0] == '[' || strncmp(mapping->binary->path, "//", 2) == 0);
}

// Widens a mapping of a JIT's code by its neighbours of the same kind, which it then replaces: a JIT maps code by the
// page, and nothing runs in the gaps.
static void widen(const struct mappings *mappings, struct mapping *mapping, size_t *first, size_t *last)
{
    const struct mapping *rows = mappings->rows;
    *first -= *first > 0 && rows[*first - 1].binary == mapping->binary;
    *last += *last < mappings->count && rows[*last].binary == mapping->binary;
    if (*first == *last)
        return;
    if (rows[*first].binary == mapping->binary && rows[*first].start < mapping->start)
        mapping->start = rows[*first].start;
    if (rows[*last - 1].binary == mapping->binary && rows[*last - 1].end > mapping->end)
        mapping->end = rows[*last - 1].end;
}

int mappings__add(struct mappings *mappings, const struct mapping *added)
{
    struct mapping mapping = *added;
    size_t first = first_behind(mappings, mapping.start), last = first;
    while (last < mappings->count && mappings->rows[last].start < mapping.end)
        last++;
    if (is_anonymous(&mapping))
        widen(mappings, &mapping, &first, &last);
    // rows[first, last) overlap: their parts before and behind the new one stay.
    struct mapping kept[3];
    size_t kept_count = 0;
    if (first < last && mappings->rows[first].start < mapping.start) {
        kept[kept_count] = mappings->rows[first];
        kept[kept_count++].end = mapping.start;
    }
    kept[kept_count++] = mapping;
    if (first < last && mappings->rows[last - 1].end > mapping.end) {
        kept[kept_count] = mappings->rows[last - 1];
        kept[kept_count].file_offset += mapping.end - kept[kept_count].start;
        kept[kept_count++].start = mapping.end;
    }
    int err = reserve(mappings, mappings->count - (last - first) + kept_count);
    if (err)
        return err;
    memmove(mappings->rows + first + kept_count, mappings->rows + last,
            (mappings->count - last) * sizeof(*mappings->rows));
    memcpy(mappings->rows + first, kept, kept_count * sizeof(*kept));
    mappings->count = mappings->count - (last - first) + kept_count;
    return 0;
}

int mappings__copy(struct mappings *to, const struct mappings *from)
{
    mappings__release(to);
    if (!from->count)
        return 0;
    to->rows = malloc(from->count * sizeof(*to->rows));
    if (!to->rows)
        return -ENOMEM;
    memcpy(to->rows, from->rows, from->count * sizeof(*to->rows));
    to->count = to->capacity = from->count;
    return 0;
}

void mappings__release(struct mappings *mappings)
{
    free(mappings->rows);
    *mappings = (struct mappings){0};
}
