// Any bytes as a worker's answer of unwind rows: what passes the check can be searched, walked and renumbered.
#include <stdlib.h>
#include <string.h>

#include "symbolizer/unwind/unwind_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void take_row(uint64_t file_offset, const struct unwind_rule *rule, void *context)
{
    *(uint64_t *)context += file_offset + rule->kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    _cleanup_(unwind_table__freep) struct unwind_table *table = NULL;
    struct buf packed = {0};
    uint64_t sum = 0;
    if (unwind_table__unpack(data, bytes, &table) != 0)
        return 0;
    unwind_table__each(table, take_row, &sum);
    for (uint64_t offset = 0; offset < 1u << 20; offset += 4093)
        sum += unwind_table__find(table, offset).kind;
    uint16_t *numbers = calloc(table->rule_count, sizeof(*numbers));
    uint32_t *words = malloc(table->word_count * sizeof(*words));
    if (numbers && words)
        unwind_table__renumber(table, numbers, 0, table->word_count, words);
    free(numbers);
    free(words);
    if (unwind_table__pack(table, &packed) != 0 || packed.length_bytes != bytes ||
        memcmp(packed.data, data, bytes) != 0)
        abort();
    buf__release(&packed);
    return 0;
}
