// The FILE of a probe: found as the shell finds programs and the loader finds libraries, or as a process has mapped it.
//
//   ./prog, /usr/bin/node   a path; an absolute one is looked up in the mount namespace of the process, if there is one
//   libc, libc.so.6         a library: what the process maps, else what ld.so.cache says, else the usual folders
//   node                    a program: the process's own, else $PATH
#ifndef HEARTH_COLLECTOR_PROBES_PROBE_FILE_H
#define HEARTH_COLLECTOR_PROBES_PROBE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/symbols/function_list.h"

struct probe_file {
    char path[PATH_MAX]; // for words
    uint32_t pid;        // whose file system the path belongs to; 0: ours
    int fd;              // to be read; may be a copy (foreign_file.h)
    int place_fd;        // the file itself, for probes
    struct elf_file *elf;
};

#define PROBE_FILE_NONE ((struct probe_file){.fd = -1, .place_fd = -1})

// Whether it is a regular file that can be read.
bool probe_file__is_there(const char *path, uint32_t pid);
// pid 0: no process. A file that is not there, or that no probe can be put into (no ELF file of this machine, a 32-bit
// one): an error with a fault.
int probe_file__open(const char *name, uint32_t pid, struct fault *fault, struct probe_file *ret_file);

// Its functions by a pattern (see function_list.h): those the file names itself, and where it is stripped those that
// its debug file (by build id or .gnu_debuglink) or its MiniDebugInfo names; is_stripped stays set where there is
// neither.
int probe_file__functions(const struct probe_file *file, const char *pattern, struct function_list *list);

void probe_file__release(struct probe_file *file);

#endif
