// Any bytes as /proc/kallsyms.
#include <stdio.h>

#include "symbolizer/kernel/kernel_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const uint64_t addresses[] = {0, 1ull << 63, 0xffffffff81000000, 0xffffffff81000010, UINT64_MAX};
    struct kernel_symbols *symbols;
    char name[64];
    FILE *stream = bytes > 0 ? fmemopen((void *)data, bytes, "r") : NULL; // NOLINT: no descriptor
    if (!stream)
        return 0;
    if (kernel_symbols__read(stream, &symbols) == 0) {
        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
            kernel_symbols__find(symbols, addresses[i], name, sizeof(name));
        kernel_symbols__free(symbols);
    }
    fclose(stream);
    return 0;
}
