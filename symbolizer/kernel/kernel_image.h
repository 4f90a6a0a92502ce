// The kernel's own debug information: a vmlinux with DWARF, where a package of the distribution has put it, gives lines
// and inlined chains to kernel frames. Only the one that is running: its build id must be that of /sys/kernel/notes.
#ifndef HEARTH_SYMBOLIZER_KERNEL_KERNEL_IMAGE_H
#define HEARTH_SYMBOLIZER_KERNEL_KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct kernel_image {
    int fd;
    uint64_t text_address;     // of its first code, before the kernel was moved
    uint64_t text_file_offset; // of the same
    uint64_t text_bytes;
    uint8_t build_id[20];
    size_t build_id_bytes;
};

// `root` stands before the paths; "" is the machine's. -ENOENT: there is none of the running kernel.
int kernel_image__open(const char *root, struct kernel_image *ret_image);

#endif
