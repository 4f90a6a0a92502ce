// The structures that the files of the reader share: reader.c opens and answers for dictionaries; reader_directory.c
// finds the files, reader_file.c holds one; reader_cover.c knows which intervals were rolled up into which;
// reader_dictionaries.c reads its dictionaries and joins them with the others', reader_frames.c frames and their
// names, reader_trie.c stacks, reader_walk.c intervals.
//
// Each file has ids of its own. A thing that is in two files (a process by pid and start, a binary by build id, a stack
// by its frames) gets one id of the reader; a file's map leads from its ids to the reader's. A reader of one file has
// the same ids as the file, unless its writer began a dictionary anew.
#ifndef HEARTH_STORE_READER_READER_INSIDES_H
#define HEARTH_STORE_READER_READER_INSIDES_H

#include "store/database.h"
#include "store/dictionary.h"
#include "store/pack.h"
#include "store/reader/reader.h"
#include "store/texts.h"

struct id_list { // from the ids of a file to those of the reader; 0: not there
    uint32_t *ids;
    uint32_t count; // ids go from 1 to count - 1
};

static inline uint32_t id_list__at(const struct id_list *list, uint64_t id)
{
    return id < list->count ? list->ids[id] : 0;
}

struct reader_file {
    char *path;
    char *store_name;  // meta's "store": tells whether the file was replaced
    sqlite3 *database; // while somebody reads
    uint32_t holds;    // how many do
    bool is_cut;       // its end is missing
    bool is_unborn;    // its writer ended before it had made the tables
    uint32_t id_end;   // one above what an id may be
    uint32_t node_id_end;
    uint64_t rows_most; // values of all its packs
    bool has_digests;   // of binaries; older files have none
    bool has_sources;   // the table is there; older files have none
    bool has_costs;     // all columns of hearth's own cost are there; older files lack some
    bool has_restarted; // its writer began a dictionary anew: equal stacks may have two ids
    uint64_t first_ns;
    uint32_t interval_base; // the reader's id of an interval is this plus the file's
    uint64_t place_base;    // the place of a full interval is this plus the file's id; 0: nothing was made of this file
    uint32_t interval_end;  // one above the last interval as the file was opened: what comes later is not seen
    uint32_t node_end;      // the same of nodes
    struct id_list events, processes, threads, binaries, functions, files, frames, nodes;
    bool has_frames;
    uint32_t *own_parents, *own_frames; // of nodes, by the file's ids, while they may still be joined
};

// A row of the table `source`.
struct reader_source {
    const char *owner, *store; // names of files, interned
    uint32_t own_interval;     // the owner's id of the sum
    uint32_t first, last;      // full intervals of `store`
    uint32_t tier_s;
    uint64_t start_ns, end_ns; // of the sum
    uint32_t interval;         // the reader's id of the sum
    uint64_t place;            // of the first full interval, among those of all files
};

// Records of dictionaries: no holes; the key first.
struct reader_process_key {
    uint64_t start_ns;
    uint32_t pid;
    uint32_t zero;
};

struct reader_thread_key {
    uint32_t process, tid, comm;
};

struct reader_binary_key {
    uint8_t build_id[20];
    uint32_t build_id_bytes, kind, path; // path is 0 where there is a build id
    uint64_t digest;                     // 0 where there is none
};

struct reader_frame_key {
    uint64_t offset, chain_hash;
    uint32_t binary, zero;
};

struct store_reader {
    char *path;
    struct reader_file *files; // by time
    size_t file_count;
    struct texts words, functions, sources;
    struct packer *packer;
    struct store_meta meta;
    struct store_damage damage;
    uint64_t value_rows;          // of all packs, while they are counted
    uint32_t interval_count;      // ids of intervals go from 1 to this
    struct reader_source *rolled; // the longest sums first, the rows of one together
    uint32_t rolled_count, rolled_capacity;
    uint64_t place_end; // one above the last place of full intervals

    // Index id - 1.
    struct store_event *events;
    uint32_t event_count;
    struct dictionary process_keys, thread_keys, binary_keys;
    struct store_process *processes;
    struct store_thread *threads;
    struct store_binary *binaries;
    uint32_t binary_count; // their keys, and what stands for damage
    uint32_t process_capacity, thread_capacity, binary_capacity;

    bool has_twins; // store_reader__allow_twins()
    bool has_frames, has_trie;
    struct dictionary frame_keys;
    struct store_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct store_line *lines;
    size_t line_count, line_capacity;
    uint32_t damaged_frame, damaged_binary; // 0: not needed yet
    struct dictionary nodes;                // of several files
    uint32_t *parents, *node_frames;
    struct store_trie trie;
};

// Ids of several files are joined.
static inline bool reader__joins(const struct store_reader *reader)
{
    return reader->file_count > 1 || reader->files[0].has_restarted;
}

// Finds the files and loads their dictionaries.
int reader_directory__load(struct store_reader *reader, const struct store_part *part, struct fault *fault);

// Equal stacks have one node.
static inline bool reader__joins_stacks(const struct store_reader *reader)
{
    return reader->file_count > 1 || (reader->files[0].has_restarted && !reader->has_twins);
}

// Connects to the file, and checks that it is the one that was opened; calls nest.
int reader_file__hold(struct reader_file *file, struct fault *fault);
void reader_file__release(struct reader_file *file);
// Holds it, calls `load` inside a transaction, and releases it.
int reader_file__in_transaction(struct store_reader *reader, struct reader_file *file, struct fault *fault,
                                int (*load)(struct store_reader *reader, struct reader_file *file,
                                            struct fault *fault));
void reader_file__free(struct reader_file *file);

// Notes what could not be read; samples: how many are missing for it, where that is known.
void reader__note_damage(struct store_reader *reader, const struct reader_file *file, const char *what,
                         uint64_t samples);

// Makes room for an id in a map of this file. -EBADMSG: it is none that a store can have.
int id_list__reserve(struct id_list *list, const struct reader_file *file, uint64_t id);

// Runs `sql` and calls `row` for each; what was read before damage counts, the damage is noted as `what`.
int reader_file__each(struct store_reader *reader, struct reader_file *file, const char *sql, const char *what,
                      int (*row)(struct store_reader *reader, struct reader_file *file, sqlite3_stmt *statement),
                      struct fault *fault);

// Interns the text of a column.
int reader__text(struct texts *texts, sqlite3_stmt *statement, int column, uint32_t *ret_id);

// A flag for each thread, by the reader's id, that the query asks for; untouched when it asks for all of them.
int reader_choice__threads(const struct store_reader *reader, const struct store_query *query, uint8_t **ret_threads);
// The same of processes, by their own comms; flag 0 is that of values whose process is not known.
int reader_choice__processes(const struct store_reader *reader, const struct store_query *query,
                             uint8_t **ret_processes);

// Which intervals were rolled up into which: once, when the files have their places.
int reader_cover__resolve(struct store_reader *reader);
// The rows of a sum, by the reader's id; none of a full interval.
const struct reader_source *reader_cover__sources(const struct store_reader *reader, uint32_t interval,
                                                  size_t *ret_count);
// A flag by the reader's id for each interval that others give to this query; NULL where nothing was rolled up.
int reader_cover__hidden(const struct store_reader *reader, const struct store_query *query, uint8_t **ret_hidden);

// Reads what all questions need. Damage that leaves the rest readable is noted in the reader.
int reader_dictionaries__load(struct store_reader *reader, struct reader_file *file, struct fault *fault);

int reader_frames__load(struct store_reader *reader, struct fault *fault);
int reader_frames__load_of(struct store_reader *reader, struct reader_file *file, struct fault *fault); // one alone
// The frame of nodes whose own cannot be read; after the load.
uint32_t reader_frames__damaged(struct store_reader *reader);
int reader_trie__load(struct store_reader *reader, struct fault *fault);
// Of files that are joined bit by bit: reads the nodes of one; gives one of them, and its callers, the reader's id.
int reader_trie__load_of(struct store_reader *reader, struct reader_file *file, struct fault *fault);
int reader_trie__join(struct store_reader *reader, struct reader_file *file, uint32_t node, uint32_t *ret_node);

#endif
