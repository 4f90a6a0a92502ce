// The structures that the files of the writer share: writer.c opens, appends and closes; writer_resume.c reads what a
// store knows already; writer_words.c takes what is interned; writer_rows.c puts it into the tables. Nobody else
// includes this.
#ifndef HEARTH_STORE_WRITER_WRITER_INSIDES_H
#define HEARTH_STORE_WRITER_WRITER_INSIDES_H

#include "store/base/buf.h"
#include "store/database.h"
#include "store/dictionary.h"
#include "store/pack.h"
#include "store/texts.h"
#include "store/writer/writer.h"

struct writer_event {
    char *name, *unit, *detail;
    uint64_t period;
    bool is_histogram, is_doubled;
};

// Records of dictionaries: no holes, the key first; words are ids of texts.
struct writer_process {
    uint64_t start_ns;
    uint32_t pid; // the key ends here
    uint32_t parent_pid, uid;
    uint32_t comm, exe, cgroup, container;
    uint32_t is_dirty; // changed since it was written
};

struct writer_thread {
    uint32_t process, tid, comm;
};

struct writer_binary {
    uint8_t build_id[20];
    uint32_t build_id_bytes;
    uint64_t digest;             // 0 where there is no build id
    uint32_t key_kind, key_path; // 0 where there is a build id; the key ends here
    uint32_t kind, path;
};

struct writer_frame {
    uint32_t offset_low, offset_high, binary; // the key ends here
    uint16_t is_named;
    uint16_t is_wanted; // somebody was told that it wants a name
};

// A row of frame_line that waits to be written.
struct writer_line {
    uint32_t frame, depth, function, file, line;
};

enum writer_statement {
    WRITER_META,
    WRITER_EVENT,
    WRITER_PROCESS,
    WRITER_THREAD,
    WRITER_BINARY,
    WRITER_FUNCTION,
    WRITER_FILE,
    WRITER_FRAME,
    WRITER_LINE,
    WRITER_INTERVAL,
    WRITER_SOURCE,
    WRITER_TOTAL,
    WRITER_PROCESS_TOTAL,
    WRITER_LOSS,
    WRITER_VALUE_PACK,
    WRITER_NODE_PACK,
    WRITER_HISTOGRAM,
    WRITER_PROCESS_OF_THREAD,
    WRITER_INCIDENT,
    WRITER_STATEMENT_COUNT,
};

// Sums of one process (or all) in one event of an interval.
struct writer_sum {
    uint32_t process;
    uint64_t samples, value;
};

struct store_writer {
    char *path;
    sqlite3 *database;
    int lock_fd; // on the file, held until the database is closed: closing it would drop SQLite's own locks
    sqlite3_stmt *statements[WRITER_STATEMENT_COUNT];
    struct packer *packer;

    struct writer_event *events;
    uint32_t event_count, events_written;
    struct texts words; // of processes and threads
    struct texts paths; // of binaries
    struct texts functions, files;
    uint32_t functions_written, files_written;
    struct dictionary processes, threads, binaries, frames, nodes;
    struct buf lines; // of struct writer_line, waiting
    bool has_dirty_processes;
    uint32_t restarts, restarts_written;

    uint32_t next_interval;
    struct store_value *values; // scratch: those of an append, sorted
    size_t values_capacity;
    struct writer_sum *sums;
    size_t sums_capacity;
};

// Everything interned that the file does not have yet. Inside a transaction.
int writer_rows__put_dictionaries(struct store_writer *writer);
// An interval; the result is an errno, and SQLite's connection knows more. -EINVAL: a value that nobody could have
// given.
int writer_rows__put_incident(struct store_writer *writer, const struct store_incident *incident);
int writer_rows__put_interval(struct store_writer *writer, const struct store_interval *interval,
                              const struct store_value *values, size_t value_count,
                              const struct store_histogram *histograms, size_t histogram_count);
// The statement, ready to be bound; NULL and *ret_err where it cannot be had.
sqlite3_stmt *writer_rows__statement(struct store_writer *writer, enum writer_statement which, int *ret_err);
void writer_rows__put_meta(struct store_writer *writer, const char *key, const char *value, int *err);

// Fills the dictionaries with what the file has, so that ids go on. -EBADMSG: damaged.
int writer_resume__load(struct store_writer *writer);

// After a commit: what waited is written; what grew past its limit begins anew.
void writer_words__wrote(struct store_writer *writer);
void writer_words__release(struct store_writer *writer);
void writer_words__init(struct store_writer *writer);

#endif
