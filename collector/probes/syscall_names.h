// The names of the system calls of this processor, as libseccomp knows them.
#ifndef HEARTH_COLLECTOR_PROBES_SYSCALL_NAMES_H
#define HEARTH_COLLECTOR_PROBES_SYSCALL_NAMES_H

#include <stddef.h>
#include <stdint.h>

// -ENOENT: no such system call.
int syscall_name__find(const char *name, uint32_t *ret_number);
// "openat"; "syscall_467" for one that is newer than libseccomp.
void syscall_name__of(uint32_t number, char *ret_name, size_t bytes);

#endif
