// The places in a file that a uprobe is put on, from FILE:SYMBOL, and how it gets there.
//
//   probe_sites__find("libc", "malloc", 0, &fault, &sites);
//   probe_sites__attach(sites, &request, &fault, &refused);
//
// SYMBOL is a function (as the file spells it or demangled, or with a version: memcpy@GLIBC_2.2.5), a glob over
// functions, FUNCTION+OFFSET, or 0xADDRESS as the file is linked. Functions of one place are probed once. One that
// begins with endbr64 is probed behind that, where a push or a nop follows: those are emulated by the kernel, while
// endbr64 would be stepped, at twenty times the cost. One that begins with an AVX instruction that the kernel mistakes
// for another (see instruction.h) is probed behind that. A place where a probe would change what the program does is
// refused.
#ifndef HEARTH_COLLECTOR_PROBES_PROBE_SITES_H
#define HEARTH_COLLECTOR_PROBES_PROBE_SITES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/probes/return_hazard.h"
#include "collector/programs/loader.h"
#include "collector/who/target.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"

struct bpf_program;

struct probe_site {
    uint64_t file_offset;
    uint64_t semaphore; // of a USDT probe: its place in the file; 0: none
    char *arguments;    // of a USDT probe, as its note has them; NULL: none
    uint64_t cookie;    // the result of bpf_get_attach_cookie() there
    uint8_t code[16];   // the bytes there
};

struct probe_sites {
    char *path;    // for words
    int fd;        // to be read; may be a copy (symbolizer/opening/foreign_file.h)
    int place_fd;  // the file itself
    char name[64]; // the function, or the pattern
    enum return_hazard hazard;
    const char *argument_hazard; // why the arguments of one of them cannot be told; NULL: they can
    struct probe_site *rows;
    size_t count;
    size_t unfit_count;  // places that fit and were left out: the kernel would mistake the instruction there
    size_t chosen_count; // of them that were chosen among several (IFUNC), as this machine chooses
};

// pid: whose file system, and whose mappings, FILE is looked up in; 0: ours. Nothing fits: -ENOENT with a fault.
int probe_sites__find(const char *file, const char *symbol, uint32_t pid, struct fault *fault,
                      struct probe_sites **ret_sites);
void probe_sites__free(struct probe_sites *sites);

struct probe_file;
// For other ways to find places: none yet, and one more, which is no function's entry. -E2BIG: LIMIT_PROBE_SITES.
int probe_sites__new(const struct probe_file *file, const char *name, struct fault *fault,
                     struct probe_sites **ret_sites);
int probe_sites__add(struct probe_sites *sites, uint64_t file_offset, uint64_t semaphore);

// Attaches the program, which may have been prepared by uprobe_multi__prepare(), to every place: in the processes of
// the target where they are named by -p alone, else in all (the programs filter). Places that the kernel refuses are
// left out and counted; all refused: an error with a fault.
int probe_sites__attach(const struct probe_sites *sites, const struct bpf_program *program, bool at_return,
                        const struct target *target, struct loaded *loaded, struct fault *fault, size_t *ret_refused);

// Splits "FILE:REST" of a probe's words, REST with at least so many colons. FILE may have colons too: of all that could
// be FILE the longest that is the path of a file is it, as the process sees it; else what stands before the first
// colon. -EINVAL with a fault.
int probe__split(const char *text, uint32_t pid, unsigned colons, char ret_file[PATH_MAX], const char **ret_rest,
                 struct fault *fault);

DEFINE_CLEANUP(struct probe_sites *, probe_sites__free);

#endif
