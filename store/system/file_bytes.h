// Reads and writes of a descriptor that end when all the bytes are there: the kernel may take several calls for them.
#ifndef HEARTH_STORE_SYSTEM_FILE_BYTES_H
#define HEARTH_STORE_SYSTEM_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

// pread(). -EBADMSG: the file ends before them, or was cut meanwhile.
int file_bytes__read(int fd, uint64_t offset, void *bytes, size_t length);
// write().
int file_bytes__write(int fd, const void *bytes, size_t length);

#endif
