// The files a binary's debug information was moved into: its separate debug file, and dwz's alternate file.
#ifndef HEARTH_SYMBOLIZER_COMPANIONS_DEBUG_FILES_H
#define HEARTH_SYMBOLIZER_COMPANIONS_DEBUG_FILES_H

#include "symbolizer/companions/companion.h"
#include "symbolizer/elf/elf_file.h"

struct debug_file {
    int fd;
    struct elf_file *elf; // NULL: there is none
};

void debug_file__release(struct debug_file *file);
bool debug_file__has(const struct elf_file *file, const char *section);
// Whether an opened file can be what was asked for: an ELF file, and of the id where the companion is known by one.
bool debug_file__is(int fd, const struct companion *companion);

// The debug file of a binary, by its build id, or by .gnu_debuglink and its CRC. -ENOENT; -ESTALE: of another build.
int debug_file__find(const struct companion_opener *companions, struct elf_file *binary, struct debug_file *ret_file);
// The alternate file that `file` names in .gnu_debugaltlink.
int debug_file__find_alternate(const struct companion_opener *companions, struct elf_file *file,
                               struct debug_file *ret_file);

#endif
