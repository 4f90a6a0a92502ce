// The mappings of a live process, as the kernel prints them in /proc/PID/maps:
//
//   7f1c2a600000-7f1c2a7b3000 r-xp 00028000 fd:01 1835094    /usr/lib/x86_64-linux-gnu/libc.so.6
#ifndef HEARTH_STORE_SYSTEM_PROC_MAPS_H
#define HEARTH_STORE_SYSTEM_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_mapping {
    uint64_t start, end;
    uint64_t file_offset;
    uint64_t inode;  // 0: no file
    uint32_t device; // major << 20 | minor
    bool is_executable;
    char *path; // of the call; "" anonymous; "[vdso]"; "/tmp/x.so (deleted)"
};

// A value other than 0 ends the reading.
typedef int proc_mapping_fn(const struct proc_mapping *mapping, void *context);

// Each mapping, in the order of addresses. 0, or what `take` returned; -ENOENT: no such process; -ESRCH: it ended
// meanwhile. Cost: about 1 us a mapping.
int proc_maps__each(pid_t pid, proc_mapping_fn *take, void *context);

// Cuts the " (deleted)" off that the kernel appends to the path of a file without a name.
void proc_maps__cut_deleted(char *path);

#endif
