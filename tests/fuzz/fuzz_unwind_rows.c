// Any bytes as an ELF file: compiling it to unwind rows ends, and what it makes is sound.
#include <stdlib.h>

#include "symbolizer/unwind/unwind_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct unwind_table *table;
    if (unwind_table__compile_memory(data, bytes, NULL, &table) != 0)
        return 0;
    if (unwind_table__check(table) != 0)
        abort();
    unwind_table__free(table);
    return 0;
}
