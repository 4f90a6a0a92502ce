// This process as an unwinder of copied stacks sees it: the caller's registers and stack, and our own mappings.
#ifndef HEARTH_TESTS_UNIT_SYMBOLIZER_COPIED_H
#define HEARTH_TESTS_UNIT_SYMBOLIZER_COPIED_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "symbolizer/unwind/copy_unwind.h"

struct copied_process {
    struct copy_mapping mappings[64];
    size_t count;
    uint64_t stack_end;
};

static inline int copied__add(struct copied_process *process, const struct copy_mapping *mapping, const char *path)
{
    struct copy_mapping *added = &process->mappings[process->count++];
    *added = *mapping;
    added->fd = path[0] == '/' ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    added->binary = added->fd >= 0 || strcmp(path, "[vdso]") == 0 ? (uint32_t)process->count : 0;
    if (strcmp(path, "[vdso]") == 0) {
        added->image = (const void *)getauxval(AT_SYSINFO_EHDR);
        added->image_bytes = 8192;
    }
    return 0;
}

static inline void copied__read_mappings(struct copied_process *process)
{
    char line[512], path[400], permissions[8];
    unsigned long long start, end, offset;
    FILE *file = fopen("/proc/self/maps", "re");
    while (file && fgets(line, sizeof(line), file) && process->count < 64) {
        path[0] = '\0';
        if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %399s", &start, &end, permissions, &offset, path) < 4)
            continue;
        if (strcmp(path, "[stack]") == 0)
            process->stack_end = end;
        struct copy_mapping mapping = {.start = start, .end = end, .file_offset = offset};
        if (permissions[2] == 'x')
            copied__add(process, &mapping, path);
    }
    if (file)
        fclose(file);
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
