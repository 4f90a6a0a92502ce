// Uprobes on many places by one link, and programs that run at a function's entry and at its return (sessions): what
// libbpf 1.1 does not know of. Sessions came in 6.13; links without them, in 6.6, are not used, as they filtered by
// thread where the process was meant (until 6.11).
//
//   if (uprobe_multi__probe() == 0)
//       uprobe_multi__prepare(program, UPROBE_SESSION);      before it is loaded
//   ...
//   uprobe_multi__attach(program, &places, false, pid, &fd);
#ifndef HEARTH_COLLECTOR_PROGRAMS_UPROBE_MULTI_H
#define HEARTH_COLLECTOR_PROGRAMS_UPROBE_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_program;

enum uprobe_kind {
    UPROBE_PLAIN,   // at the entry or at the return
    UPROBE_SESSION, // at both; a program that returns 1 at the entry does not run at the return
};

struct uprobe_places {
    const char *path;
    const uint64_t *file_offsets;
    const uint64_t
        *semaphores;         // of USDT probes: their places in the file, which the kernel counts up; NULL: none has one
    const uint64_t *cookies; // the result of bpf_get_attach_cookie() at each; NULL: 0
    size_t count;
};

int uprobe_multi__probe(void); // 0: the kernel has sessions; the answer is kept
void uprobe_multi__prepare(struct bpf_program *program, enum uprobe_kind kind);
bool uprobe_multi__is_prepared(const struct bpf_program *program);
bool uprobe_multi__is_session(const struct bpf_program *program);

// One link for all places or none. pid: the process that is probed; -1: all. The link lives as long as the descriptor.
int uprobe_multi__attach(const struct bpf_program *program, const struct uprobe_places *places, bool at_return, int pid,
                         int *ret_fd);

#endif
