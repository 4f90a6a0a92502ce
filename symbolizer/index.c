#include "symbolizer/index.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static const size_t item_bytes[INDEX_TABLES] = {
    [INDEX_SEGMENTS] = sizeof(struct index_segment),
    [INDEX_UNITS] = sizeof(struct range),
    [INDEX_SYMBOLS] = sizeof(struct range),
    [INDEX_RANGES] = sizeof(struct range),
    [INDEX_SCOPES] = sizeof(struct index_scope),
    [INDEX_LINES] = sizeof(struct index_line),
    [INDEX_STRINGS] = 1,
};

#define FORGET_BYTES (1u << 20)

// Gives pages of a mapping that were looked at back to the kernel, so that to check a large index does not make the
// process as large; they come again when they are touched.
static void forget(bool is_mapped, const uint8_t *start, const uint8_t *end)
{
    uintptr_t page = 4096, from = ((uintptr_t)start + page - 1) & ~(page - 1), to = (uintptr_t)end & ~(page - 1);
    if (is_mapped && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

// Counts what was looked at of a table, and forgets it bit by bit.
struct progress {
    bool is_mapped;
    const uint8_t *start;
};

static inline void seen_to(struct progress *progress, const void *at)
{
    if ((size_t)((const uint8_t *)at - progress->start) < FORGET_BYTES)
        return;
    forget(progress->is_mapped, progress->start, at);
    progress->start = at;
}

// Not against an adversary (the checker is), but against torn writes and failing disks.
static uint64_t checksum(const uint8_t *bytes, size_t length, bool is_mapped)
{
    struct progress progress = {is_mapped, bytes};
    uint64_t a = length, b = 0x9e3779b97f4a7c15u;
    for (; length >= 16; bytes += 16, length -= 16) {
        uint64_t word[2];
        memcpy(word, bytes, 16);
        a = (a ^ word[0]) * 0xff51afd7ed558ccdu;
        b = (b ^ word[1]) * 0xc4ceb9fe1a85ec53u;
        a ^= a >> 29;
        b ^= b >> 31;
        seen_to(&progress, bytes);
    }
    for (; length > 0; bytes++, length--)
        a = (a ^ *bytes) * 0x100000001b3u;
    return a ^ (b << 1);
}

static uint64_t checksum_of(const struct index_header *header, size_t length_bytes, bool is_mapped)
{
    struct index_header plain = *header;
    plain.checksum = 0;
    return checksum((const uint8_t *)&plain, sizeof(plain), false) ^
           checksum((const uint8_t *)(header + 1), length_bytes - sizeof(*header), is_mapped);
}

void index_parts__release(struct index_parts *parts)
{
    for (size_t i = 0; i < INDEX_TABLES; i++)
        buf__release(&parts->tables[i]);
}

static void pad(struct buf *out)
{
    while (out->length_bytes % 8 && !out->failed)
        buf__append_byte(out, 0);
}

int index__write(const struct index_parts *parts, struct buf *out)
{
    struct index_header header = {.version = INDEX_VERSION, .header_bytes = sizeof(header), .base = parts->base};
    memcpy(header.magic, INDEX_MAGIC, sizeof(header.magic));
    memcpy(header.build_id, parts->build_id, sizeof(header.build_id));
    header.build_id_bytes = (uint32_t)parts->build_id_bytes;
    header.complete = parts->complete;
    header.has_dwarf = parts->has_dwarf;
    buf__clear(out);
    buf__append(out, &header, sizeof(header));
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        if (parts->tables[i].failed)
            return -ENOMEM;
        pad(out);
        header.tables[i].offset_bytes = out->length_bytes;
        header.tables[i].count = parts->tables[i].length_bytes / item_bytes[i];
        buf__append(out, parts->tables[i].data, parts->tables[i].length_bytes);
    }
    pad(out);
    if (out->failed)
        return -ENOMEM;
    header.total_bytes = out->length_bytes;
    memcpy(out->data, &header, sizeof(header));
    header.checksum = checksum_of((const struct index_header *)out->data, out->length_bytes, false);
    memcpy(out->data, &header, sizeof(header));
    return 0;
}

static const void *table(const struct index_header *header, enum index_table_name name)
{
    return (const uint8_t *)header + header->tables[name].offset_bytes;
}

static size_t count_of(const struct index *index, enum index_table_name name)
{
    return index->header->tables[name].count;
}

static int check_header(const struct index_header *header, size_t length_bytes)
{
    if (length_bytes < sizeof(*header) || memcmp(header->magic, INDEX_MAGIC, sizeof(header->magic)) != 0)
        return -EBADMSG;
    if (header->version != INDEX_VERSION || header->header_bytes != sizeof(*header))
        return -EPROTONOSUPPORT;
    if (header->total_bytes != length_bytes || header->build_id_bytes > sizeof(header->build_id))
        return -EBADMSG;
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        const struct index_table *at = &header->tables[i];
        if (at->offset_bytes % 8 || at->offset_bytes < sizeof(*header) || at->offset_bytes > length_bytes ||
            at->count > (length_bytes - at->offset_bytes) / item_bytes[i] || at->count > UINT32_MAX)
            return -EBADMSG;
    }
    return 0;
}

static bool ranges_are_sound(const struct range *ranges, size_t count, uint64_t value_limit, bool is_mapped)
{
    struct progress progress = {is_mapped, (const uint8_t *)ranges};
    uint32_t end = 0;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].start < end || ranges[i].end <= ranges[i].start || ranges[i].value >= value_limit)
            return false;
        end = ranges[i].end;
        seen_to(&progress, &ranges[i]);
    }
    return true;
}

static bool scopes_are_sound(const struct index_scope *scopes, size_t count, uint64_t string_bytes, bool is_mapped)
{
    struct progress progress = {is_mapped, (const uint8_t *)scopes};
    for (size_t i = 0; i < count; i++) {
        if (scopes[i].name >= string_bytes || scopes[i].call_file >= string_bytes ||
            (scopes[i].parent != INDEX_NONE && scopes[i].parent >= i))
            return false;
        seen_to(&progress, &scopes[i]);
    }
    return true;
}

static bool lines_are_sound(const struct index_line *lines, size_t count, uint64_t string_bytes, bool is_mapped)
{
    struct progress progress = {is_mapped, (const uint8_t *)lines};
    for (size_t i = 0; i < count; i++) {
        if (lines[i].file >= string_bytes || (i > 0 && lines[i].start < lines[i - 1].start))
            return false;
        seen_to(&progress, &lines[i]);
    }
    return true;
}

int index__check(const void *bytes, size_t length_bytes, unsigned how, struct index *ret_index)
{
    bool is_mapped = how & INDEX_MAPPED;
    const struct index_header *header = bytes;
    int err = check_header(header, length_bytes);
    if (err)
        return err;
    struct index index = {.header = header,
                          .segments = table(header, INDEX_SEGMENTS),
                          .units = table(header, INDEX_UNITS),
                          .symbols = table(header, INDEX_SYMBOLS),
                          .ranges = table(header, INDEX_RANGES),
                          .scopes = table(header, INDEX_SCOPES),
                          .lines = table(header, INDEX_LINES),
                          .strings = table(header, INDEX_STRINGS)};
    if ((how & INDEX_CHECKSUM) && header->checksum != checksum_of(header, length_bytes, is_mapped))
        return -EBADMSG;
    uint64_t string_bytes = count_of(&index, INDEX_STRINGS);
    if (string_bytes == 0 || index.strings[0] || index.strings[string_bytes - 1] ||
        !ranges_are_sound(index.units, count_of(&index, INDEX_UNITS), 2, is_mapped) ||
        !ranges_are_sound(index.symbols, count_of(&index, INDEX_SYMBOLS), string_bytes, is_mapped) ||
        !ranges_are_sound(index.ranges, count_of(&index, INDEX_RANGES), count_of(&index, INDEX_SCOPES), is_mapped) ||
        !scopes_are_sound(index.scopes, count_of(&index, INDEX_SCOPES), string_bytes, is_mapped) ||
        !lines_are_sound(index.lines, count_of(&index, INDEX_LINES), string_bytes, is_mapped))
        return -EBADMSG;
    *ret_index = index;
    return 0;
}

static bool translate(const struct index *index, uint64_t file_offset, uint32_t *ret_address)
{
    for (size_t i = 0; i < count_of(index, INDEX_SEGMENTS); i++) {
        const struct index_segment *segment = &index->segments[i];
        if (file_offset < segment->file_offset || file_offset - segment->file_offset >= segment->bytes)
            continue;
        uint64_t relative = file_offset - segment->file_offset + segment->address - index->header->base;
        if (relative >= UINT32_MAX)
            return false;
        *ret_address = (uint32_t)relative;
        return true;
    }
    return false;
}

// The last line that begins at or before the address; of several with one start the last.
static const struct index_line *find_line(const struct index *index, uint32_t address)
{
    size_t low = 0, high = count_of(index, INDEX_LINES);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->lines[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &index->lines[low - 1] : NULL;
}

// Fills the chain from the scopes; where it is too deep the innermost are left out.
static size_t walk_scopes(const struct index *index, uint32_t scope, const struct index_line *line, bool no_inline,
                          struct index_frame chain[LIMIT_CHAIN])
{
    uint32_t file = line ? line->file : 0, number = line ? line->line : 0;
    size_t depth = 0;
    for (uint32_t at = scope; at != INDEX_NONE; at = index->scopes[at].parent)
        depth++;
    size_t skipped = depth > LIMIT_CHAIN ? depth - LIMIT_CHAIN : 0, length = 0;
    for (uint32_t at = scope; at != INDEX_NONE; at = index->scopes[at].parent) {
        const struct index_scope *s = &index->scopes[at];
        if (skipped > 0)
            skipped--;
        else if (!no_inline || s->parent == INDEX_NONE)
            chain[length++] = (struct index_frame){s->name, file, number};
        if (no_inline)
            continue; // the line stays that of the address
        file = s->call_file;
        number = s->call_line;
    }
    return length;
}

static const struct range *find_symbol(const struct index *index, uint32_t address)
{
    return range__find(index->symbols, count_of(index, INDEX_SYMBOLS), address);
}

// The function the code belongs to has the symbol table's name where DWARF has none, or only a bare one.
static void name_outermost(const struct index *index, uint32_t scope, uint32_t address, struct index_frame *outermost)
{
    while (index->scopes[scope].parent != INDEX_NONE)
        scope = index->scopes[scope].parent;
    if (outermost->function && !(index->scopes[scope].call_line & INDEX_SCOPE_BARE))
        return;
    const struct range *symbol = find_symbol(index, address);
    if (symbol)
        outermost->function = symbol->value;
}

enum index_answer index__find(const struct index *index, uint64_t file_offset, bool no_inline,
                              struct index_frame ret_chain[LIMIT_CHAIN], size_t *ret_length)
{
    uint32_t address;
    *ret_length = 0;
    if (!translate(index, file_offset, &address))
        return INDEX_ANSWER_NONE;
    // Each search costs cache misses: the table of symbols is only asked when the ranges do not suffice.
    const struct range *range = range__find(index->ranges, count_of(index, INDEX_RANGES), address);
    const struct index_line *line = find_line(index, address);
    if (line && !line->file)
        line = NULL;
    if (range) {
        *ret_length = walk_scopes(index, range->value, line, no_inline, ret_chain);
        name_outermost(index, range->value, address, &ret_chain[*ret_length - 1]);
        return INDEX_ANSWER_DWARF;
    }
    const struct range *symbol = find_symbol(index, address);
    const struct range *unit = range__find(index->units, count_of(index, INDEX_UNITS), address);
    if (symbol || line) {
        ret_chain[0] = (struct index_frame){symbol ? symbol->value : 0, line ? line->file : 0, line ? line->line : 0};
        *ret_length = 1;
    }
    if (unit && !unit->value)
        return INDEX_ANSWER_NOT_HERE;
    return *ret_length == 0 ? INDEX_ANSWER_NONE : line ? INDEX_ANSWER_DWARF : INDEX_ANSWER_SYMBOL;
}
