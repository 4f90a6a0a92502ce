// Which file something was learned from. A build id does not say it: patchelf leaves it as it is in a file that is laid
// out anew, and anybody may write another program's into his own. So names, rows and places of a file are kept under
// its build id, its program headers and its owner: what one user's file says never serves another user's. A file
// without a build id is the one that its device, inode, size and time of change tell.
#ifndef HEARTH_SYMBOLIZER_ELF_FILE_IDENTITY_H
#define HEARTH_SYMBOLIZER_ELF_FILE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

struct file_identity {
    uint8_t build_id[20];
    size_t build_id_bytes; // 0: it has none
    uint64_t digest;       // of program headers and owner, without a build id of the file itself; never 0
};

// Of an opened file; UINT64_MAX: not known.
uint64_t file_identity__owner(int fd);

// -EBADMSG: no ELF file.
int file_identity__read(int fd, struct file_identity *ret_identity);

#endif
