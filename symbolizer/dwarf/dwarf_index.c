#include "symbolizer/dwarf/dwarf_index.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "store/base/limits.h"
#include "symbolizer/dwarf/dwarf_functions.h"
#include "symbolizer/dwarf/dwarf_ranges.h"
#include "symbolizer/dwarf/dwarf_sink.h"
#include "symbolizer/jail/helper.h"

// Debug information of less than this is indexed whole at once: it takes milliseconds.
#define SMALL_INFO_BYTES (1u << 20)

struct builder {
    const struct dwarf_index_request *request;
    struct dwarf_sink sink;
    struct buf layers; // struct layer: where units have code
    bool *wanted;      // by unit
    bool *has_ranges;
    uint32_t unit; // in hand
};

struct lane { // some of the units, which follow each other
    const struct builder *builder;
    struct dwarf_sink *sink;
    size_t first, end;
    uint32_t refused; // units
    int err;
};

static bool take_unit_range(uint64_t low, uint64_t high, void *context)
{
    struct builder *builder = context;
    struct layer layer = {.value = builder->unit};
    if (dwarf_sink__relative(&builder->sink, low, high, &layer.start, &layer.end)) {
        builder->has_ranges[builder->unit] = true;
        buf__append(&builder->layers, &layer, sizeof(layer));
    }
    return !builder->layers.failed;
}

static bool holds_code(const struct dwarf_unit *unit)
{
    return !unit->is_broken && (unit->type == DW_UT_compile || unit->type == DW_UT_skeleton);
}

// Never .debug_aranges: clang's and Go's binaries have none, and a binary of many makers has them of some.
static int map_units(struct builder *builder)
{
    struct dwarf_file *dwarf = builder->request->dwarf;
    for (uint32_t i = 0; i < dwarf->unit_count; i++) {
        struct dwarf_unit *unit = &dwarf->units[i];
        struct dwarf_bounds bounds;
        builder->unit = i;
        if (!holds_code(unit))
            continue;
        int err = dwarf_unit__read_root(unit, &bounds);
        if (err == -ENOMEM)
            return err;
        unit->is_broken = err != 0;
        if (!err)
            dwarf_ranges__each(unit, &bounds, &builder->sink.ranges_read, take_unit_range, builder);
    }
    return builder->layers.failed ? -ENOMEM : 0;
}

static void want_units(struct builder *builder, const struct buf *map)
{
    const struct dwarf_index_request *request = builder->request;
    const struct range *ranges = (const struct range *)map->data;
    size_t count = map->length_bytes / sizeof(*ranges);
    for (size_t i = 0; i < request->count; i++) {
        uint64_t relative = request->addresses[i] - builder->sink.base;
        const struct range *range = relative < UINT32_MAX ? range__find(ranges, count, (uint32_t)relative) : NULL;
        if (range)
            builder->wanted[range->value] = true;
    }
    uint64_t all_bytes = 0, wanted_bytes = 0;
    for (size_t i = 0; i < request->dwarf->unit_count; i++) {
        const struct dwarf_unit *unit = &request->dwarf->units[i];
        all_bytes += unit->end - unit->offset;
        wanted_bytes += builder->wanted[i] ? unit->end - unit->offset : 0;
    }
    // To inflate it all again for the next units takes as long as to read the rest of them now.
    bool complete =
        request->complete || all_bytes < SMALL_INFO_BYTES || wanted_bytes > all_bytes / 2 || request->dwarf->was_packed;
    for (size_t i = 0; i < request->dwarf->unit_count; i++)
        // One that does not say where its code is must be looked at.
        builder->wanted[i] = (builder->wanted[i] || complete || !builder->has_ranges[i]) &&
                             (holds_code(&request->dwarf->units[i]) || request->dwarf->units[i].is_broken);
}

// `by_libdw`: the entries of its split half, if it has one, are read by libdw.
static int build_unit(const struct builder *builder, struct dwarf_unit *unit, bool by_libdw, struct dwarf_sink *sink)
{
    struct dwarf_files files = {.unit = unit};
    struct dwarf_unit *split = NULL;
    if (unit->is_broken)
        return -EBADMSG;
    int err = dwarf_ahead__files(builder->request->ahead, unit->line_offset, &files), split_err = 0;
    if (err == -ENOENT)
        err = unit->line_offset == UINT64_MAX ? 0 : dwarf_lines__run(unit, unit->line_offset, sink, &files);
    if (err != -ENOMEM && unit->dwo_name && builder->request->open_split)
        split_err = builder->request->open_split(builder->request->context, unit, &split);
    bool is_damaged = err == -EBADMSG || split_err == -EBADMSG;
    split = split_err ? NULL : split;
    if (err != -ENOMEM)
        err = by_libdw && split ? libdw_reader__read_half(split, &files, sink)
                                : dwarf_functions__walk(split ? split : unit, &files, sink);
    dwarf_files__release(&files);
    return err ? err : is_damaged ? -EBADMSG : 0;
}

// libdw reads a unit that our own reader refuses. When libdw fails too, the unit's part that our own reader could read
// is kept.
static int build_by_any(struct lane *lane, struct dwarf_unit *unit)
{
    struct dwarf_mark mark = dwarf_sink__mark(lane->sink);
    struct libdw_reader *second = lane->builder->request->second;
    int err = build_unit(lane->builder, unit, false, lane->sink);
    if (err != -EBADMSG)
        return err;
    if (second) {
        dwarf_sink__cut(lane->sink, &mark);
        err = unit->dwo_name ? build_unit(lane->builder, unit, true, lane->sink)
                             : libdw_reader__read_unit(second, unit->offset, lane->sink);
        if (err == 0 || err == -ENOMEM)
            return err;
        dwarf_sink__cut(lane->sink, &mark);
        err = build_unit(lane->builder, unit, false, lane->sink);
    }
    lane->refused++;
    return err;
}

// libdw reads the bytes behind the last unit header that our own reader could read.
static int build_rest(struct builder *builder, struct lane *lane)
{
    const struct dwarf_file *dwarf = builder->request->dwarf;
    struct dwarf_mark mark = dwarf_sink__mark(&builder->sink);
    uint64_t end = dwarf->unit_count > 0 ? dwarf->units[dwarf->unit_count - 1].end : 0;
    if (!dwarf->is_cut)
        return 0;
    int err =
        builder->request->second ? libdw_reader__read_from(builder->request->second, end, &builder->sink) : -EBADMSG;
    if (err == 0 || err == -ENOMEM)
        return err;
    dwarf_sink__cut(&builder->sink, &mark);
    lane->refused++;
    return 0;
}

static void build_lane(void *context)
{
    struct lane *lane = context;
    for (size_t i = lane->first; i < lane->end; i++) {
        if (!lane->builder->wanted[i])
            continue;
        lane->err = build_by_any(lane, &lane->builder->request->dwarf->units[i]);
        if (lane->err == -ENOMEM || lane->err == -E2BIG)
            return;
    }
    lane->err = 0; // damaged units cost what they hold
}

// Reads the roots of all units now, which otherwise the first thread that needs one reads. False: there are files that
// only one thread can open.
static bool is_for_two(struct dwarf_file *dwarf)
{
    if (dwarf->alternate)
        return false;
    for (size_t i = 0; i < dwarf->unit_count; i++) {
        struct dwarf_unit *unit = &dwarf->units[i];
        struct dwarf_bounds bounds;
        if (!unit->is_broken && !unit->is_read && dwarf_unit__read_root(unit, &bounds) != 0)
            unit->is_broken = true;
        if (unit->dwo_name)
            return false;
    }
    return true;
}

// The unit in the middle of what is wanted; 0: it is not worth to share it.
static size_t find_middle(const struct builder *builder)
{
    struct dwarf_file *dwarf = builder->request->dwarf;
    uint64_t all_bytes = 0, bytes = 0;
    for (size_t i = 0; i < dwarf->unit_count; i++)
        all_bytes += builder->wanted[i] ? dwarf->units[i].end - dwarf->units[i].offset : 0;
    if (!helper__is_worth(builder->request->helper, all_bytes) || builder->request->second || !is_for_two(dwarf))
        return 0;
    for (size_t i = 0; i < dwarf->unit_count; i++) {
        bytes += builder->wanted[i] ? dwarf->units[i].end - dwarf->units[i].offset : 0;
        if (bytes > all_bytes / 2)
            return i;
    }
    return 0;
}

// Two threads walk a half each, with tables of their own, and the second half is put behind the first: the tables are
// the same as those of one thread.
static int build_shared(struct builder *builder, size_t middle, uint32_t *refused)
{
    struct string_pool pool = {0};
    struct dwarf_sink sink = {.elf = builder->sink.elf, .base = builder->sink.base, .pool = &pool};
    struct lane lanes[] = {
        {.builder = builder, .sink = &builder->sink, .end = middle},
        {.builder = builder, .sink = &sink, .first = middle, .end = builder->request->dwarf->unit_count}};
    string_pool__add(&pool, "", 0);
    helper__begin(builder->request->helper, build_lane, &lanes[1]);
    build_lane(&lanes[0]);
    helper__wait(builder->request->helper);
    int err = lanes[0].err ? lanes[0].err : lanes[1].err ? lanes[1].err : pool.bytes.failed ? -ENOMEM : 0;
    if (!err)
        err = dwarf_sink__append(&builder->sink, &sink);
    *refused += lanes[0].refused + lanes[1].refused;
    dwarf_sink__release(&sink);
    string_pool__release(&pool);
    return err;
}

static int build_units(struct builder *builder, struct index_parts *parts)
{
    struct dwarf_file *dwarf = builder->request->dwarf;
    size_t middle = find_middle(builder);
    parts->complete = true;
    for (size_t i = 0; i < dwarf->unit_count; i++)
        parts->complete = parts->complete && (builder->wanted[i] || !builder->has_ranges[i]);
    struct lane all = {.builder = builder, .sink = &builder->sink, .end = dwarf->unit_count};
    if (middle > 0)
        all.err = build_shared(builder, middle, &all.refused);
    else
        build_lane(&all);
    if (!all.err)
        all.err = build_rest(builder, &all);
    parts->refused += all.refused;
    return all.err;
}

// The units' ranges with 1 for those that are in the index.
static void write_map(const struct builder *builder, const struct buf *map, struct buf *table)
{
    const struct range *ranges = (const struct range *)map->data;
    size_t count = map->length_bytes / sizeof(*ranges);
    for (size_t i = 0; i < count; i++) {
        struct range range = {ranges[i].start, ranges[i].end, builder->wanted[ranges[i].value]};
        buf__append(table, &range, sizeof(range));
    }
}

static void release(struct builder *builder)
{
    dwarf_sink__release(&builder->sink);
    buf__release(&builder->layers);
    free(builder->wanted);
    free(builder->has_ranges);
}

int dwarf_index__build(const struct dwarf_index_request *request, struct string_pool *pool, struct index_parts *parts)
{
    _cleanup_(release) struct builder builder = {.request = request};
    _cleanup_(buf__release) struct buf map = {0};
    size_t units = request->dwarf->unit_count;
    builder.sink = (struct dwarf_sink){.elf = request->elf, .base = parts->base, .pool = pool};
    builder.wanted = calloc(units + 1, sizeof(*builder.wanted));
    builder.has_ranges = calloc(units + 1, sizeof(*builder.has_ranges));
    if (!builder.wanted || !builder.has_ranges)
        return -ENOMEM;
    int err = map_units(&builder);
    if (!err)
        err = range__flatten((struct layer *)builder.layers.data, builder.layers.length_bytes / sizeof(struct layer),
                             &map);
    if (err)
        return err;
    want_units(&builder, &map);
    err = build_units(&builder, parts);
    if (!err && request->ahead->sink.elf)
        err = dwarf_sink__append(&builder.sink, &request->ahead->sink);
    if (!err)
        err = dwarf_sink__finish(&builder.sink, parts);
    if (!err)
        write_map(&builder, &map, &parts->units);
    return err;
}
