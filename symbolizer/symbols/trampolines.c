#include "symbolizer/symbols/trampolines.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/arch/code_shapes.h"
#include "symbolizer/arch/elf_machine.h"

// The code of a libc, or of a small static program; at 1 GB/s that is a few milliseconds. A larger program that is
// stripped takes its signals by a libc of its own.
#define SEARCH_BYTES (4u << 20)

int trampolines__add(struct elf_file *file, struct symbol_table *table)
{
    const struct elf_section *text = elf_file__find(file, ".text");
    const struct elf_section *symtab = elf_file__find_type(file, SHT_SYMTAB);
    const struct code_shape *const shapes[] = {&code_signal_return, &code_context_start};
    struct elf_data data;
    if (!text || text->bytes > SEARCH_BYTES || elf_file__machine(file) != elf_machine__own()->number ||
        (symtab && symtab->bytes > 0))
        return -ENOENT;
    int err = elf_file__read(file, text, &data);
    const uint8_t *end = err ? NULL : data.bytes + data.length_bytes;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && !err; i++) {
        const uint8_t *at = data.bytes;
        while (!err && (at = memmem(at, (size_t)(end - at), shapes[i]->code, shapes[i]->code_bytes))) {
            // From one byte before: see symbol_table.c
            err = symbol_table__add(table, text->address + (uint64_t)(at - data.bytes) - 1, 1u + shapes[i]->bytes,
                                    shapes[i]->name);
            at += shapes[i]->code_bytes;
        }
    }
    elf_file__forget(file, text);
    return err;
}
