// Reading a store, or a directory of a daemon's day files, without any privilege, while it may still be written to.
//
// Opening loads the dictionaries (threads, binaries, functions); the trie and the intervals are unpacked when first
// asked for. Reads are short transactions, so that a report left open never starves the writer's checkpoints.
// Everything returned is borrowed from the reader and lives as long as it. One thread at a time.
//
// In a directory, what was rolled up may stand there twice or three times: in full intervals, minutes and hours. A
// query gets each moment once (reader_cover.c).
//
// A reader sees the store as it was when it was opened: what a writer appends later is for the next reader.
#ifndef HEARTH_STORE_READER_READER_H
#define HEARTH_STORE_READER_READER_H

#include "store/base/fault.h"
#include "store/store_types.h"

struct store_reader;

// -ENOENT, -EACCES, -EBADMSG (not a store, or damaged; the fault says where), -EPROTO (made by a newer hearth).
int store_reader__open(const char *path, struct fault *fault, struct store_reader **ret_reader);
void store_reader__free(struct store_reader *reader);

// Which part of a directory to open: its files are left out that have nothing of the range by their names
// (store/day_file.h), so that a report of an hour does not read the names of a year. Where none would be left, all are
// opened.
struct store_part {
    uint64_t since_ns, until_ns; // until_ns 0: no end
    const char *const *names;    // only these files; NULL: all
    size_t name_count;
};
int store_reader__open_part(const char *path, const struct store_part *part, struct fault *fault,
                            struct store_reader **ret_reader);

// The parts of the store that could not be read. A damaged block of values costs only itself: everything else is still
// given, and whoever shows the rest shows this too.
struct store_damage {
    uint64_t places;  // how many; 0: the store is whole
    uint64_t samples; // missing for that, as far as it is known
    char first[256];  // what and where, of the first one
};
// Grows while things are read: ask at the end.
const struct store_damage *store_reader__damage(const struct store_reader *reader);

// Of the newest file, where there are several.
const struct store_meta *store_reader__meta(const struct store_reader *reader);

// Dictionaries: ids go from 1 to the count. NULL for an id that is not there.
uint32_t store_reader__event_count(const struct store_reader *reader);
const struct store_event *store_reader__event(const struct store_reader *reader, uint32_t event);
uint32_t store_reader__process_count(const struct store_reader *reader);
const struct store_process *store_reader__process(const struct store_reader *reader, uint32_t process);

struct store_thread {
    uint32_t process;
    uint32_t tid; // 0: all threads of that comm
    const char *comm;
};
const struct store_thread *store_reader__thread(const struct store_reader *reader, uint32_t thread);

uint32_t store_reader__thread_count(const struct store_reader *reader);

uint32_t store_reader__binary_count(const struct store_reader *reader);
const struct store_binary *store_reader__binary(const struct store_reader *reader, uint32_t binary);

struct store_frame {
    uint32_t binary;
    uint64_t offset;
    const struct store_line *chain; // innermost first; functions that are the same are the same pointer
    size_t chain_length;            // 0: it has no name
};
uint32_t store_reader__frame_count(struct store_reader *reader);
const struct store_frame *store_reader__frame(struct store_reader *reader, uint32_t frame);

// The whole trie: node i's parent (always smaller than i; 0 is the root) and its frame. Index 0 is unused.
struct store_trie {
    const uint32_t *parents;
    const uint32_t *frames;
    uint32_t count; // nodes go from 1 to count - 1
};
int store_reader__trie(struct store_reader *reader, struct fault *fault, const struct store_trie **ret_trie);

// Before a trie or a value is read, for a caller who adds equal stacks up and asks for the trie after the values: equal
// stacks may have several nodes, where a file's writer began its list anew, and a trie that is asked for after values
// has the stacks of those values alone. To look up millions of nodes takes longer than to read them.
void store_reader__allow_twins(struct store_reader *reader);

struct store_interval_row {
    struct store_interval interval;
    uint32_t tier_s; // how long the intervals of its tier are; 0: as drained
    uint32_t id;
    const char *store; // the name of its file, in its meta
    uint32_t own_id;   // there
};

// Which values to read. Zeroes and NULLs ask for everything.
struct store_query {
    uint32_t event;
    uint64_t since_ns, until_ns; // an interval counts when it overlaps [since, until); until_ns 0: no end
    const uint32_t *pids;
    size_t pid_count;
    const uint32_t *tids;
    size_t tid_count;
    const char *comm;                   // matches the thread's comm, by store/base/name_pattern.h
    const char *cgroup;                 // that cgroup and those below it
    const char *unit, *container, *pod; // patterns of store/owner.h
    bool has_uid;
    uint32_t uid;
    bool is_coarse; // the longest intervals that lie in the range whole, not the shortest there are
    bool has_buckets;
    uint16_t bucket_first, bucket_last; // inclusive, by value (store/base/bucket.h)
};

// Whether the query asks for the values of some threads only.
static inline bool store_query__chooses_threads(const struct store_query *query)
{
    return query->pid_count || query->tid_count || query->has_uid || query->comm || query->cgroup || query->unit ||
           query->container || query->pod;
}

// The size and the contents of the store. Reads all names and stacks, no values.
struct store_size {
    uint64_t files;
    uint64_t bytes;  // of the files, their WALs included
    uint64_t values; // rows of all intervals
    uint64_t frames, functions, nodes;
};
int store_reader__size(struct store_reader *reader, struct fault *fault, struct store_size *ret_size);

#endif
