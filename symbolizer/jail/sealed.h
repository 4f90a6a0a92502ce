// Bytes handed to another process in a memfd that nobody can change any more.
#ifndef HEARTH_SYMBOLIZER_JAIL_SEALED_H
#define HEARTH_SYMBOLIZER_JAIL_SEALED_H

#include <stddef.h>

int sealed__make(const char *name, const void *bytes, size_t length_bytes, int *ret_fd);

// Maps one that came from somebody else, read-only. -EPERM: it is not sealed; -E2BIG: above `limit_bytes`. Unmap with
// munmap; *ret_bytes is NULL when it is empty.
int sealed__map(int fd, size_t limit_bytes, void **ret_bytes, size_t *ret_length);

#endif
