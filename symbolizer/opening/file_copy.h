// A copy in memory of a file whose file system may wait (mount_table.h). The opener makes it (opener.h); a read of the
// copy never waits. The facts of the file that was copied stand in the name of the memfd:
//
//   /proc/self/fd/9 -> "/memfd:hearth-copy 46 2 14840 1700000000 0 1000 1702057286 (deleted)"
//                                device inode size changed_s changed_ns uid f_type
//
// Only the name of a sealed memfd of our own user is believed. A process of that user can make one and map it:
// opening.c gives out a copy of that, so that each such file that is given out was made here.
#ifndef HEARTH_SYMBOLIZER_OPENING_FILE_COPY_H
#define HEARTH_SYMBOLIZER_OPENING_FILE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

// Called after each block that was copied.
typedef void file_copy_fn(void *context);

// -EFBIG: larger than LIMIT_COPY_FILE_BYTES.
int file_copy__make(int fd, file_copy_fn *progress, void *context, int *ret_fd);

bool file_copy__is(int fd);

// fstat() and the file system's f_type. For a copy, device, inode, size, owner, time of change and f_type are those of
// the file that was copied.
int file_copy__stat(int fd, struct stat *ret_status, uint32_t *ret_type);

#endif
