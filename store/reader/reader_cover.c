// Each moment of a directory once. A full interval that was rolled up stands there beside the longer ones that hold it,
// until the first is retired. The table `source` says of each sum which full intervals it is the sum of. A query gets a
// sum or what is finer, never both:
//
//   hour   =  the same full intervals are in 60 minutes that are there  ->  the hour is hidden
//   minute =  6 full intervals, gone                                    ->  the minute is given
//
// So no count is given twice or not at all, wherever a roll-up or a retirement was stopped, and whichever file was
// lost.
//
// Each full interval that is there, or that a sum is of, has a place in one array of bytes.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/limits.h"
#include "store/reader/reader_insides.h"

// A file that sums refer to, whether it is still there or not.
struct origin {
    const char *name;
    struct reader_file *file; // NULL: gone
    uint64_t last, base;      // its highest id, and the place before its first
};

struct origins {
    struct origin *items;
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct origin *)a)->name, ((const struct origin *)b)->name);
}

static struct origin *find(const struct origins *origins, const char *name)
{
    struct origin wanted = {.name = name};
    return bsearch(&wanted, origins->items, origins->count, sizeof(*origins->items), compare_names);
}

static struct origins gather(struct store_reader *reader)
{
    struct origins origins = {.items = calloc(reader->rolled_count + reader->file_count, sizeof(*origins.items))};
    if (!origins.items)
        return origins;
    for (size_t i = 0; i < reader->file_count; i++)
        origins.items[origins.count++] = (struct origin){
            .name = reader->files[i].store_name, .file = &reader->files[i], .last = reader->files[i].interval_end};
    for (uint32_t i = 0; i < reader->rolled_count; i++) // runs of rows name the same file
        if (i == 0 || reader->rolled[i].store != reader->rolled[i - 1].store)
            origins.items[origins.count++] = (struct origin){.name = reader->rolled[i].store};
    if (origins.count)
        qsort(origins.items, origins.count, sizeof(*origins.items), compare_names);
    size_t kept = 0;
    for (size_t i = 1; i < origins.count; i++) {
        struct origin *known = &origins.items[kept];
        if (strcmp(known->name, origins.items[i].name) != 0)
            origins.items[++kept] = origins.items[i];
        else if (!known->file)
            *known = origins.items[i];
    }
    origins.count = kept + 1;
    return origins;
}

static int compare_sources(const void *a, const void *b)
{
    const struct reader_source *x = a, *y = b;
    if (x->tier_s != y->tier_s)
        return x->tier_s < y->tier_s ? 1 : -1;
    return (x->interval > y->interval) - (x->interval < y->interval);
}

static int place(struct store_reader *reader, const struct origins *origins)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reader->rolled_count; i++) {
        struct reader_source source = reader->rolled[i];
        const struct origin *owner = find(origins, source.owner);
        struct origin *origin = find(origins, source.store);
        if (!owner || !owner->file) // left out as damaged
            continue;
        source.interval = owner->file->interval_base + source.own_interval;
        if (source.last > origin->last)
            origin->last = source.last;
        reader->rolled[kept++] = source;
    }
    reader->rolled_count = kept;
    uint64_t end = 1;
    for (size_t i = 0; i < origins->count; i++) {
        origins->items[i].base = end;
        if (origins->items[i].file)
            origins->items[i].file->place_base = end;
        end += origins->items[i].last + 1;
    }
    reader->place_end = end;
    for (uint32_t i = 0; i < kept; i++)
        reader->rolled[i].place = find(origins, reader->rolled[i].store)->base + reader->rolled[i].first;
    return end > LIMIT_STORE_IDS_MAX ? -EBADMSG : 0;
}

int reader_cover__resolve(struct store_reader *reader)
{
    if (!reader->rolled_count)
        return 0;
    struct origins origins = gather(reader);
    int err = origins.items ? place(reader, &origins) : -ENOMEM;
    free(origins.items);
    if (!err)
        qsort(reader->rolled, reader->rolled_count, sizeof(*reader->rolled), compare_sources);
    return err;
}

// How many rows, from this one on, are of the same sum.
static uint32_t rows_of(const struct store_reader *reader, uint32_t at)
{
    uint32_t end = at + 1;
    while (end < reader->rolled_count && reader->rolled[end].interval == reader->rolled[at].interval)
        end++;
    return end - at;
}

const struct reader_source *reader_cover__sources(const struct store_reader *reader, uint32_t interval,
                                                  size_t *ret_count)
{
    for (uint32_t at = 0; at < reader->rolled_count;) {
        uint32_t rows = rows_of(reader, at);
        if (reader->rolled[at].interval == interval) {
            *ret_count = rows;
            return &reader->rolled[at];
        }
        at += rows;
    }
    *ret_count = 0;
    return NULL;
}

enum { THERE = 1, TAKEN = 2 }; // in something finer than the sums that are looked at; in a longer sum that is given

struct cover {
    const struct store_reader *reader;
    uint8_t *places;
    uint8_t *hidden; // by the reader's id of an interval
};

static bool have_all(const struct cover *cover, const struct reader_source *sources, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t n = 0; n <= sources[i].last - sources[i].first; n++)
            if (!(cover->places[sources[i].place + n] & THERE))
                return false;
    return true;
}

static bool have_any_taken(const struct cover *cover, const struct reader_source *sources, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t n = 0; n <= sources[i].last - sources[i].first; n++)
            if (cover->places[sources[i].place + n] & TAKEN)
                return true;
    return false;
}

static void mark(const struct cover *cover, const struct reader_source *sources, uint32_t rows, uint8_t how)
{
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t n = 0; n <= sources[i].last - sources[i].first; n++)
            cover->places[sources[i].place + n] |= how;
}

// Which sums have all their parts in finer intervals: from the shortest sums to the longest. Those are hidden, until
// `choose` wants them.
static void find_parts(const struct cover *cover)
{
    const struct store_reader *reader = cover->reader;
    for (size_t i = 0; i < reader->file_count; i++)
        for (uint32_t id = 1; id < reader->files[i].interval_end && reader->files[i].place_base; id++)
            cover->places[reader->files[i].place_base + id] = THERE;
    for (uint32_t end = reader->rolled_count, at; end > 0; end = at) {
        for (at = end - 1; at > 0 && reader->rolled[at - 1].interval == reader->rolled[end - 1].interval;)
            at--;
        cover->hidden[reader->rolled[at].interval] = have_all(cover, &reader->rolled[at], end - at);
        mark(cover, &reader->rolled[at], end - at, THERE);
    }
}

static bool lies_in(const struct reader_source *sum, const struct store_query *query)
{
    return sum->start_ns >= query->since_ns && (!query->until_ns || sum->end_ns <= query->until_ns);
}

static void choose(const struct cover *cover, const struct store_query *query)
{
    const struct store_reader *reader = cover->reader;
    for (uint32_t at = 0; at < reader->rolled_count;) {
        const struct reader_source *sum = &reader->rolled[at];
        uint32_t rows = rows_of(reader, at);
        uint8_t *hidden = &cover->hidden[sum->interval];
        at += rows;
        if (have_any_taken(cover, sum, rows))
            *hidden = true;
        else if (query->is_coarse && lies_in(sum, query))
            *hidden = false;
        if (!*hidden)
            mark(cover, sum, rows, TAKEN);
    }
}

int reader_cover__hidden(const struct store_reader *reader, const struct store_query *query, uint8_t **ret_hidden)
{
    if (!reader->rolled_count)
        return 0;
    _cleanup_free_ uint8_t *places = calloc(reader->place_end + 1, 1);
    _cleanup_free_ uint8_t *hidden = calloc((size_t)reader->interval_count + 1, 1);
    if (!places || !hidden)
        return -ENOMEM;
    const struct cover cover = {.reader = reader, .places = places, .hidden = hidden};
    find_parts(&cover);
    choose(&cover, query);
    for (size_t i = 0; i < reader->file_count; i++) {
        const struct reader_file *file = &reader->files[i];
        for (uint32_t id = 1; id < file->interval_end && file->place_base; id++)
            if (places[file->place_base + id] & TAKEN)
                hidden[file->interval_base + id] = true;
    }
    *ret_hidden = take_pointer(hidden);
    return 0;
}
