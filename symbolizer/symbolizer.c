#include "symbolizer/symbolizer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "symbolizer/elf_file.h"
#include "symbolizer/index_set.h"
#include "symbolizer/jit_names.h"
#include "symbolizer/kernel_naming.h"
#include "symbolizer/shown_names.h"
#include "symbolizer/symbol_name.h"
#include "symbolizer/worker.h"

#define FAILED_JIT_FILES 64

struct symbolizer {
    struct symbolizer_options options;
    struct worker *worker;
    struct worker *own_worker; // NULL: it is borrowed
    struct index_set *indexes;
    struct shown_names names;
    struct kernel_naming *kernel;
    struct stat failed_jit[FAILED_JIT_FILES];
    size_t failed_jit_count;
};

int symbolizer__new(const struct symbolizer_options *options, struct fault *fault, struct symbolizer **ret_symbolizer)
{
    struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (!symbolizer)
        return fault__set(fault, -ENOMEM, "out of memory");
    symbolizer->options = *options;
    int err = kernel_naming__new(options->kernel_root, &symbolizer->kernel);
    if (err)
        fault__set(fault, err, "out of memory");
    else if (!options->worker)
        err = worker__new(NULL, fault, &symbolizer->own_worker);
    symbolizer->worker = options->worker ? options->worker : symbolizer->own_worker;
    if (!err)
        err = index_set__new(&symbolizer->options, symbolizer->worker, fault, &symbolizer->indexes);
    if (err) {
        symbolizer__free(symbolizer);
        return err;
    }
    *ret_symbolizer = symbolizer;
    return 0;
}

void symbolizer__free(struct symbolizer *symbolizer)
{
    if (!symbolizer)
        return;
    index_set__free(symbolizer->indexes);
    kernel_naming__free(symbolizer->kernel);
    shown_names__release(&symbolizer->names);
    worker__free(symbolizer->own_worker);
    free(symbolizer);
}

// The mangled names of one batch. Each stands once in its index, so that its address is its identity.
struct name_memo {
    struct memo_slot {
        const char *name; // NULL: free
        const char *shown;
    } * slots;
    size_t slot_count;
    size_t used;
};

static void release_memo(struct name_memo *memo)
{
    free(memo->slots);
}

static struct memo_slot *memo_slot(const struct name_memo *memo, const char *name)
{
    size_t at = hash__mix((uintptr_t)name) & (memo->slot_count - 1);
    while (memo->slots[at].name && memo->slots[at].name != name)
        at = (at + 1) & (memo->slot_count - 1);
    return &memo->slots[at];
}

static bool grow_memo(struct name_memo *memo)
{
    struct name_memo grown = {.slot_count = memo->slot_count ? memo->slot_count * 2 : 256, .used = memo->used};
    grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < memo->slot_count; i++)
        if (memo->slots[i].name)
            *memo_slot(&grown, memo->slots[i].name) = memo->slots[i];
    free(memo->slots);
    *memo = grown;
    return true;
}

static const char *shown_name(const struct name_memo *memo, const char *name)
{
    const struct memo_slot *slot = memo->slot_count ? memo_slot(memo, name) : NULL;
    return slot && slot->shown ? slot->shown : name;
}

// Demangles every name of the batch that is new. Without memory, or when the worker fails, names are shown as they are.
static void learn_names(struct symbolizer *symbolizer, const struct index_pieces *pieces, const uint64_t *offsets,
                        size_t count, struct name_memo *memo)
{
    shown_names__trim(&symbolizer->names);
    for (size_t i = 0; i < count; i++) {
        struct index_chain chain;
        index_pieces__find(pieces, offsets[i], symbolizer->options.no_inline, &chain);
        for (size_t j = 0; j < chain.length; j++) {
            const char *name = chain.index->strings + chain.frames[j].function;
            if (!symbol_name__is_mangled(name) || (memo->used * 2 >= memo->slot_count && !grow_memo(memo)))
                continue;
            struct memo_slot *slot = memo_slot(memo, name);
            if (slot->name)
                continue;
            slot->name = name;
            memo->used++;
            shown_names__want(&symbolizer->names, name);
        }
    }
    shown_names__learn(&symbolizer->names, symbolizer->worker);
    for (size_t i = 0; i < memo->slot_count; i++)
        if (memo->slots[i].name)
            memo->slots[i].shown = shown_names__find(&symbolizer->names, memo->slots[i].name);
}

static void give_none(size_t count, symbol_chain_fn *take, void *context)
{
    for (size_t i = 0; i < count; i++)
        take(i, NULL, 0, context);
}

int symbolizer__resolve_file(struct symbolizer *symbolizer, const struct symbol_file *file, const uint64_t *offsets,
                             size_t count, symbol_chain_fn *take, void *context)
{
    const struct index_pieces *pieces;
    int err = index_set__load(symbolizer->indexes, file, offsets, count, &pieces);
    if (err) {
        give_none(count, take, context);
        return err;
    }
    _cleanup_(release_memo) struct name_memo memo = {0};
    if (!symbolizer->options.no_demangle)
        learn_names(symbolizer, pieces, offsets, count, &memo);
    for (size_t i = 0; i < count; i++) {
        struct index_chain chain;
        struct symbol shown[LIMIT_CHAIN];
        index_pieces__find(pieces, offsets[i], symbolizer->options.no_inline, &chain);
        for (size_t j = 0; j < chain.length; j++) {
            const char *name = chain.index->strings + chain.frames[j].function;
            shown[j] = (struct symbol){.function = name[0] ? shown_name(&memo, name) : NULL,
                                       .file = chain.index->strings + chain.frames[j].file,
                                       .line = chain.frames[j].line};
        }
        take(i, shown, chain.length, context);
    }
    index_pieces__cool(pieces);
    return 0;
}

// The vDSO's image lies in our own memory, put there by the kernel; a sealed copy of it is a file like any other.
static int open_vdso(int *ret_fd)
{
    const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    Elf64_Ehdr header;
    if (!image)
        return -ENOENT;
    memcpy(&header, image, sizeof(header));
    size_t bytes = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize; // the section headers come last
    _cleanup_fd_ int fd = memfd_create("vdso", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (write(fd, image, bytes) != (ssize_t)bytes || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) != 0)
        return -EIO;
    *ret_fd = take_fd(&fd);
    return 0;
}

int symbolizer__resolve_vdso(struct symbolizer *symbolizer, const uint64_t *offsets, size_t count,
                             symbol_chain_fn *take, void *context)
{
    _cleanup_fd_ int fd = -1;
    uint8_t build_id[20];
    int err = open_vdso(&fd);
    if (err) {
        give_none(count, take, context);
        return err;
    }
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = "[vdso]", .build_id = build_id};
    if (symbolizer__build_id(fd, build_id, &file.build_id_bytes) != 0)
        file.build_id = NULL;
    return symbolizer__resolve_file(symbolizer, &file, offsets, count, take, context);
}

int symbolizer__resolve_kernel(struct symbolizer *symbolizer, const uint64_t *addresses, size_t count,
                               symbol_chain_fn *take, void *context, struct fault *fault)
{
    int err = kernel_naming__load(symbolizer->kernel, fault);
    if (!err)
        err = kernel_naming__resolve(symbolizer->kernel, symbolizer, addresses, count, take, context);
    if (err)
        give_none(count, take, context);
    return err;
}

// A file that was too much for a worker is not tried again until it changes.
static bool has_failed(const struct symbolizer *symbolizer, const struct stat *status)
{
    for (size_t i = 0; i < FAILED_JIT_FILES; i++) {
        const struct stat *failed = &symbolizer->failed_jit[i];
        if (failed->st_ino == status->st_ino && failed->st_dev == status->st_dev &&
            failed->st_size == status->st_size && failed->st_mtim.tv_sec == status->st_mtim.tv_sec &&
            failed->st_mtim.tv_nsec == status->st_mtim.tv_nsec)
            return true;
    }
    return false;
}

static int read_jit(struct symbolizer *symbolizer, enum jit_source source, pid_t pid, const uint64_t *addresses,
                    size_t count, char **ret_names)
{
    _cleanup_fd_ int fd = -1;
    struct stat status;
    int err = jit_names__open(source, pid, &fd);
    if (err)
        return err;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (has_failed(symbolizer, &status))
        return -EBADMSG;
    err = worker__jit(symbolizer->worker, source, fd, addresses, count, ret_names);
    if (err)
        symbolizer->failed_jit[symbolizer->failed_jit_count++ % FAILED_JIT_FILES] = status;
    return err;
}

int symbolizer__resolve_jit(struct symbolizer *symbolizer, pid_t pid, const uint64_t *addresses, size_t count,
                            symbol_chain_fn *take, void *context)
{
    char *answers[JIT_SOURCES] = {NULL};
    const char *at[JIT_SOURCES];
    int err = -ENOENT;
    for (int source = 0; source < JIT_SOURCES && count > 0; source++) {
        int source_err = read_jit(symbolizer, (enum jit_source)source, pid, addresses, count, &answers[source]);
        if (err == -ENOENT)
            err = source_err;
        at[source] = answers[source];
    }
    for (size_t i = 0; i < count; i++) {
        struct symbol symbol = {.file = ""};
        for (int source = 0; source < JIT_SOURCES; source++) {
            if (!answers[source])
                continue;
            const char *name = at[source], *file = name + strlen(name) + 1, *line = file + strlen(file) + 1;
            at[source] = line + strlen(line) + 1;
            if (name[0] && !symbol.function)
                symbol = (struct symbol){name, file, (uint32_t)strtoul(line, NULL, 10)};
        }
        take(i, &symbol, symbol.function != NULL, context);
    }
    for (int source = 0; source < JIT_SOURCES; source++) {
        err = answers[source] ? 0 : err;
        free(answers[source]);
    }
    return err;
}

int symbolizer__build_id(int fd, uint8_t ret_build_id[20], size_t *ret_bytes)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    int err = elf_file__open_headers(fd, &file);
    return err ? err : elf_file__build_id(file, ret_build_id, ret_bytes);
}

int symbolizer__file_offsets(int fd, const uint64_t *addresses, size_t count, uint64_t *ret_offsets)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    int err = elf_file__open_headers(fd, &file);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        ret_offsets[i] = UINT64_MAX;
        for (size_t j = 0; j < elf_file__segment_count(file) && ret_offsets[i] == UINT64_MAX; j++) {
            const struct elf_segment *segment = elf_file__segment(file, j);
            if (segment->type == PT_LOAD && addresses[i] >= segment->address &&
                addresses[i] - segment->address < segment->file_bytes)
                ret_offsets[i] = addresses[i] - segment->address + segment->file_offset;
        }
    }
    return 0;
}

struct symbolizer_counts symbolizer__counts(const struct symbolizer *symbolizer)
{
    return index_set__counts(symbolizer->indexes);
}
