// This process as an unwinder of copied stacks sees it: the caller's registers and stack, and our own mappings.
#ifndef HEARTH_TESTS_UNIT_SYMBOLIZER_COPIED_H
#define HEARTH_TESTS_UNIT_SYMBOLIZER_COPIED_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "store/system/proc_maps.h"
#include "symbolizer/elf/vdso.h"
#include "symbolizer/unwind/copy_unwind.h"

struct copied_process {
    struct copy_mapping mappings[64];
    size_t count;
    uint64_t stack_end;
};

static inline int copied__add(const struct proc_mapping *mapping, void *context)
{
    struct copied_process *process = context;
    bool is_vdso = strcmp(mapping->path, "[vdso]") == 0;
    if (strcmp(mapping->path, "[stack]") == 0)
        process->stack_end = mapping->end;
    if (!mapping->is_executable || process->count == 64)
        return 0;
    struct copy_mapping *added = &process->mappings[process->count++];
    *added = (struct copy_mapping){.start = mapping->start, .end = mapping->end, .file_offset = mapping->file_offset};
    added->fd = mapping->path[0] == '/' ? open(mapping->path, O_RDONLY | O_CLOEXEC) : -1;
    added->binary = added->fd >= 0 || is_vdso ? (uint32_t)process->count : 0;
    return is_vdso ? vdso__image(&added->image, &added->image_bytes) : 0;
}

static inline void copied__read_mappings(struct copied_process *process)
{
    (void)proc_maps__each(getpid(), copied__add, process);
}

static inline void copied__close(struct copied_process *process)
{
    for (size_t i = 0; i < process->count; i++)
        fd__close(&process->mappings[i].fd);
}

static inline bool copied__find(uint64_t address, struct copy_mapping *ret_mapping, void *context)
{
    const struct copied_process *process = context;
    for (size_t i = 0; i < process->count; i++)
        if (address >= process->mappings[i].start && address < process->mappings[i].end) {
            *ret_mapping = process->mappings[i];
            return true;
        }
    return false;
}

// The address in this process of a frame.
static inline uint64_t copied__address(const struct copied_process *process, const struct copy_frame *frame)
{
    const struct copy_mapping *mapping = frame->binary ? &process->mappings[frame->binary - 1] : NULL;
    return mapping ? frame->offset - mapping->file_offset + mapping->start : frame->offset;
}

static inline void copied__registers(const ucontext_t *context, uint64_t registers[ARCH_REGISTERS])
{
    static const int by_dwarf[ARCH_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                 REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                 REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    for (int i = 0; i < ARCH_REGISTERS; i++)
        registers[i] = (uint64_t)context->uc_mcontext.gregs[by_dwarf[i]];
}

#endif
