// A store file of a recording: the writer, the rows that were made in it (interned.h), and the intervals that it did
// not take yet. A recording has one, and for a while a second one: the file before it, which still gets names.
#ifndef HEARTH_COLLECTOR_KEEP_STORE_FILE_H
#define HEARTH_COLLECTOR_KEEP_STORE_FILE_H

#include <stdint.h>

#include "collector/keep/interned.h"
#include "collector/keep/waiting.h"
#include "collector/sources/source.h"
#include "store/base/cleanup.h"
#include "store/base/fault.h"
#include "store/writer/writer.h"

struct store_file {
    uint32_t number; // of the files of this recording, from 1
    struct store_writer *writer;
    struct interned *interned;
    struct waiting waiting;
    uint64_t end_ns; // CLOCK_MONOTONIC: when it is closed at the latest; 0: intervals go to it
};

// Puts the event at this place among the recording's into the file.
int store_file__set_event(struct store_file *file, const struct event *events, size_t index);

// Appends what waits, and then the interval. The interval does not wait when that fails.
int store_file__append(struct store_file *file, const struct interval_rows *rows, struct fault *fault);

// Writes what waits, names too.
int store_file__flush(struct store_file *file, struct fault *fault);

// Forgets what waits, of which the counts are returned.
struct waiting_count store_file__give_up(struct store_file *file);

// Ends the file (store_writer__close); it is freed even when that fails.
int store_file__close(struct store_file *file, struct fault *fault);
void store_file__free(struct store_file *file); // as close, for cleanup; says nothing

// A frame of a file, as it is asked a name for (naming__want).
static inline uint64_t store_file__tag(const struct store_file *file, uint32_t frame)
{
    return (uint64_t)file->number << 32 | frame;
}

// The files of a recording that are open.
struct store_files {
    struct store_file *now;    // intervals go to it
    struct store_file *before; // waits for names; NULL: none
    uint32_t count;            // of all that were begun
};

// Puts the events into a new file, which is the one from now on; there must be none before the one up to now. Takes the
// writer, on failure too; then intervals go where they went.
int store_files__begin(struct store_files *files, struct store_writer *writer, const struct event *events,
                       size_t event_count, struct fault *fault);

// Ends the file before this one, if there is one. ret_lost: what it did not take, which is an error too.
int store_files__close_before(struct store_files *files, struct waiting_count *ret_lost, struct fault *fault);

// Puts the name of a frame into the file that the tag tells of; one that is closed takes none any more. Where the
// writer's memory is full, what it holds goes to the disk first. -ENOBUFS: the disk does not take it.
int store_files__name(struct store_files *files, uint64_t tag, const struct store_line *chain, size_t length);

void store_files__release(struct store_files *files);

DEFINE_CLEANUP(struct store_file *, store_file__free);

#endif
