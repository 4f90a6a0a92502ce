// Writing a store: one SQLite file, appended to by one writer, one transaction an interval.
//
// Ids are interned in memory and reach the file with the next interval, in the same transaction as the values that
// need them: a file cut off anywhere is whole up to its last interval. Not thread safe: one thread at a time.
//
// Cost: store.md's layout, about 4 bytes a value and under 1 ms a transaction for 1,000 values. Memory: 16 bytes a
// trie node, 24 a frame, bounded by limits.h; past the bound a new dictionary begins and nothing is lost.
#ifndef HEARTH_STORE_WRITER_WRITER_H
#define HEARTH_STORE_WRITER_WRITER_H

#include "store/base/fault.h"
#include "store/store_types.h"

struct store_writer;

// Creates `path`, or replaces a store that stands there (what is no store is never replaced: -EEXIST and a fault).
int store_writer__create(const char *path, const struct store_meta *meta, struct fault *fault,
                         struct store_writer **ret_writer);

// Opens a store to append to it. -ENOENT; -EBUSY: somebody else does; -ENODATA: nothing was ever written to it;
// -EBADMSG: it is damaged, or no store; -EPROTO: a newer hearth made it. The fault says more.
int store_writer__resume(const char *path, struct fault *fault, struct store_writer **ret_writer);

// Finishes the file (no WAL left behind) and frees the writer, even when it fails.
int store_writer__close(struct store_writer *writer, struct fault *fault);
void store_writer__free(struct store_writer *writer); // as close, for cleanup; says nothing

int store_writer__event(struct store_writer *writer, const struct store_event *event, uint32_t *ret_event);

// The process with this (pid, start_ns); what is given replaces what was known, but "" never replaces a word.
int store_writer__process(struct store_writer *writer, const struct store_process *process, uint32_t *ret_process);
// tid 0: all threads of that comm together.
int store_writer__thread(struct store_writer *writer, uint32_t process, uint32_t tid, const char *comm,
                         uint32_t *ret_thread);
// The binary with this build id, or, without one, this kind and path.
int store_writer__binary(struct store_writer *writer, const struct store_binary *binary, uint32_t *ret_binary);
// ret_is_new (may be NULL): the first call for this frame since the writer was opened, and it wants a name.
int store_writer__frame(struct store_writer *writer, uint32_t binary, uint64_t offset, uint32_t *ret_frame,
                        bool *ret_is_new);
// The trie node of a stack: frames, root first.
int store_writer__stack(struct store_writer *writer, const uint32_t *frames, size_t frame_count, uint32_t *ret_node);
// The same by one frame more than the node `parent` has; parent 0: the root.
int store_writer__node(struct store_writer *writer, uint32_t parent, uint32_t frame, uint32_t *ret_node);
// Names a frame, now or later, once; an empty chain means that it was looked up and has no name.
int store_writer__name(struct store_writer *writer, uint32_t frame, const struct store_line *chain, size_t length);

// Appends one interval: everything interned since the last one and these values, in one transaction. On failure
// (-ENOSPC, -EIO, ...) the file stays as it was; the interned ids are kept and written with the next interval.
int store_writer__append(struct store_writer *writer, const struct store_interval *interval,
                         const struct store_value *values, size_t value_count, const struct store_histogram *histograms,
                         size_t histogram_count, struct fault *fault);

// Adds an incident, in a transaction of its own.
int store_writer__incident(struct store_writer *writer, const struct store_incident *incident, struct fault *fault);

// Writes names that came after the last interval.
int store_writer__flush(struct store_writer *writer, struct fault *fault);

uint64_t store_writer__bytes(const struct store_writer *writer); // the file's size, WAL included

#endif
