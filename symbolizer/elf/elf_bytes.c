#include "symbolizer/elf/elf_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/system/file_bytes.h"
#include "symbolizer/elf/inflate.h"

int elf_bytes__read_at(const struct elf_file *file, uint64_t offset, void *bytes, size_t length)
{
    if (offset > file->file_bytes || length > file->file_bytes - offset)
        return -EBADMSG;
    if (file->memory) {
        memcpy(bytes, file->memory + offset, length);
        return 0;
    }
    return file_bytes__read(file->fd, offset, bytes, length);
}

int elf_bytes__read_new(const struct elf_file *file, uint64_t offset, size_t length, uint8_t **ret_bytes)
{
    if (length > LIMIT_SECTION_BYTES)
        return -E2BIG;
    if (offset > file->file_bytes || length > file->file_bytes - offset)
        return -EBADMSG;
    _cleanup_free_ uint8_t *bytes = inflate__memory(length);
    if (!bytes)
        return -ENOMEM;
    int err = elf_bytes__read_at(file, offset, bytes, length);
    if (err)
        return err;
    bytes[length] = 0; // string tables end, whatever they hold
    *ret_bytes = take_pointer(bytes);
    return 0;
}

int elf_bytes__reserve(struct elf_file *file, size_t section_count)
{
    file->sections = calloc(section_count + 1, sizeof(*file->sections));
    file->loaded = calloc(section_count + 1, sizeof(*file->loaded));
    file->loaded_bytes = calloc(section_count + 1, sizeof(*file->loaded_bytes));
    return file->sections && file->loaded && file->loaded_bytes ? 0 : -ENOMEM;
}
