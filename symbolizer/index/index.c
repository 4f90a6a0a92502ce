#include "symbolizer/index/index.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

const size_t index__item_bytes[INDEX_TABLES] = {
    [INDEX_SEGMENTS] = sizeof(struct index_segment),
    [INDEX_UNITS] = sizeof(struct range),
    [INDEX_SYMBOLS] = sizeof(struct range),
    [INDEX_ROWS] = sizeof(struct index_row),
    [INDEX_SCOPES] = sizeof(struct index_scope),
    [INDEX_SYMBOL_PAGES] = sizeof(uint32_t),
    [INDEX_ROW_PAGES] = sizeof(uint32_t),
    [INDEX_STRINGS] = 1,
};

#define FORGET_BYTES (1u << 20)

void index__forget(bool is_mapped, const uint8_t *start, const uint8_t *end)
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
    index__forget(progress->is_mapped, progress->start, at);
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

uint64_t index__checksum(const struct index_header *header, size_t length_bytes, bool is_mapped)
{
    struct index_header plain = *header;
    plain.checksum = 0;
    return checksum((const uint8_t *)&plain, sizeof(plain), false) ^
           checksum((const uint8_t *)(header + 1), length_bytes - sizeof(*header), is_mapped);
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
        if (at->offset_bytes % INDEX_ALIGNMENT || at->offset_bytes < sizeof(*header) ||
            at->offset_bytes > length_bytes || at->count > (length_bytes - at->offset_bytes) / index__item_bytes[i] ||
            at->count > UINT32_MAX)
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

static bool rows_are_sound(const struct index_row *rows, size_t count, uint64_t scope_count, uint64_t string_bytes,
                           bool is_mapped)
{
    struct progress progress = {is_mapped, (const uint8_t *)rows};
    for (size_t i = 0; i < count; i++) {
        if (rows[i].file >= string_bytes || (rows[i].scope >= scope_count && rows[i].scope != INDEX_NONE) ||
            (i > 0 && rows[i].start <= rows[i - 1].start))
            return false;
        seen_to(&progress, &rows[i]);
    }
    return true;
}

// A look-up believes the pages: every one must say where its items begin, and the last one how many there are.
static bool pages_are_sound(const uint32_t *pages, size_t page_count, uint32_t shift, const void *items,
                            size_t item_bytes, size_t count, bool is_mapped)
{
    struct progress progress = {is_mapped, items}, page_progress = {is_mapped, (const uint8_t *)pages};
    size_t page = 0;
    if (count == 0)
        return page_count == 0;
    if (shift > 31)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *item = (const uint8_t *)items + i * item_bytes;
        uint32_t start;
        memcpy(&start, item, sizeof(start));
        for (; page <= start >> shift; page++)
            if (page >= page_count || pages[page] != i)
                return false;
        seen_to(&progress, item);
        seen_to(&page_progress, pages + page);
    }
    return page + 1 == page_count && pages[page] == count;
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
                          .rows = table(header, INDEX_ROWS),
                          .scopes = table(header, INDEX_SCOPES),
                          .symbol_pages = table(header, INDEX_SYMBOL_PAGES),
                          .row_pages = table(header, INDEX_ROW_PAGES),
                          .strings = table(header, INDEX_STRINGS)};
    if ((how & INDEX_CHECKSUM) && header->checksum != index__checksum(header, length_bytes, is_mapped))
        return -EBADMSG;
    uint64_t string_bytes = count_of(&index, INDEX_STRINGS), scope_count = count_of(&index, INDEX_SCOPES);
    size_t symbol_count = count_of(&index, INDEX_SYMBOLS), row_count = count_of(&index, INDEX_ROWS);
    if (string_bytes == 0 || index.strings[0] || index.strings[string_bytes - 1] ||
        !ranges_are_sound(index.units, count_of(&index, INDEX_UNITS), 2, is_mapped) ||
        !ranges_are_sound(index.symbols, symbol_count, string_bytes, is_mapped) ||
        !rows_are_sound(index.rows, row_count, scope_count, string_bytes, is_mapped) ||
        !scopes_are_sound(index.scopes, scope_count, string_bytes, is_mapped) ||
        !pages_are_sound(index.symbol_pages, count_of(&index, INDEX_SYMBOL_PAGES), header->symbol_page_shift,
                         index.symbols, sizeof(*index.symbols), symbol_count, is_mapped) ||
        !pages_are_sound(index.row_pages, count_of(&index, INDEX_ROW_PAGES), header->row_page_shift, index.rows,
                         sizeof(*index.rows), row_count, is_mapped))
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

// The number of items that start at or before the address. Without branches: which way a step goes is a coin's toss.
static inline size_t count_to(const uint32_t *pages, size_t page_count, uint32_t shift, const void *items,
                              size_t item_bytes, uint32_t address)
{
    if (page_count == 0)
        return 0;
    uint32_t page = address >> shift;
    if (page >= page_count - 1)
        return pages[page_count - 1];
    size_t low = pages[page], left = pages[page + 1] - low;
    while (left > 0) {
        size_t half = (left + 1) / 2;
        uint32_t start;
        memcpy(&start, (const uint8_t *)items + (low + half - 1) * item_bytes, sizeof(start));
        low += start <= address ? half : 0;
        left -= half;
    }
    return low;
}

static const struct index_row *find_row(const struct index *index, uint32_t address)
{
    size_t count = count_to(index->row_pages, count_of(index, INDEX_ROW_PAGES), index->header->row_page_shift,
                            index->rows, sizeof(*index->rows), address);
    return count > 0 ? &index->rows[count - 1] : NULL;
}

static const struct range *find_symbol(const struct index *index, uint32_t address)
{
    size_t count = count_to(index->symbol_pages, count_of(index, INDEX_SYMBOL_PAGES), index->header->symbol_page_shift,
                            index->symbols, sizeof(*index->symbols), address);
    return count > 0 && address < index->symbols[count - 1].end ? &index->symbols[count - 1] : NULL;
}

// Fills the chain from the scopes; where it is too deep the innermost are left out. The outermost has the symbol
// table's name where DWARF has none, or only a bare one.
static size_t walk_scopes(const struct index *index, const struct index_row *row, uint32_t address, bool no_inline,
                          struct index_frame chain[LIMIT_CHAIN])
{
    uint32_t file = row->file, line = row->line;
    const struct index_scope *scope = &index->scopes[row->scope];
    size_t length = 0;
    for (;; scope = &index->scopes[scope->parent]) {
        bool is_outermost = scope->parent == INDEX_NONE;
        if (length == LIMIT_CHAIN) {
            memmove(chain, chain + 1, (LIMIT_CHAIN - 1) * sizeof(*chain));
            length--;
        }
        if (!no_inline || is_outermost)
            chain[length++] = (struct index_frame){scope->name, file, line};
        if (is_outermost)
            break;
        if (!no_inline) { // else the line stays that of the address
            file = scope->call_file;
            line = scope->call_line;
        }
    }
    const struct range *symbol =
        !scope->name || (scope->call_line & INDEX_SCOPE_BARE) ? find_symbol(index, address) : NULL;
    if (symbol)
        chain[length - 1].function = symbol->value;
    return length;
}

enum index_answer index__find(const struct index *index, uint64_t file_offset, bool no_inline,
                              struct index_frame ret_chain[LIMIT_CHAIN], size_t *ret_length)
{
    uint32_t address;
    *ret_length = 0;
    if (!translate(index, file_offset, &address))
        return INDEX_ANSWER_NONE;
    // Each search costs cache misses: the table of symbols is only asked when the rows do not suffice.
    const struct index_row *row = find_row(index, address);
    if (row && row->scope != INDEX_NONE) {
        *ret_length = walk_scopes(index, row, address, no_inline, ret_chain);
        return INDEX_ANSWER_DWARF;
    }
    bool has_line = row && row->file;
    const struct range *symbol = find_symbol(index, address);
    const struct range *unit = range__find(index->units, count_of(index, INDEX_UNITS), address);
    if (symbol || has_line) {
        ret_chain[0] =
            (struct index_frame){symbol ? symbol->value : 0, has_line ? row->file : 0, has_line ? row->line : 0};
        *ret_length = 1;
    }
    if (unit && !unit->value)
        return INDEX_ANSWER_NOT_HERE;
    return *ret_length == 0 ? INDEX_ANSWER_NONE : has_line ? INDEX_ANSWER_DWARF : INDEX_ANSWER_SYMBOL;
}
