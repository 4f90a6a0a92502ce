#include "symbolizer/debug_files.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

void debug_file__release(struct debug_file *file)
{
    elf_file__free(file->elf);
    file->elf = NULL;
    fd__close(&file->fd);
    file->fd = -1;
}

bool debug_file__has(const struct elf_file *file, const char *name)
{
    const struct elf_section *section = elf_file__find(file, name);
    return section && section->type != SHT_NOBITS && section->bytes > 0;
}

static int crc_of(int fd, uint32_t *ret_crc)
{
    uint8_t block[64 << 10];
    uint32_t crc = 0;
    for (off_t at = 0;;) {
        ssize_t got = pread(fd, block, sizeof(block), at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        crc = (uint32_t)crc32(crc, block, (uInt)got);
        at += got;
    }
    *ret_crc = crc;
    return 0;
}

// A file's name and what follows it: a CRC, padded to 4 bytes, or a build id.
static int read_link(struct elf_file *file, const char *name, struct companion *companion, struct elf_data *ret_rest)
{
    const struct elf_section *section = elf_file__find(file, name);
    struct elf_data data;
    if (!section || elf_file__read(file, section, &data) != 0)
        return -ENOENT;
    size_t length = strnlen((const char *)data.bytes, data.length_bytes);
    if (length == 0 || length >= sizeof(companion->name) || length == data.length_bytes)
        return -EBADMSG;
    memcpy(companion->name, data.bytes, length);
    *ret_rest = (struct elf_data){data.bytes + length + 1, data.length_bytes - length - 1};
    return 0;
}

static int open_file(const struct naming_request *request, const struct companion *companion, const uint32_t *crc,
                     struct debug_file *ret_file)
{
    _cleanup_(debug_file__release) struct debug_file file = {.fd = -1};
    uint8_t build_id[20];
    size_t bytes;
    uint32_t real_crc;
    int err = request->open_companion(request->context, companion, &file.fd);
    if (err)
        return err;
    if (crc && (crc_of(file.fd, &real_crc) != 0 || real_crc != *crc))
        return -ESTALE;
    err = elf_file__open(file.fd, &file.elf);
    if (err)
        return err;
    if (!crc && (elf_file__build_id(file.elf, build_id, &bytes) != 0 || bytes != companion->build_id_bytes ||
                 memcmp(build_id, companion->build_id, 20) != 0))
        return -ESTALE;
    *ret_file = file;
    file = (struct debug_file){.fd = -1};
    return 0;
}

static int find_by_link(const struct naming_request *request, struct elf_file *binary, struct debug_file *ret_file)
{
    struct companion companion = {.kind = COMPANION_DEBUG_BY_LINK};
    struct elf_data rest;
    uint32_t crc;
    int err = read_link(binary, ".gnu_debuglink", &companion, &rest);
    if (err)
        return err;
    size_t padding = 3 - strlen(companion.name) % 4;
    if (strchr(companion.name, '/') || rest.length_bytes < padding + sizeof(crc))
        return -EBADMSG;
    memcpy(&crc, rest.bytes + padding, sizeof(crc));
    return open_file(request, &companion, &crc, ret_file);
}

int debug_file__find(const struct naming_request *request, struct elf_file *binary, struct debug_file *ret_file)
{
    struct companion by_id = {.kind = COMPANION_DEBUG_BY_ID};
    size_t bytes;
    if (elf_file__build_id(binary, by_id.build_id, &bytes) == 0) {
        by_id.build_id_bytes = (uint32_t)bytes;
        if (open_file(request, &by_id, NULL, ret_file) == 0)
            return 0;
    }
    return find_by_link(request, binary, ret_file);
}

int debug_file__find_alternate(const struct naming_request *request, struct elf_file *file, struct debug_file *ret_file)
{
    struct companion companion = {.kind = COMPANION_ALTERNATE};
    struct elf_data rest;
    int err = read_link(file, ".gnu_debugaltlink", &companion, &rest);
    if (err)
        return err;
    if (rest.length_bytes == 0 || rest.length_bytes > sizeof(companion.build_id))
        return -EBADMSG;
    memcpy(companion.build_id, rest.bytes, rest.length_bytes);
    companion.build_id_bytes = (uint32_t)rest.length_bytes;
    return open_file(request, &companion, NULL, ret_file);
}
