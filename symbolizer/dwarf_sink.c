#include "symbolizer/dwarf_sink.h"

#include <errno.h>
#include <stdlib.h>

bool dwarf_sink__relative(const struct dwarf_sink *sink, uint64_t low, uint64_t high, uint32_t *ret_low,
                          uint32_t *ret_high)
{
    if (low >= high || low < sink->base || high - sink->base >= UINT32_MAX)
        return false;
    const struct elf_section *section = elf_file__code_at(sink->elf, low);
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

void dwarf_sink__release(struct dwarf_sink *sink)
{
    buf__release(&sink->ranges);
    buf__release(&sink->scopes);
    buf__release(&sink->rows);
    buf__release(&sink->sequences);
}
