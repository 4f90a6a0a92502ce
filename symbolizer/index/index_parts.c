#include "symbolizer/index/index_parts.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"

// Symbols or rows a page has on average, from 1/2 of it on. Fewer make the pages themselves miss the cache.
#define PAGE_ITEMS 8

void index_parts__release(struct index_parts *parts)
{
    struct buf *all[] = {&parts->segments, &parts->units,  &parts->symbols, &parts->ranges,
                         &parts->lines,    &parts->scopes, &parts->strings};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        buf__release(all[i]);
}

static void add_row(struct buf *rows, struct index_row row)
{
    if (!row.file)
        row.line = 0;
    if (!rows->failed && rows->length_bytes > 0) {
        const struct index_row *last = (const struct index_row *)(rows->data + rows->length_bytes) - 1;
        if (last->scope == row.scope && last->file == row.file && last->line == row.line)
            return;
    }
    buf__append(rows, &row, sizeof(row));
}

// The bytes of a buffer. An empty one has no memory, and C does not define NULL + 0.
static const void *contents(const struct buf *buf)
{
    static const struct index_row none;
    return buf->data ? (const void *)buf->data : &none;
}

// Goes along ranges and lines side by side: a row wherever one of them changes.
static void merge(const struct index_parts *parts, struct buf *rows)
{
    const struct range *range = contents(&parts->ranges);
    const struct range *last_range = range + parts->ranges.length_bytes / sizeof(*range);
    const struct index_line *line = contents(&parts->lines);
    const struct index_line *last_line = line + parts->lines.length_bytes / sizeof(*line);
    struct index_row row = {.scope = INDEX_NONE};
    while (range < last_range || line < last_line) {
        uint32_t range_at = range == last_range ? UINT32_MAX : row.scope == INDEX_NONE ? range->start : range->end;
        uint32_t line_at = line == last_line ? UINT32_MAX : line->start;
        row.start = range_at < line_at ? range_at : line_at;
        while (range < last_range && row.scope != INDEX_NONE && range->end <= row.start) {
            row.scope = INDEX_NONE;
            range++;
        }
        if (range < last_range && row.scope == INDEX_NONE && range->start <= row.start)
            row.scope = range->value;
        for (; line < last_line && line->start <= row.start; line++) {
            row.file = line->file;
            row.line = line->line;
        }
        add_row(rows, row);
    }
}

static uint32_t start_of(const struct buf *items, size_t item_bytes, size_t i)
{
    uint32_t start;
    memcpy(&start, items->data + i * item_bytes, sizeof(start)); // the first member of both
    return start;
}

static uint32_t make_pages(const struct buf *items, size_t item_bytes, struct buf *pages)
{
    size_t count = items->failed ? 0 : items->length_bytes / item_bytes;
    if (count == 0)
        return 0;
    uint32_t shift = 0, last = start_of(items, item_bytes, count - 1);
    while (shift < 31 && (last >> shift) > count / (PAGE_ITEMS / 2))
        shift++;
    uint32_t page = 0;
    for (uint32_t i = 0; i < count; i++)
        for (; page <= start_of(items, item_bytes, i) >> shift; page++)
            buf__append(pages, &i, sizeof(i));
    uint32_t all = (uint32_t)count;
    buf__append(pages, &all, sizeof(all));
    return shift;
}

static void pad(struct buf *out)
{
    while (out->length_bytes % INDEX_ALIGNMENT && !out->failed)
        buf__append_byte(out, 0);
}

static int write_tables(const struct buf *const tables[INDEX_TABLES], struct index_header *header, struct buf *out)
{
    size_t all = sizeof(*header);
    for (size_t i = 0; i < INDEX_TABLES; i++)
        all += tables[i]->length_bytes + INDEX_ALIGNMENT;
    buf__clear(out);
    buf__reserve(out, all);
    buf__append(out, header, sizeof(*header));
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        if (tables[i]->failed || tables[i]->length_bytes / index__item_bytes[i] >= UINT32_MAX)
            return -ENOMEM;
        pad(out);
        header->tables[i].offset_bytes = out->length_bytes;
        header->tables[i].count = tables[i]->length_bytes / index__item_bytes[i];
        buf__append(out, tables[i]->data, tables[i]->length_bytes);
    }
    pad(out);
    return out->failed ? -ENOMEM : 0;
}

int index_parts__write(const struct index_parts *parts, struct buf *out)
{
    _cleanup_(buf__release) struct buf rows = {0}, symbol_pages = {0}, row_pages = {0};
    struct index_header header = {.version = INDEX_VERSION, .header_bytes = sizeof(header), .base = parts->base};
    if (parts->ranges.failed || parts->lines.failed)
        return -ENOMEM;
    memcpy(header.magic, INDEX_MAGIC, sizeof(header.magic));
    memcpy(header.build_id, parts->build_id, sizeof(header.build_id));
    header.build_id_bytes = (uint32_t)parts->build_id_bytes;
    header.complete = parts->complete;
    header.has_dwarf = parts->has_dwarf;
    header.refused = parts->refused;
    merge(parts, &rows);
    header.symbol_page_shift = make_pages(&parts->symbols, sizeof(struct range), &symbol_pages);
    header.row_page_shift = make_pages(&rows, sizeof(struct index_row), &row_pages);
    const struct buf *const tables[INDEX_TABLES] = {
        [INDEX_SEGMENTS] = &parts->segments, [INDEX_UNITS] = &parts->units,
        [INDEX_SYMBOLS] = &parts->symbols,   [INDEX_ROWS] = &rows,
        [INDEX_SCOPES] = &parts->scopes,     [INDEX_SYMBOL_PAGES] = &symbol_pages,
        [INDEX_ROW_PAGES] = &row_pages,      [INDEX_STRINGS] = &parts->strings};
    int err = write_tables(tables, &header, out);
    if (err)
        return err;
    header.total_bytes = out->length_bytes;
    memcpy(out->data, &header, sizeof(header));
    header.checksum = index__checksum((const struct index_header *)out->data, out->length_bytes, false);
    memcpy(out->data, &header, sizeof(header));
    return 0;
}
