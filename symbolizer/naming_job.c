#include "symbolizer/naming_job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "symbolizer/dwarf_index.h"
#include "symbolizer/elf_file.h"
#include "symbolizer/index.h"
#include "symbolizer/string_pool.h"
#include "symbolizer/symbol_table.h"

struct naming_job {
    const struct naming_request *request;
    struct elf_file *main;
    struct elf_file *debug; // its separate debug file, or NULL
    int debug_fd;
    struct dwarf_file *dwarf;
    struct symbol_table symbols;
    struct string_pool pool;
    struct index_parts parts;
};

static void release(struct naming_job *job)
{
    dwarf_file__free(job->dwarf);
    elf_file__free(job->main);
    elf_file__free(job->debug);
    fd__close(&job->debug_fd);
    symbol_table__release(&job->symbols);
    string_pool__release(&job->pool);
    index_parts__release(&job->parts);
}

static void add_segments(struct naming_job *job)
{
    uint64_t base = UINT64_MAX;
    for (size_t i = 0; i < elf_file__segment_count(job->main); i++) {
        const struct elf_segment *segment = elf_file__segment(job->main, i);
        if (segment->type != PT_LOAD || !(segment->flags & PF_X))
            continue;
        struct index_segment row = {segment->file_offset, segment->address, segment->file_bytes};
        buf__append(&job->parts.tables[INDEX_SEGMENTS], &row, sizeof(row));
        if (segment->address < base)
            base = segment->address;
    }
    job->symbols.base = job->parts.base = base == UINT64_MAX ? 0 : base;
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

// .gnu_debuglink: a file name, padded to 4 bytes, and the CRC of the file's whole contents.
static int read_debuglink(struct naming_job *job, struct companion *companion, uint32_t *ret_crc)
{
    const struct elf_section *section = elf_file__find(job->main, ".gnu_debuglink");
    struct elf_data data;
    if (!section || elf_file__read(job->main, section, &data) != 0)
        return -ENOENT;
    size_t length = strnlen((const char *)data.bytes, data.length_bytes), crc_at = (length + 4) & ~(size_t)3;
    if (length == 0 || length >= sizeof(companion->name) || crc_at + 4 > data.length_bytes ||
        memchr(data.bytes, '/', length))
        return -EBADMSG;
    *companion = (struct companion){.kind = COMPANION_DEBUG_BY_LINK};
    memcpy(companion->name, data.bytes, length);
    memcpy(ret_crc, data.bytes + crc_at, sizeof(*ret_crc));
    return 0;
}

static int open_debug(struct naming_job *job, const struct companion *companion, const uint32_t *crc)
{
    _cleanup_fd_ int fd = -1;
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    uint8_t build_id[20];
    size_t build_id_bytes;
    uint32_t real_crc;
    int err = job->request->open_companion(job->request->context, companion, &fd);
    if (err)
        return err;
    if (crc && (crc_of(fd, &real_crc) != 0 || real_crc != *crc))
        return -ESTALE;
    err = elf_file__open(fd, &file);
    if (err)
        return err;
    if (!crc && (elf_file__build_id(file, build_id, &build_id_bytes) != 0 ||
                 build_id_bytes != companion->build_id_bytes || memcmp(build_id, companion->build_id, 20) != 0))
        return -ESTALE;
    job->debug = take_pointer(file);
    job->debug_fd = take_fd(&fd);
    return 0;
}

static bool has(struct elf_file *file, const char *name)
{
    const struct elf_section *section = elf_file__find(file, name);
    return section && section->type != SHT_NOBITS && section->bytes > 0;
}

static void find_debug(struct naming_job *job)
{
    if (has(job->main, ".debug_info") || has(job->main, ".zdebug_info"))
        return;
    struct companion by_id = {.kind = COMPANION_DEBUG_BY_ID, .build_id_bytes = (uint32_t)job->parts.build_id_bytes};
    memcpy(by_id.build_id, job->parts.build_id, sizeof(by_id.build_id));
    if (by_id.build_id_bytes > 0 && open_debug(job, &by_id, NULL) == 0)
        return;
    struct companion by_link;
    uint32_t crc;
    if (read_debuglink(job, &by_link, &crc) == 0)
        open_debug(job, &by_link, &crc);
}

static int add_elf_symbols(struct naming_job *job)
{
    bool from_debug = job->debug && !has(job->main, ".symtab") && has(job->debug, ".symtab");
    return symbol_table__add_elf(&job->symbols, from_debug ? job->debug : job->main);
}

static int open_dwarf(struct naming_job *job)
{
    int err = dwarf_file__open(job->main, false, &job->dwarf);
    return err == -ENOENT && job->debug ? dwarf_file__open(job->debug, false, &job->dwarf) : err;
}

// The addresses of the wanted offsets; those that lie in no segment are left out.
static size_t wanted_addresses(const struct naming_job *job, uint64_t *addresses)
{
    const struct index_segment *segments = (const struct index_segment *)job->parts.tables[INDEX_SEGMENTS].data;
    size_t segment_count = job->parts.tables[INDEX_SEGMENTS].length_bytes / sizeof(*segments), used = 0;
    for (size_t i = 0; i < job->request->count; i++) {
        uint64_t offset = job->request->offsets[i];
        for (size_t j = 0; j < segment_count; j++) {
            if (offset < segments[j].file_offset || offset - segments[j].file_offset >= segments[j].bytes)
                continue;
            addresses[used++] = offset - segments[j].file_offset + segments[j].address;
            break;
        }
    }
    return used;
}

static int add_dwarf(struct naming_job *job)
{
    int err = open_dwarf(job);
    if (err)
        return err;
    _cleanup_free_ uint64_t *addresses = calloc(job->request->count + 1, sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    struct dwarf_index_request request = {.elf = job->main,
                                          .dwarf = job->dwarf,
                                          .addresses = addresses,
                                          .count = wanted_addresses(job, addresses),
                                          .complete = job->request->complete};
    return dwarf_index__build(&request, &job->pool, &job->parts);
}

// The only list of resolvers for files. Each adds what it knows; one that fails costs what it would have added.
static const struct {
    const char *name;
    bool is_dwarf;
    int (*add)(struct naming_job *job);
} resolvers[] = {
    {"symbol table", false, add_elf_symbols},
    {"DWARF", true, add_dwarf},
};

int naming_job__run(const struct naming_request *request, struct buf *ret_index)
{
    _cleanup_(release) struct naming_job job = {.request = request, .debug_fd = -1};
    int err = elf_file__open(request->fd, &job.main);
    if (err)
        return err;
    if (elf_file__build_id(job.main, job.parts.build_id, &job.parts.build_id_bytes) != 0)
        job.parts.build_id_bytes = 0;
    add_segments(&job);
    job.parts.complete = true; // until a resolver leaves units for later
    string_pool__add(&job.pool, "", 0);
    find_debug(&job);
    for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++)
        if (!(request->symbols_only && resolvers[i].is_dwarf) && resolvers[i].add(&job) == -ENOMEM)
            return -ENOMEM;
    err = symbol_table__flatten(&job.symbols, &job.pool, &job.parts.tables[INDEX_SYMBOLS]);
    if (err)
        return err;
    job.parts.tables[INDEX_STRINGS] = job.pool.bytes;
    job.pool.bytes = (struct buf){0};
    return index__write(&job.parts, ret_index);
}
