#include "symbolizer/elf/elf_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "symbolizer/elf/inflate.h"

int elf_bytes__read_at(const struct elf_file *file, uint64_t offset, void *bytes, size_t length)
{
    if (offset > file->file_bytes || length > file->file_bytes - offset)
        return -EBADMSG;
    if (file->memory) {
        memcpy(bytes, file->memory + offset, length);
        return 0;
    }
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(file->fd, (uint8_t *)bytes + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EBADMSG; // cut meanwhile
        done += (size_t)got;
    }
    return 0;
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
