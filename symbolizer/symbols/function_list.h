// The functions of an ELF file by name, and where each begins in the file: what a probe is put on.
//
//   function_list__find(elf, "timed_*", &list);      glob over the names as they stand in the file, or demangled
//   list.rows[0] = {"timed_call", .address = 0x13f0, .file_offset = 0x13f0, .bytes = 120}
//
// Sorted by the place in the file; a function with several names that fit has a row for each (malloc, __libc_malloc).
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_FUNCTION_LIST_H
#define HEARTH_SYMBOLIZER_SYMBOLS_FUNCTION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/elf/elf_file.h"

struct function {
    char *name;
    uint64_t address;
    uint64_t file_offset;
    uint64_t bytes;
    bool is_resolver; // STT_GNU_IFUNC: what stands there only chooses the function, once, when the program is linked
};

struct function_list {
    struct function *rows;
    size_t count, capacity;
    bool is_stripped; // there is no .symtab: only what the file exports could be found
};

// Adds what fits the pattern (fnmatch; a name with none of *?[ stands for itself; with a version, as in
// memcpy@GLIBC_2.2.5, that one alone). None fits: 0 and no rows. `symbols`
// has the names and `file` the code: they differ when the names come from a separate debug file.
int function_list__find(struct function_list *list, struct elf_file *symbols, const struct elf_file *file,
                        const char *pattern);
void function_list__release(struct function_list *list);

// Where an address of the file's own stands in the file. -ENOENT: in no segment that holds code.
int function_list__file_offset(const struct elf_file *file, uint64_t address, uint64_t *ret_offset);

#endif
