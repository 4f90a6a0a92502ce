#include "symbolizer/companions/debug_files.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "symbolizer/elf/dwarf_reader.h"

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

// .debug_sup (DWARF 5, section 7.3.6): version, whether it is the supplementary file, that one's name, its checksum.
static int read_supplement(struct elf_file *file, bool is_supplementary, struct companion *companion)
{
    const struct elf_section *section = elf_file__find(file, ".debug_sup");
    struct elf_data data;
    if (!section || elf_file__read(file, section, &data) != 0)
        return -ENOENT;
    struct byte_reader reader = dwarf_reader__over(data, 0);
    uint64_t version = byte_reader__fixed(&reader, 2);
    bool flag = byte_reader__u8(&reader) != 0;
    const char *name = byte_reader__string(&reader);
    uint64_t bytes = byte_reader__uleb(&reader);
    if (version != 5 || flag != is_supplementary || bytes == 0 || bytes > sizeof(companion->build_id) ||
        strlen(name) >= sizeof(companion->name))
        return -EBADMSG;
    memset(companion->build_id, 0, sizeof(companion->build_id));
    for (uint64_t i = 0; i < bytes; i++)
        companion->build_id[i] = byte_reader__u8(&reader);
    memcpy(companion->name, name, strlen(name) + 1);
    companion->build_id_bytes = (uint32_t)bytes;
    return reader.failed ? -EBADMSG : 0;
}

// A file's id: its build id or, in DWARF 5's supplementary files, the checksum.
static bool has_id(struct elf_file *file, const struct companion *companion)
{
    struct companion own = {0};
    size_t bytes;
    if (elf_file__build_id(file, own.build_id, &bytes) == 0 && bytes == companion->build_id_bytes &&
        memcmp(own.build_id, companion->build_id, sizeof(own.build_id)) == 0)
        return true;
    return companion->kind == COMPANION_ALTERNATE && read_supplement(file, true, &own) == 0 &&
           own.build_id_bytes == companion->build_id_bytes &&
           memcmp(own.build_id, companion->build_id, sizeof(own.build_id)) == 0;
}

bool debug_file__is(int fd, const struct companion *companion)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    bool is_known_by_id = companion->kind == COMPANION_DEBUG_BY_ID || companion->kind == COMPANION_ALTERNATE;
    return elf_file__open(fd, ELF_BOUNDED, &file) == 0 && (!is_known_by_id || has_id(file, companion));
}

// The companion is read as `binary` is: by libelf in the worker alone.
static int open_file(const struct companion_opener *companions, const struct elf_file *binary,
                     const struct companion *companion, const uint32_t *crc, struct debug_file *ret_file)
{
    _cleanup_(debug_file__release) struct debug_file file = {.fd = -1};
    uint32_t real_crc;
    int err = companions->open(companions->context, companion, &file.fd);
    if (err)
        return err;
    if (crc && (crc_of(file.fd, &real_crc) != 0 || real_crc != *crc))
        return -ESTALE;
    err = elf_file__open(file.fd, elf_file__reader(binary), &file.elf);
    if (err)
        return err;
    if (!crc && !has_id(file.elf, companion))
        return -ESTALE;
    *ret_file = file;
    file = (struct debug_file){.fd = -1};
    return 0;
}

static int find_by_link(const struct companion_opener *companions, struct elf_file *binary, struct debug_file *ret_file)
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
    return open_file(companions, binary, &companion, &crc, ret_file);
}

int debug_file__find(const struct companion_opener *companions, struct elf_file *binary, struct debug_file *ret_file)
{
    struct companion by_id = {.kind = COMPANION_DEBUG_BY_ID};
    size_t bytes;
    if (elf_file__build_id(binary, by_id.build_id, &bytes) == 0) {
        by_id.build_id_bytes = (uint32_t)bytes;
        if (open_file(companions, binary, &by_id, NULL, ret_file) == 0)
            return 0;
    }
    return find_by_link(companions, binary, ret_file);
}

int debug_file__find_alternate(const struct companion_opener *companions, struct elf_file *file,
                               struct debug_file *ret_file)
{
    struct companion companion = {.kind = COMPANION_ALTERNATE};
    struct elf_data rest;
    if (read_supplement(file, false, &companion) == 0)
        return open_file(companions, file, &companion, NULL, ret_file);
    int err = read_link(file, ".gnu_debugaltlink", &companion, &rest);
    if (err)
        return err;
    if (rest.length_bytes == 0 || rest.length_bytes > sizeof(companion.build_id))
        return -EBADMSG;
    memcpy(companion.build_id, rest.bytes, rest.length_bytes);
    companion.build_id_bytes = (uint32_t)rest.length_bytes;
    return open_file(companions, file, &companion, NULL, ret_file);
}
