// The versions of the symbols that a library exports: memcpy@GLIBC_2.2.5 for programs linked long ago,
// memcpy@@GLIBC_2.14 for those linked now.
#ifndef HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_VERSIONS_H
#define HEARTH_SYMBOLIZER_SYMBOLS_SYMBOL_VERSIONS_H

#include "symbolizer/elf/elf_file.h"

#define SYMBOL_VERSIONS_MAX 0x8000 // a version's number has 15 bits

struct symbol_versions { // of a file's .dynsym; what it points to belongs to the file
    struct elf_data numbers;
    const char **names; // of the versions by their numbers; NULL: there are none
};

// A file without versions: 0, and no symbol has one.
int symbol_versions__open(struct elf_file *file, struct symbol_versions *ret_versions);
void symbol_versions__release(struct symbol_versions *versions);

// Of symbol `index` of .dynsym: "@GLIBC_2.2.5" or, the one that programs are linked with now, "@@GLIBC_2.14"; "": none.
void symbol_versions__of(const struct symbol_versions *versions, size_t index, char *ret_text, size_t bytes);

#endif
