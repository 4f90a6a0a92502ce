#include "symbolizer/dwarf/dwarf_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"

bool dwarf_sink__relative(struct dwarf_sink *sink, uint64_t low, uint64_t high, uint32_t *ret_low, uint32_t *ret_high)
{
    if (low >= high || low < sink->base || high - sink->base >= UINT32_MAX)
        return false;
    const struct elf_section *section = sink->code; // nearly all are in one
    if (!section || low < section->address || low - section->address >= section->bytes)
        sink->code = section = elf_file__code_at(sink->elf, low);
    if (!section || high - section->address > section->bytes)
        return false;
    *ret_low = (uint32_t)(low - sink->base);
    *ret_high = (uint32_t)(high - sink->base);
    return true;
}

// Units may claim the same code (a damaged file, or identical code folded by the linker): the first one keeps it.
static int finish_ranges(struct buf *ranges, struct buf *table)
{
    struct range *all = (struct range *)ranges->data;
    size_t count = ranges->length_bytes / sizeof(*all);
    uint32_t end = 0;
    if (range__sort(all, sizeof(*all), count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (all[i].start < end)
            all[i].start = end;
        if (all[i].start >= all[i].end)
            continue;
        end = all[i].end;
        buf__append(table, &all[i], sizeof(all[i]));
    }
    return 0;
}

static int finish_lines(struct dwarf_sink *sink, struct buf *table)
{
    struct dwarf_sequence *sequences = (struct dwarf_sequence *)sink->sequences.data;
    const struct index_line *rows = (const struct index_line *)sink->rows.data;
    size_t count = sink->sequences.length_bytes / sizeof(*sequences);
    uint32_t covered = 0;
    if (range__sort(sequences, sizeof(*sequences), count) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (sequences[i].end <= covered)
            continue;
        if (i > 0 && sequences[i].start > covered) {
            struct index_line gap = {.start = covered};
            buf__append(table, &gap, sizeof(gap));
        }
        // The end row of the sequence before yields to the first one of this.
        for (uint32_t j = 0; j < sequences[i].row_count; j++) {
            struct index_line row = rows[sequences[i].first_row + j];
            bool hidden = j + 1 < sequences[i].row_count && rows[sequences[i].first_row + j + 1].start <= covered;
            if (hidden)
                continue;
            if (row.start < covered)
                row.start = covered;
            buf__append(table, &row, sizeof(row));
        }
        covered = sequences[i].end;
    }
    if (count > 0) {
        struct index_line end = {.start = covered};
        buf__append(table, &end, sizeof(end));
    }
    return 0;
}

int dwarf_sink__finish(struct dwarf_sink *sink, struct index_parts *parts)
{
    if (sink->ranges.failed || sink->scopes.failed || sink->rows.failed || sink->sequences.failed)
        return -ENOMEM;
    if (finish_ranges(&sink->ranges, &parts->ranges) != 0 || finish_lines(sink, &parts->lines) != 0)
        return -ENOMEM;
    buf__release(&parts->scopes);
    parts->scopes = sink->scopes;
    sink->scopes = (struct buf){0};
    return 0;
}

static bool grow_names(struct dwarf_sink *sink)
{
    size_t count = sink->name_slots ? sink->name_slots * 2 : 1024;
    struct dwarf_name *names = calloc(count, sizeof(*names));
    if (!names)
        return false;
    for (size_t i = 0; i < sink->name_slots; i++) {
        if (!sink->names[i].entry)
            continue;
        size_t at = hash__mix(sink->names[i].entry) & (count - 1);
        while (names[at].entry)
            at = (at + 1) & (count - 1);
        names[at] = sink->names[i];
    }
    free(sink->names);
    sink->names = names;
    sink->name_slots = count;
    return true;
}

struct dwarf_name *dwarf_sink__name(struct dwarf_sink *sink, uint64_t entry)
{
    if (sink->names_used * 2 >= sink->name_slots && !grow_names(sink))
        return NULL;
    size_t at = hash__mix(entry) & (sink->name_slots - 1);
    while (sink->names[at].entry && sink->names[at].entry != entry)
        at = (at + 1) & (sink->name_slots - 1);
    return &sink->names[at];
}

// Where the strings of one pool stand in another, by half their offset: each takes two bytes at least.
static uint32_t *take_strings(struct string_pool *pool, const struct string_pool *other)
{
    uint32_t *map = calloc(other->bytes.length_bytes / 2 + 1, sizeof(*map));
    for (size_t i = 0; i < other->slot_count && map; i++) {
        uint32_t at = other->slots[i].offset;
        const char *text = (const char *)other->bytes.data + at;
        if (at)
            map[at / 2] = string_pool__add(pool, text, strlen(text));
    }
    return map;
}

int dwarf_sink__append(struct dwarf_sink *sink, const struct dwarf_sink *other)
{
    uint32_t first_scope = (uint32_t)(sink->scopes.length_bytes / sizeof(struct index_scope));
    uint32_t first_row = (uint32_t)(sink->rows.length_bytes / sizeof(struct index_line));
    size_t ranges_at = sink->ranges.length_bytes, scopes_at = sink->scopes.length_bytes;
    size_t rows_at = sink->rows.length_bytes, sequences_at = sink->sequences.length_bytes;
    _cleanup_free_ uint32_t *map = take_strings(sink->pool, other->pool);
    buf__append(&sink->ranges, other->ranges.data, other->ranges.length_bytes);
    buf__append(&sink->scopes, other->scopes.data, other->scopes.length_bytes);
    buf__append(&sink->rows, other->rows.data, other->rows.length_bytes);
    buf__append(&sink->sequences, other->sequences.data, other->sequences.length_bytes);
    if (!map || sink->ranges.failed || sink->scopes.failed || sink->rows.failed || sink->sequences.failed)
        return -ENOMEM;
    for (size_t at = ranges_at; at < sink->ranges.length_bytes; at += sizeof(struct range))
        ((struct range *)(sink->ranges.data + at))->value += first_scope;
    for (size_t at = scopes_at; at < sink->scopes.length_bytes; at += sizeof(struct index_scope)) {
        struct index_scope *scope = (struct index_scope *)(sink->scopes.data + at);
        scope->name = map[scope->name / 2];
        scope->call_file = map[scope->call_file / 2];
        scope->parent += scope->parent == INDEX_NONE ? 0 : first_scope;
    }
    for (size_t at = rows_at; at < sink->rows.length_bytes; at += sizeof(struct index_line)) {
        struct index_line *row = (struct index_line *)(sink->rows.data + at);
        row->file = map[row->file / 2];
    }
    for (size_t at = sequences_at; at < sink->sequences.length_bytes; at += sizeof(struct dwarf_sequence))
        ((struct dwarf_sequence *)(sink->sequences.data + at))->first_row += first_row;
    return 0;
}

void dwarf_sink__end_sequence(struct dwarf_sink *sink, uint32_t first_row, uint64_t low, uint64_t high)
{
    size_t first_bytes = first_row * sizeof(struct index_line);
    struct dwarf_sequence sequence = {
        .first_row = first_row,
        .row_count = (uint32_t)((sink->rows.length_bytes - first_bytes) / sizeof(struct index_line))};
    if (sequence.row_count > 0 && dwarf_sink__relative(sink, low, high, &sequence.start, &sequence.end))
        buf__append(&sink->sequences, &sequence, sizeof(sequence));
    else
        sink->rows.length_bytes = first_bytes;
}

struct dwarf_mark dwarf_sink__mark(const struct dwarf_sink *sink)
{
    return (struct dwarf_mark){sink->ranges.length_bytes, sink->scopes.length_bytes, sink->rows.length_bytes,
                               sink->sequences.length_bytes};
}

void dwarf_sink__cut(struct dwarf_sink *sink, const struct dwarf_mark *mark)
{
    sink->ranges.length_bytes = mark->ranges;
    sink->scopes.length_bytes = mark->scopes;
    sink->rows.length_bytes = mark->rows;
    sink->sequences.length_bytes = mark->sequences;
}

void dwarf_sink__release(struct dwarf_sink *sink)
{
    buf__release(&sink->ranges);
    buf__release(&sink->scopes);
    buf__release(&sink->rows);
    buf__release(&sink->sequences);
    free(sink->names);
}
