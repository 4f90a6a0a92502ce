// Any bytes as an index: what passes the check is searched within its bounds, and the search ends.
#include <stdlib.h>
#include <string.h>

#include "symbolizer/index/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct index index;
    struct index_frame chain[LIMIT_CHAIN];
    size_t length, seen = 0;
    uint8_t *copy = malloc(bytes + 1); // aligned as a mapping is
    if (!copy)
        return 0;
    memcpy(copy, data, bytes);
    if (index__check(copy, bytes, 0, &index) == 0)
        for (uint64_t offset = 0; offset < 1u << 14; offset += 13) {
            index__find(&index, offset, offset % 2, chain, &length);
            for (size_t i = 0; i < length; i++)
                seen += strlen(index.strings + chain[i].function) + strlen(index.strings + chain[i].file);
        }
    if (seen > (1u << 14) * LIMIT_CHAIN * 2 * (bytes + 1)) // strings end within the bytes
        abort();
    free(copy);
    return 0;
}
