#include "symbolizer/symbols/trampolines.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

// The code of a libc, or of a small static program; at 1 GB/s that is a few milliseconds. What is larger and stripped
// takes its signals by a libc of its own.
#define SEARCH_BYTES (4u << 20)

static const struct {
    const char *name;
    uint8_t code[12];
    uint8_t code_bytes; // of `code`
    uint8_t bytes;      // of the whole
} trampolines[] = {
    // mov $15, %rax (rt_sigreturn); syscall: glibc's, musl's and Go's, what gdb knows a signal frame by, too
    {"__restore_rt", {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, 9, 9},
    // mov %rbx, %rsp; mov (%rsp), %rdi; test %rdi, %rdi; je (sysdeps/unix/sysv/linux/x86_64/__start_context.S)
    {"__start_context", {0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3c, 0x24, 0x48, 0x85, 0xff, 0x74}, 11, 26},
};

int trampolines__add(struct elf_file *file, struct symbol_table *table)
{
    const struct elf_section *text = elf_file__find(file, ".text");
    const struct elf_section *symtab = elf_file__find_type(file, SHT_SYMTAB);
    struct elf_data data;
    if (!text || text->bytes > SEARCH_BYTES || elf_file__machine(file) != EM_X86_64 || (symtab && symtab->bytes > 0))
        return -ENOENT;
    int err = elf_file__read(file, text, &data);
    const uint8_t *end = err ? NULL : data.bytes + data.length_bytes;
    for (size_t i = 0; i < sizeof(trampolines) / sizeof(trampolines[0]) && !err; i++) {
        const uint8_t *at = data.bytes;
        while (!err && (at = memmem(at, (size_t)(end - at), trampolines[i].code, trampolines[i].code_bytes))) {
            // From one byte before: see symbol_table.c
            err = symbol_table__add(table, text->address + (uint64_t)(at - data.bytes) - 1, 1u + trampolines[i].bytes,
                                    trampolines[i].name);
            at += trampolines[i].code_bytes;
        }
    }
    elf_file__forget(file, text);
    return err;
}
