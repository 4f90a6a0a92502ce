#include "symbolizer/symbolizer.h"

#include <errno.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/vdso.h"
#include "symbolizer/jail/sealed.h"
#include "symbolizer/naming/file_naming.h"
#include "symbolizer/naming/jit_place.h"
#include "symbolizer/naming/kernel_naming.h"

struct symbolizer {
    struct symbolizer_options options;
    struct file_naming files;
    struct kernel_naming *kernel;
    struct jit_place jit; // the process asked about last; pid 0: none
};

int symbolizer__new(const struct symbolizer_options *options, struct fault *fault, struct symbolizer **ret_symbolizer)
{
    struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
    if (!symbolizer)
        return fault__set(fault, -ENOMEM, "out of memory");
    symbolizer->options = *options;
    symbolizer->jit = JIT_PLACE_NONE;
    int err = kernel_naming__new(options->kernel_root, options->cache_dir, &symbolizer->kernel);
    if (err)
        fault__set(fault, err, "out of memory");
    else
        err = file_naming__init(&symbolizer->options, fault, &symbolizer->files);
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
    file_naming__release(&symbolizer->files);
    kernel_naming__free(symbolizer->kernel);
    jit_place__close(&symbolizer->jit);
    free(symbolizer);
}

static void give_none(size_t count, symbol_chain_fn *take, void *context)
{
    for (size_t i = 0; i < count; i++)
        take(i, NULL, 0, context);
}

int symbolizer__resolve_file(struct symbolizer *symbolizer, const struct symbol_file *file, const uint64_t *offsets,
                             size_t count, symbol_chain_fn *take, void *context)
{
    return file_naming__resolve(&symbolizer->files, file, offsets, count, take, context);
}

// A sealed copy is a file like any other.
static int open_vdso(int *ret_fd)
{
    const uint8_t *image;
    size_t bytes;
    int err = vdso__image(&image, &bytes);
    return err ? err : sealed__make("vdso", image, bytes, ret_fd);
}

int symbolizer__resolve_vdso(struct symbolizer *symbolizer, const uint64_t *offsets, size_t count,
                             symbol_chain_fn *take, void *context)
{
    _cleanup_fd_ int fd = -1;
    int err = open_vdso(&fd);
    if (err) {
        give_none(count, take, context);
        return err;
    }
    struct symbol_file file = {.fd = fd, .root_fd = -1, .path = "[vdso]"};
    symbolizer__identify(&file);
    return symbolizer__resolve_file(symbolizer, &file, offsets, count, take, context);
}

int symbolizer__resolve_kernel(struct symbolizer *symbolizer, const uint64_t *addresses, size_t count,
                               symbol_chain_fn *take, void *context, struct fault *fault)
{
    int err = kernel_naming__load(symbolizer->kernel, fault);
    if (!err)
        err = kernel_naming__resolve(symbolizer->kernel, &symbolizer->files, addresses, count, take, context);
    if (err)
        give_none(count, take, context);
    return err;
}

int symbolizer__kernel_address(struct symbolizer *symbolizer, const char *function, uint64_t *ret_address)
{
    int err = kernel_naming__load(symbolizer->kernel, NULL);
    return err ? err : kernel_naming__address_of(symbolizer->kernel, function, ret_address);
}

static int find_jit(struct symbolizer *symbolizer, pid_t pid)
{
    if (symbolizer->jit.pid != pid || !jit_place__is_alive(&symbolizer->jit)) {
        jit_place__close(&symbolizer->jit);
        int err = jit_place__open(pid, &symbolizer->jit);
        if (err)
            return err;
    }
    jit_place__look(&symbolizer->jit);
    return 0;
}

struct jit_taking {
    symbol_chain_fn *take;
    void *context;
    bool *has_name;
};

static void take_jit(size_t index, const struct symbol *chain, size_t length, void *context)
{
    struct jit_taking *taking = context;
    taking->has_name[index] = true;
    taking->take(index, chain, length, taking->context);
}

int symbolizer__resolve_jit(struct symbolizer *symbolizer, pid_t pid, const uint64_t *addresses, size_t count,
                            symbol_chain_fn *take, void *context)
{
    _cleanup_free_ bool *has_name = calloc(count + 1, sizeof(*has_name));
    struct jit_question question = {.addresses = addresses, .count = count, .are_new = true, .is_last = true};
    struct jit_taking taking = {take, context, has_name};
    uint64_t cost_us = 0;
    int err = has_name ? find_jit(symbolizer, pid) : -ENOMEM;
    if (!err)
        err = jit_place__ask(&symbolizer->jit, symbolizer->files.worker, &question, take_jit, &taking, &cost_us);
    for (size_t i = 0; i < count; i++)
        if (!has_name || !has_name[i])
            take(i, NULL, 0, context);
    return err;
}

void symbolizer__identify(struct symbol_file *file)
{
    (void)file_identity__read(file->fd, &file->identity); // what is no ELF file is refused where it is read
}

static bool holds(const struct elf_segment *segment, uint64_t address)
{
    return segment->type == PT_LOAD && address >= segment->address && address - segment->address < segment->file_bytes;
}

static const struct elf_segment *segment_at(const struct elf_file *file, uint64_t address)
{
    for (size_t i = 0; i < elf_file__segment_count(file); i++)
        if (holds(elf_file__segment(file, i), address))
            return elf_file__segment(file, i);
    return NULL;
}

int symbolizer__file_offsets(int fd, const uint64_t *addresses, size_t count, uint64_t *ret_offsets)
{
    _cleanup_(elf_file__freep) struct elf_file *file = NULL;
    const struct elf_segment *segment = NULL; // of the last one, and mostly of all
    int err = elf_file__open(fd, ELF_SEGMENTS, &file);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++) {
        if (!segment || !holds(segment, addresses[i]))
            segment = segment_at(file, addresses[i]);
        ret_offsets[i] = segment ? addresses[i] - segment->address + segment->file_offset : UINT64_MAX;
    }
    return 0;
}

int symbolizer__guest_lines(struct symbolizer *symbolizer, const void *places, size_t length, size_t count,
                            uint32_t *ret_lines)
{
    struct worker *worker = symbolizer->options.worker;
    return worker ? worker__lines(worker, places, length, count, ret_lines) : -ENOTSUP;
}

struct symbolizer_counts symbolizer__counts(const struct symbolizer *symbolizer)
{
    return index_set__counts(symbolizer->files.indexes);
}
