#include "collector/probes/trap.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "collector/arch/trap_samples.h"
#include "collector/programs/uprobe_multi.h"
#include "store/base/clock.h"

enum {
    CALLS = 64, // a batch
    BATCHES_LEAST = 3,
    BATCHES_MOST = 10,
    ENOUGH_NS = 2000000,
};

static size_t choose(const uint8_t *code)
{
    size_t kind = 0;
    while (trap_samples[kind].begins && !trap_samples[kind].begins(code))
        kind++;
    return kind;
}

// --- Where they stand in hearth's file

struct place {
    uintptr_t address;
    uint64_t file_offset;
};

// The program itself is the first of the objects.
static int find_offset(struct dl_phdr_info *info, size_t bytes, void *context)
{
    struct place *place = context;
    (void)bytes;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && place->address - start < segment->p_filesz)
            place->file_offset = place->address - start + segment->p_offset;
    }
    return 1;
}

// --- Probing them

// To take a probe away, the kernel waits some 50 ms: it stays until the others are taken away, and is hit no more.
static int probe(struct loaded *loaded, const struct bpf_program *nothing, uint64_t file_offset, bool at_return)
{
    static const char self[] = "/proc/self/exe";
    struct uprobe_places places = {.path = self, .file_offsets = &file_offset, .count = 1};
    if (uprobe_multi__is_prepared(nothing)) {
        int fd, err = uprobe_multi__attach(nothing, &places, at_return, (int)getpid(), &fd);
        return err ? err : loaded__keep_fd(loaded, fd);
    }
    LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = at_return);
    struct bpf_link *link = bpf_program__attach_uprobe_opts(nothing, 0, self, file_offset, &options);
    return link ? loaded__keep(loaded, link) : -errno;
}

// The best batch: in the others, something else had the CPU.
static uint32_t time_calls(void (*function)(void))
{
    uint64_t best_ns = UINT64_MAX, begun_ns = clock__ns(CLOCK_MONOTONIC), now_ns = begun_ns;
    for (int batch = 0; batch < BATCHES_MOST && (batch < BATCHES_LEAST || now_ns - begun_ns < ENOUGH_NS); batch++) {
        uint64_t start_ns = clock__ns(CLOCK_MONOTONIC);
        for (int i = 0; i < CALLS; i++)
            function();
        now_ns = clock__ns(CLOCK_MONOTONIC);
        best_ns = now_ns - start_ns < best_ns ? now_ns - start_ns : best_ns;
    }
    return (uint32_t)(best_ns / CALLS);
}

// 0: not to be had.
static uint32_t measure(struct loaded *loaded, void (*function)(void), enum trap_place place)
{
    const struct bpf_program *nothing = loaded__program(loaded, "trap_nothing");
    struct place where = {.address = (uintptr_t)function};
    dl_iterate_phdr(find_offset, &where);
    if (!where.file_offset || probe(loaded, nothing, where.file_offset, place == TRAP_RETURN) != 0)
        return 0;
    bool is_pair = place == TRAP_BOTH && !uprobe_multi__is_prepared(nothing);
    if (is_pair && probe(loaded, nothing, where.file_offset, true) != 0)
        return 0;
    return time_calls(function);
}

static void count_kinds(const struct probe_sites *sites, uint32_t counts[TRAP_SAMPLES])
{
    for (size_t i = 0; sites && i < sites->count; i++)
        counts[choose(sites->rows[i].code)]++;
}

struct trap_cost trap__measure(struct loaded *loaded, const struct probe_sites *sites, const struct probe_sites *ends,
                               enum trap_place place)
{
    uint32_t counts[TRAP_SAMPLES] = {0}, ns[TRAP_SAMPLES] = {0}, least_ns = UINT32_MAX, usual = 0;
    struct trap_cost cost = {.places = (uint32_t)(sites->count + (ends ? ends->count : 0))};
    count_kinds(sites, counts);
    count_kinds(ends, counts);
    for (size_t i = 0; i < TRAP_SAMPLES; i++) {
        if (counts[i] && (ns[i] = measure(loaded, trap_samples[i].function, place)) == 0)
            return (struct trap_cost){0};
        ns[i] *= ends ? 2 : 1;
        least_ns = counts[i] && ns[i] < least_ns ? ns[i] : least_ns;
    }
    for (size_t i = 0; i < TRAP_SAMPLES; i++) {
        if (counts[i] && ns[i] / 2 > least_ns) {
            cost.dear_places += counts[i];
            cost.dear_ns = ns[i] > cost.dear_ns ? ns[i] : cost.dear_ns;
        } else if (counts[i] > usual) {
            usual = counts[i];
            cost.ns = ns[i];
        }
    }
    return cost;
}
