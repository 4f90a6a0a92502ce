#include "collector/probes/syscall_names.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

int syscall_name__find(const char *name, uint32_t *ret_number)
{
    int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name);
    unsigned plain;
    if (number < 0 && sscanf(name, "syscall_%u", &plain) == 1)
        number = (int)plain;
    if (number < 0) // a call of other processors has a number below 0
        return -ENOENT;
    *ret_number = (uint32_t)number;
    return 0;
}

void syscall_name__of(uint32_t number, char *ret_name, size_t bytes)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
    if (name)
        snprintf(ret_name, bytes, "%s", name);
    else
        snprintf(ret_name, bytes, "syscall_%u", number);
    free(name);
}
