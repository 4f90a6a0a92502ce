// A profile of another tool, while it becomes a store: events, frames and threads by their words, and a value a sample.
//
//   foreign__event(foreign, &(struct store_event){.name = "cpu", .unit = "samples"}, &event);
//   foreign__thread(foreign, 12, 12, "nginx", &thread);
//   foreign__frame(foreign, &(struct foreign_frame){.path = "", .chain = &line, .chain_length = 1}, &frame);
//   foreign__stack(foreign, frames, count, &node);
//   foreign__add(foreign, &(struct store_value){.event = event, .thread = thread, .node = node, .count = 4, ...});
//   foreign__end(foreign, start_ns, end_ns, &fault);
//
// Errors are kept, the first one, and given by foreign__end: an importer checks once. Memory: 40 bytes a value, of
// 262,144 at a time, and what the writer takes.
#ifndef HEARTH_REPORT_IMPORTS_FOREIGN_H
#define HEARTH_REPORT_IMPORTS_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "store/store_types.h"

struct foreign;

// The store is made at `path`. `changed_ns`: the time of the profile, where it tells none.
int foreign__new(const char *path, uint64_t changed_ns, struct fault *fault, struct foreign **ret_foreign);
void foreign__free(struct foreign *foreign);

// The time of the samples (CLOCK_REALTIME). To be said before the first one is added.
void foreign__set_time(struct foreign *foreign, uint64_t start_ns, uint64_t duration_ns);

uint32_t foreign__event(struct foreign *foreign, const struct store_event *event);
uint32_t foreign__thread(struct foreign *foreign, uint32_t pid, uint32_t tid, const char *comm);

struct foreign_frame {
    enum store_binary_kind kind;
    const char *path; // of the binary; "" not known
    bool has_offset;  // in the binary; otherwise the frame is its functions alone
    uint64_t offset;
    const struct store_line *chain; // innermost first, as the store has it; none: the offset has no name
    size_t chain_length;
};
uint32_t foreign__frame(struct foreign *foreign, const struct foreign_frame *frame);

// A frame by its words in folded text: "main", "tcp_sendmsg_[k]", "[libfoo.so+0x12]", "[truncated]". The suffixes of
// kinds are cut off; a chain of functions inlined into the first one is told by `;` and "_[i]".
uint32_t foreign__word(struct foreign *foreign, const char *word, size_t length);

uint32_t foreign__node(struct foreign *foreign, uint32_t parent, uint32_t frame);
uint32_t foreign__stack(struct foreign *foreign, const uint32_t *frames, size_t count); // root first

void foreign__add(struct foreign *foreign, const struct store_value *value);
int foreign__error(const struct foreign *foreign);

// Finishes the store. -ENODATA: nothing was added.
int foreign__end(struct foreign *foreign, struct fault *fault);

DEFINE_CLEANUP(struct foreign *, foreign__free);

#endif
