// Any bytes as a name: demangling ends, and what is shown holds no control character and is not cut inside an escape.
#include <stdlib.h>
#include <string.h>

#include "symbolizer/symbols/symbol_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void show(const char *name)
{
    char out[256];
    size_t length = symbol_name__escape(name, out, sizeof(out));
    if (length != strlen(out) || length >= sizeof(out))
        abort();
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *shown, *name = malloc(bytes + 1);
    if (!name)
        return 0;
    memcpy(name, data, bytes);
    name[bytes] = '\0';
    show(name);
    if (symbol_name__demangle(name, &shown) == 0) {
        show(shown);
        free(shown);
    }
    free(name);
    return 0;
}
