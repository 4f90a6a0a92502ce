#include "symbolizer/worker/naming_job.h"

#include <errno.h>
#include <string.h>

#include "symbolizer/companions/debug_files.h"
#include "symbolizer/dwarf/dwarf_index.h"
#include "symbolizer/dwarf/dwarf_sink.h"
#include "symbolizer/dwarf/split_units.h"
#include "symbolizer/elf/mini_debug.h"
#include "symbolizer/go/go_table.h"
#include "symbolizer/index/index_parts.h"
#include "symbolizer/index/string_pool.h"
#include "symbolizer/symbols/plt.h"
#include "symbolizer/symbols/symbol_table.h"
#include "symbolizer/symbols/trampolines.h"
#include "symbolizer/worker/frame_functions.h"

struct naming_job {
    const struct naming_request *request;
    struct elf_file *main;
    struct elf_file *mini;   // its MiniDebugInfo
    struct debug_file debug; // its separate debug file
    struct debug_file alternate;
    struct dwarf_file *dwarf;
    struct dwarf_file *alternate_dwarf;
    bool is_alternate_refused;
    struct libdw_reader *second;
    struct dwarf_ahead ahead;
    struct split_units split;
    struct symbol_table symbols;
    struct string_pool pool;
    struct index_parts parts;
};

static void release(struct naming_job *job)
{
    split_units__release(&job->split);
    dwarf_ahead__release(&job->ahead);
    dwarf_file__free(job->dwarf);
    dwarf_file__free(job->alternate_dwarf);
    libdw_reader__free(job->second);
    debug_file__release(&job->debug);
    debug_file__release(&job->alternate);
    elf_file__free(job->mini);
    elf_file__free(job->main);
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
        buf__append(&job->parts.segments, &row, sizeof(row));
        if (segment->address < base)
            base = segment->address;
    }
    job->symbols.base = job->parts.base = base == UINT64_MAX ? 0 : base;
}

static void find_debug(struct naming_job *job)
{
    if (!debug_file__has(job->main, ".debug_info") && !debug_file__has(job->main, ".zdebug_info"))
        debug_file__find(&job->request->companions, job->main, &job->debug);
}

static int add_elf_symbols(struct naming_job *job)
{
    bool from_debug =
        job->debug.elf && !debug_file__has(job->main, ".symtab") && debug_file__has(job->debug.elf, ".symtab");
    return symbol_table__add_elf(&job->symbols, from_debug ? job->debug.elf : job->main);
}

static int add_mini_debug(struct naming_job *job)
{
    if (debug_file__has(job->main, ".symtab"))
        return -ENOENT;
    int err = mini_debug__open(job->main, &job->mini);
    return err ? err : symbol_table__add_elf(&job->symbols, job->mini);
}

static int add_trampolines(struct naming_job *job)
{
    bool has_symbols = job->debug.elf && debug_file__has(job->debug.elf, ".symtab");
    return has_symbols ? -ENOENT : trampolines__add(job->main, &job->symbols);
}

static int add_plt(struct naming_job *job)
{
    return plt__add(job->main, &job->symbols);
}

// The file with .debug_info; NULL: none.
static struct elf_file *dwarf_holder(const struct naming_job *job)
{
    if (dwarf_file__section(job->main, DWARF_INFO, false))
        return job->main;
    return job->debug.elf && dwarf_file__section(job->debug.elf, DWARF_INFO, false) ? job->debug.elf : NULL;
}

// dwz's alternate file holds what several binaries of a package have in common.
static void open_alternate(struct naming_job *job)
{
    if (!job->alternate.elf)
        return;
    if (dwarf_file__open(job->alternate.elf, false, &job->alternate_dwarf) == 0)
        job->dwarf->alternate = job->alternate_dwarf;
    else
        job->is_alternate_refused = true;
}

static int open_dwarf(struct naming_job *job, struct elf_file *holder)
{
    dwarf_ahead__read(&job->ahead, holder, job->main, job->parts.base, job->request->helper);
    int err = dwarf_file__open(holder, false, &job->dwarf);
    if (!err)
        open_alternate(job);
    return err;
}

// The addresses of the wanted offsets; those that lie in no segment are left out.
static size_t wanted_addresses(const struct naming_job *job, uint64_t *addresses)
{
    const struct index_segment *segments = (const struct index_segment *)job->parts.segments.data;
    size_t segment_count = job->parts.segments.length_bytes / sizeof(*segments), used = 0;
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

static int open_split(void *context, const struct dwarf_unit *skeleton, struct dwarf_unit **ret_unit)
{
    return split_units__open(context, skeleton, ret_unit);
}

// libdw reads all units, after our own reader could not open the DWARF or its alternate file. -EBADMSG: libdw could not
// open it either; -ENOMEM.
static int add_by_libdw(struct naming_job *job)
{
    _cleanup_(dwarf_sink__release) struct dwarf_sink sink = {
        .elf = job->main, .base = job->parts.base, .pool = &job->pool};
    if (!job->second)
        return -EBADMSG;
    int err = libdw_reader__read_from(job->second, 0, &sink);
    if (err == -ENOMEM)
        return err;
    job->parts.refused += err != 0; // the units before the damage are kept
    return dwarf_sink__finish(&sink, &job->parts);
}

static int add_by_our_own(struct naming_job *job)
{
    _cleanup_free_ uint64_t *addresses = calloc(job->request->count + 1, sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    struct dwarf_index_request request = {.elf = job->main,
                                          .dwarf = job->dwarf,
                                          .addresses = addresses,
                                          .count = wanted_addresses(job, addresses),
                                          .complete = job->request->complete,
                                          .helper = job->request->helper,
                                          .ahead = &job->ahead,
                                          .second = job->second,
                                          .open_split = open_split,
                                          .context = &job->split};
    int err = dwarf_index__build(&request, &job->pool, &job->parts);
    job->parts.refused += (err != 0) + job->is_alternate_refused;
    return err;
}

static int add_dwarf(struct naming_job *job)
{
    enum naming_reader reader = job->request->reader;
    struct elf_file *holder = dwarf_holder(job);
    if (!holder)
        return -ENOENT;
    job->parts.has_dwarf = true;
    debug_file__find_alternate(&job->request->companions, job->debug.elf ? job->debug.elf : job->main, &job->alternate);
    int err = reader == NAMING_BY_LIBDW ? -EBADMSG : open_dwarf(job, holder);
    if (err == -ENOMEM)
        return err;
    if (reader == NAMING_BY_BOTH || reader == NAMING_BY_LIBDW) {
        int fd = holder == job->main ? job->request->fd : job->debug.fd;
        libdw_reader__open(fd, holder, job->alternate.fd, &job->second); // on failure the units stay refused
    }
    if ((err || job->is_alternate_refused) && add_by_libdw(job) == 0)
        return 0;
    if (!err)
        return add_by_our_own(job);
    job->parts.refused++;
    return err;
}

static int add_go_table(struct naming_job *job)
{
    if (job->dwarf || job->parts.ranges.length_bytes > 0 || job->parts.lines.length_bytes > 0)
        return -ENOENT; // DWARF, which knows the same and more
    _cleanup_(dwarf_sink__release) struct dwarf_sink sink = {
        .elf = job->main, .base = job->parts.base, .pool = &job->pool};
    int err = go_table__add(job->main, &job->symbols, &sink);
    return err ? err : dwarf_sink__finish(&sink, &job->parts);
}

// Of a stripped file: what has a symbol table, of whichever file, has names enough.
static int add_frame_functions(struct naming_job *job)
{
    bool has_symbols = debug_file__has(job->main, ".symtab") || job->mini || job->dwarf ||
                       (job->debug.elf && debug_file__has(job->debug.elf, ".symtab"));
    return has_symbols ? -ENOENT
                       : frame_functions__add(job->request->fd, job->parts.base, &job->pool, &job->parts.symbols);
}

// The only list of resolvers for files. Each adds what it knows; one that fails costs what it would have added.
static const struct {
    const char *name;
    bool is_dwarf;
    int (*add)(struct naming_job *job);
} resolvers[] = {
    {"symbol table", false, add_elf_symbols},
    {"MiniDebugInfo", false, add_mini_debug},
    {"procedure linkage table", false, add_plt},
    {"trampolines", false, add_trampolines},
    {"DWARF", true, add_dwarf},
    {"Go's table", false, add_go_table},
};

int naming_job__run(const struct naming_request *request, struct buf *ret_index)
{
    _cleanup_(release) struct naming_job job = {.request = request, .debug.fd = -1, .alternate.fd = -1};
    job.split.companions = &request->companions;
    int err = elf_file__open(request->fd, ELF_BY_LIBELF, &job.main);
    if (err)
        return err;
    if (elf_file__build_id(job.main, job.parts.build_id, &job.parts.build_id_bytes) != 0)
        job.parts.build_id_bytes = 0;
    add_segments(&job);
    job.parts.complete = true; // until a resolver leaves units for later
    string_pool__add(&job.pool, "", 0);
    find_debug(&job);
    for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++)
        if (!(request->reader == NAMING_BY_NOBODY && resolvers[i].is_dwarf) && resolvers[i].add(&job) == -ENOMEM)
            return -ENOMEM;
    err = symbol_table__flatten(&job.symbols, &job.pool, &job.parts.symbols);
    if (err || add_frame_functions(&job) == -ENOMEM)
        return err ? err : -ENOMEM;
    job.parts.strings = job.pool.bytes;
    job.pool.bytes = (struct buf){0};
    return index_parts__write(&job.parts, ret_index);
}
