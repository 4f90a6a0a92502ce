#include "symbolizer/elf/file_identity.h"

#include "store/base/hash.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/opening/file_copy.h"

#define FUSE_MAGIC 0x65735546 // FUSE_SUPER_MAGIC of linux/magic.h, as newer headers call it

// A FUSE server says of its files what it likes: there the mount stands for the owner.
uint64_t file_identity__owner(int fd)
{
    struct stat status;
    uint32_t type;
    if (file_copy__stat(fd, &status, &type) != 0)
        return UINT64_MAX;
    return type == FUSE_MAGIC ? hash__pair(1, status.st_dev) : status.st_uid;
}

static uint64_t add_segment(uint64_t digest, const struct elf_segment *segment)
{
    digest = hash__pair(digest, (uint64_t)segment->type << 32 | segment->flags);
    digest = hash__pair(digest, segment->file_offset);
    digest = hash__pair(digest, segment->address);
    return hash__pair(digest, hash__pair(segment->file_bytes, segment->memory_bytes));
}

// A file without a build id is known as this one file, as it was last changed: another one's program headers may be the
// same.
static uint64_t add_file(uint64_t digest, int fd)
{
    struct stat status;
    uint32_t type;
    if (file_copy__stat(fd, &status, &type) != 0)
        return digest;
    digest = hash__pair(hash__pair(digest, status.st_dev), status.st_ino);
    digest = hash__pair(hash__pair(digest, (uint64_t)status.st_size), (uint64_t)status.st_ctim.tv_sec);
    return hash__pair(digest, (uint64_t)status.st_ctim.tv_nsec);
}

int file_identity__read(int fd, struct file_identity *ret_identity)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    *ret_identity = (struct file_identity){0};
    int err = elf_file__open(fd, ELF_SEGMENTS, &file);
    if (err)
        return err;
    uint64_t digest = file_identity__owner(fd);
    for (size_t i = 0; i < elf_file__segment_count(file); i++)
        digest = add_segment(digest, elf_file__segment(file, i));
    if (elf_file__build_id(file, ret_identity->build_id, &ret_identity->build_id_bytes) != 0)
        ret_identity->build_id_bytes = 0;
    if (!ret_identity->build_id_bytes)
        digest = add_file(digest, fd);
    ret_identity->digest = digest ? digest : 1;
    return 0;
}
