// Each moment of a directory once. What was rolled up stands there as it was recorded and in longer intervals, until
// the first is retired. A row of the table `source` says, of a longer interval, by their ids which shorter ones it is
// the sum of. A query gets either the sum or all of its parts:
//
//   hour  =  60 minutes, all there  ->  the minutes are given, the hour is hidden
//   minute = 6 full intervals, gone ->  the minute is given
//
// So no count is given twice or not at all, wherever a roll-up or a retirement was stopped.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/reader/reader_insides.h"

enum { GIVEN, BY_PARTS, BY_SUM };

static int compare_names(const void *a, const void *b)
{
    const struct reader_file *const *x = a, *const *y = b;
    return strcmp((*x)->store_name, (*y)->store_name);
}

static const struct reader_file *find(const struct reader_file **files, size_t count, const char *name)
{
    struct reader_file wanted = {.store_name = (char *)name};
    const struct reader_file *key = &wanted;
    const struct reader_file **found = bsearch(&key, files, count, sizeof(*files), compare_names);
    return found ? *found : NULL;
}

static int compare_rolled(const void *a, const void *b)
{
    const struct reader_rolled *x = a, *y = b;
    return (x->tier_s < y->tier_s) - (x->tier_s > y->tier_s);
}

int reader_cover__resolve(struct store_reader *reader)
{
    if (!reader->rolled_count)
        return 0;
    _cleanup_free_ const struct reader_file **files = calloc(reader->file_count, sizeof(*files));
    if (!files)
        return -ENOMEM;
    for (size_t i = 0; i < reader->file_count; i++)
        files[i] = &reader->files[i];
    qsort(files, reader->file_count, sizeof(*files), compare_names);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reader->rolled_count; i++) {
        struct reader_rolled rolled = reader->rolled[i];
        const struct reader_file *owner = find(files, reader->file_count, rolled.owner);
        const struct reader_file *source = find(files, reader->file_count, rolled.source);
        if (!owner) // left out as damaged
            continue;
        rolled.owner_base = owner->interval_base;
        rolled.source_base = source ? source->interval_base : 0;
        rolled.end = source ? source->interval_end : 0;
        reader->rolled[kept++] = rolled;
    }
    reader->rolled_count = kept;
    qsort(reader->rolled, kept, sizeof(*reader->rolled), compare_rolled);
    return 0;
}

static bool lies_in(const struct reader_rolled *rolled, const struct store_query *query)
{
    return rolled->start_ns >= query->since_ns && (!query->until_ns || rolled->end_ns <= query->until_ns);
}

static void hide_parts(const struct reader_rolled *rolled, uint8_t *hidden)
{
    for (uint32_t i = rolled->first; i <= rolled->last && i < rolled->end; i++)
        hidden[rolled->source_base + i] = BY_SUM;
}

int reader_cover__hidden(const struct store_reader *reader, const struct store_query *query, uint8_t **ret_hidden)
{
    if (!reader->rolled_count)
        return 0;
    uint8_t *hidden = calloc((size_t)reader->interval_count + 1, 1);
    if (!hidden)
        return -ENOMEM;
    for (uint32_t i = 0; i < reader->rolled_count; i++) {
        const struct reader_rolled *rolled = &reader->rolled[i];
        uint8_t *own = &hidden[rolled->owner_base + rolled->interval];
        bool has_parts = rolled->last < rolled->end;
        if (*own == GIVEN && has_parts && !(query->is_coarse && lies_in(rolled, query)))
            *own = BY_PARTS;
        else
            hide_parts(rolled, hidden);
    }
    *ret_hidden = hidden;
    return 0;
}
