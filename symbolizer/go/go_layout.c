#include "symbolizer/go/go_layout.h"

#include <string.h>

#include "store/base/limits.h"

const char *go_table__string(const struct go_table *table, uint64_t base, uint64_t offset)
{
    if (offset > table->data.length_bytes)
        return "";
    struct byte_reader reader = dwarf_reader__over(table->data, base + offset);
    return byte_reader__string(&reader);
}

struct go_steps go_steps__of(const struct go_table *table, uint64_t program, uint64_t start)
{
    uint64_t at = program == 0 || program > table->data.length_bytes ? UINT64_MAX : table->programs + program;
    return (struct go_steps){.reader = dwarf_reader__over(table->data, at), .address = start, .value = -1};
}

bool go_steps__next(const struct go_table *table, struct go_steps *steps)
{
    uint64_t change = byte_reader__uleb(&steps->reader);
    if (steps->reader.failed || (change == 0 && steps->has_begun))
        return false;
    steps->has_begun = true;
    steps->value += (int32_t)((uint32_t)(change >> 1) ^ (0u - (uint32_t)(change & 1)));
    steps->address += byte_reader__uleb(&steps->reader) * table->quantum;
    return !steps->reader.failed;
}

uint32_t go_table__path(const struct go_table *table, const struct go_function *function, int64_t file)
{
    if (file < 0 || file > UINT32_MAX)
        return 0;
    uint64_t place = (function->unit + (uint64_t)file) * 4;
    if (place > table->data.length_bytes)
        return 0;
    struct byte_reader reader = dwarf_reader__over(table->data, table->units + place);
    uint64_t offset = byte_reader__fixed(&reader, 4);
    const char *path = reader.failed || offset == UINT32_MAX ? "" : go_table__string(table, table->files, offset);
    return string_pool__add(table->sink->pool, path, strnlen(path, LIMIT_SOURCE_PATH_BYTES));
}
