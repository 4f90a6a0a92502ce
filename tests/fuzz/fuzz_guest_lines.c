// Any bytes as the table of lines of an interpreted function: the search ends, within the table.
#include <stdlib.h>
#include <string.h>

#include "bpf/wire/guest.h"
#include "symbolizer/guests/guest_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint8_t *table = malloc(bytes + 1); // of its own size, for the sanitizer
    struct guest_place asked = {.kind = WIRE_GUEST_CPYTHON, .version = 0x030b, .first_line = 1};
    if (!table)
        return 0;
    memcpy(table, data, bytes);
    asked.table_bytes = (uint32_t)bytes;
    for (asked.place = 0; asked.place < 4096; asked.place = asked.place * 2 + 1)
        guest_lines__find(&asked, table);
    free(table);
    return 0;
}
