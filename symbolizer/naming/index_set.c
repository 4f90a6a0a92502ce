#include "symbolizer/naming/index_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/base/grow.h"
#include "store/base/limits.h"
#include "symbolizer/companions/debug_dirs.h"
#include "symbolizer/companions/debuginfod.h"
#include "symbolizer/elf/file_identity.h"
#include "symbolizer/index/index_cache.h"
#include "symbolizer/naming/naming_tries.h"

// Beyond so many pieces the next one holds every unit and replaces them all.
#define PIECES_MAX 16

struct piece {
    void *bytes;
    size_t length_bytes;
    struct index index;
};

// A file as it is now, compared as bytes: zeroed before it is filled.
struct file_state {
    uint64_t device, inode, size_bytes;
    int64_t changed_s, changed_ns;
};

struct index_key { // the build id with what else is the binary's own, or else the file
    struct index_cache_key binary;
    struct file_state file;
};

struct index_pieces {
    struct index_key key;
    bool asked_cache;
    int failure;              // of the last job, or 0
    bool is_counted;          // among counts.failed
    struct file_state failed; // the file that failed
    uint64_t used_at;
    size_t count;
    struct piece pieces[PIECES_MAX];
};

struct index_set {
    const struct symbolizer_options *options;
    struct worker *worker;     // borrowed
    struct index_cache *cache; // NULL: none
    struct symbolizer_counts counts;
    struct index_pieces **entries;
    size_t count;
    uint64_t clock;
    uint64_t loaded_bytes;
    struct buf partial; // struct index_key: counted as fallbacks
};

static void drop_pieces(struct index_set *set, struct index_pieces *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        munmap(entry->pieces[i].bytes, entry->pieces[i].length_bytes);
        set->loaded_bytes -= entry->pieces[i].length_bytes;
    }
    entry->count = 0;
}

int index_set__new(const struct symbolizer_options *options, struct worker *worker, struct fault *fault,
                   struct index_set **ret_set)
{
    _cleanup_(index_set__freep) struct index_set *set = calloc(1, sizeof(*set));
    if (!set)
        return fault__set(fault, -ENOMEM, "out of memory");
    int err = options->cache_dir ? index_cache__open(options->cache_dir, options->cache_bytes, fault, &set->cache) : 0;
    if (err)
        return err;
    set->options = options;
    set->worker = worker;
    *ret_set = take_pointer(set);
    return 0;
}

void index_set__free(struct index_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        drop_pieces(set, set->entries[i]);
        free(set->entries[i]);
    }
    index_cache__free(set->cache);
    buf__release(&set->partial);
    free(set->entries);
    free(set);
}

static int look_at(int fd, struct file_state *ret_state)
{
    struct stat status;
    memset(ret_state, 0, sizeof(*ret_state));
    if (fstat(fd, &status) != 0)
        return -errno;
    ret_state->device = status.st_dev;
    ret_state->inode = status.st_ino;
    ret_state->size_bytes = (uint64_t)status.st_size;
    ret_state->changed_s = status.st_ctim.tv_sec;
    ret_state->changed_ns = status.st_ctim.tv_nsec;
    return 0;
}

static int make_key(const struct symbol_file *file, struct index_key *ret_key)
{
    memset(ret_key, 0, sizeof(*ret_key));
    struct file_identity read = file->identity;
    if (file->identity.build_id_bytes == 0)
        return look_at(file->fd, &ret_key->file);
    int err = file->identity.digest ? 0 : file_identity__read(file->fd, &read);
    memcpy(ret_key->binary.build_id, file->identity.build_id, sizeof(ret_key->binary.build_id));
    ret_key->binary.digest = read.digest;
    return err;
}

static int find_or_add(struct index_set *set, const struct index_key *key, struct index_pieces **ret_entry)
{
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(&set->entries[i]->key, key, sizeof(*key)) != 0)
            continue;
        *ret_entry = set->entries[i];
        return 0;
    }
    if (RESIZE(set->entries, set->count + 1) != 0)
        return -ENOMEM;
    struct index_pieces *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    entry->key = *key;
    set->entries[set->count++] = entry;
    *ret_entry = entry;
    return 0;
}

// Lets the least lately used go, but never `keep`.
static void shrink(struct index_set *set, const struct index_pieces *keep)
{
    while (set->loaded_bytes > LIMIT_LOADED_INDEX_BYTES || set->count > LIMIT_LOADED_INDEXES) {
        size_t oldest = SIZE_MAX;
        for (size_t i = 0; i < set->count; i++)
            if (set->entries[i] != keep &&
                (oldest == SIZE_MAX || set->entries[i]->used_at < set->entries[oldest]->used_at))
                oldest = i;
        if (oldest == SIZE_MAX)
            return;
        drop_pieces(set, set->entries[oldest]);
        free(set->entries[oldest]);
        set->entries[oldest] = set->entries[--set->count];
    }
}

static bool is_complete(const struct index_pieces *entry)
{
    return entry->count > 0 && entry->pieces[0].index.header->complete;
}

static bool is_missing(const struct index_pieces *entry, uint64_t offset)
{
    struct index_frame chain[LIMIT_CHAIN];
    size_t length;
    if (entry->count == 0)
        return true;
    for (size_t i = 0; i < entry->count; i++)
        if (index__find(&entry->pieces[i].index, offset, true, chain, &length) != INDEX_ANSWER_NOT_HERE)
            return false;
    return true;
}

// Counts a binary once, also when its index is dropped and made again; the last LIMIT_PARTIAL_INDEXES are kept.
static void count_partial(struct index_set *set, const struct index_pieces *entry)
{
    struct index_key *keys = (struct index_key *)set->partial.data;
    size_t count = set->partial.length_bytes / sizeof(*keys);
    for (size_t i = 0; i < count; i++)
        if (memcmp(&keys[i], &entry->key, sizeof(*keys)) == 0)
            return;
    if (count < LIMIT_PARTIAL_INDEXES)
        buf__append(&set->partial, &entry->key, sizeof(entry->key));
    else
        keys[set->counts.fallbacks % count] = entry->key;
    set->counts.fallbacks++;
}

static void adopt_piece(struct index_set *set, struct index_pieces *entry, const struct piece *piece)
{
    if (piece->index.header->complete || entry->count == PIECES_MAX)
        drop_pieces(set, entry);
    if (piece->index.header->refused > 0)
        count_partial(set, entry);
    set->loaded_bytes += piece->length_bytes;
    entry->pieces[entry->count++] = *piece;
}

static bool has_build_id(const struct index_pieces *entry)
{
    static const uint8_t none[20];
    return memcmp(entry->key.binary.build_id, none, sizeof(none)) != 0;
}

// An index of another build id is not for the disk: the file may have been replaced before the worker read it. Neither
// is one by the symbol table alone.
static bool may_be_saved(const struct index_pieces *entry, const struct made_index *made)
{
    return has_build_id(entry) && made->reader != NAMING_BY_NOBODY &&
           memcmp(made->index.header->build_id, entry->key.binary.build_id, sizeof(entry->key.binary.build_id)) == 0;
}

// Takes over an index that a worker made.
static void add_piece(struct index_set *set, struct index_pieces *entry, const struct made_index *made)
{
    struct piece piece = {made->bytes, made->length_bytes, made->index};
    if (made->reader == NAMING_BY_NOBODY)
        count_partial(set, entry);
    adopt_piece(set, entry, &piece);
    if (!set->cache || !may_be_saved(entry, made))
        return;
    unsigned number = (unsigned)entry->count - 1;
    // If it fails, the next recording makes the index again.
    index_cache__save(set->cache, &entry->key.binary, number, piece.bytes, piece.length_bytes, true);
    for (unsigned i = 1; piece.index.header->complete && i < PIECES_MAX; i++)
        index_cache__remove(set->cache, &entry->key.binary, i);
}

static bool has_debug_file(const struct debug_dirs *where, const struct index_pieces *entry)
{
    struct companion companion = {.kind = COMPANION_DEBUG_BY_ID, .build_id_bytes = 20};
    _cleanup_fd_ int fd = -1;
    memcpy(companion.build_id, entry->key.binary.build_id, sizeof(companion.build_id));
    return debug_dirs__open(where, &companion, &fd) == 0;
}

// Loads the indexes of a binary from the disk; but not the index of one whose debug file was installed since it was
// made.
static void load_cached(struct index_set *set, const struct debug_dirs *where, struct index_pieces *entry)
{
    if (!set->cache || entry->asked_cache || !has_build_id(entry))
        return;
    entry->asked_cache = true;
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        struct piece piece;
        if (index_cache__load(set->cache, &entry->key.binary, i, &piece.bytes, &piece.length_bytes, &piece.index) != 0)
            break;
        if (!piece.index.header->has_dwarf && has_debug_file(where, entry)) {
            munmap(piece.bytes, piece.length_bytes);
            break;
        }
        adopt_piece(set, entry, &piece);
        set->counts.cache_hits++;
    }
}

struct companions { // what an opener of them knows
    struct debug_dirs where;
    bool debuginfod;
};

static int open_companion(void *context, const struct companion *companion, int *ret_fd)
{
    const struct companions *companions = context;
    int err = debug_dirs__open(&companions->where, companion, ret_fd);
    bool has_id = companion->kind == COMPANION_DEBUG_BY_ID || companion->kind == COMPANION_ALTERNATE;
    if (err && companions->debuginfod && has_id)
        err = debuginfod__open(companion->build_id, companion->build_id_bytes, ret_fd);
    return err;
}

static struct debug_dirs debug_dirs_of(const struct index_set *set, const struct symbol_file *file)
{
    static const char *const default_dirs[] = {"/usr/lib/debug", NULL};
    return (struct debug_dirs){.dirs = set->options->debug_dirs ? set->options->debug_dirs : default_dirs,
                               .root_fd = file->root_fd,
                               .path = file->path,
                               .has_owner = true,
                               .owner = file_identity__owner(file->fd)};
}

static int run_job(struct index_set *set, const struct symbol_file *file, const uint64_t *offsets, size_t count,
                   struct index_pieces *entry)
{
    struct companions companions = {debug_dirs_of(set, file), set->options->debuginfod};
    struct naming_request request = {.fd = file->fd,
                                     .offsets = offsets,
                                     .count = count,
                                     .complete = entry->count + 1 >= PIECES_MAX,
                                     .is_quick = set->options->is_quick && !file->is_patient,
                                     .companions = {open_companion, &companions}};
    struct made_index made;
    int err = naming_tries__run(set->worker, &request, &set->counts, &made);
    if (!err)
        add_piece(set, entry, &made);
    return err;
}

int index_set__load(struct index_set *set, const struct symbol_file *file, const uint64_t *offsets, size_t count,
                    const struct index_pieces **ret_pieces)
{
    struct index_key key;
    struct index_pieces *entry;
    struct file_state now;
    int err = make_key(file, &key);
    if (!err)
        err = find_or_add(set, &key, &entry);
    if (!err)
        err = look_at(file->fd, &now);
    if (err)
        return err;
    entry->used_at = ++set->clock;
    if (entry->failure && memcmp(&entry->failed, &now, sizeof(now)) != 0)
        entry->failure = 0; // another file of that build id, or it has changed: worth a try
    if (entry->failure && entry->count == 0)
        return entry->failure;
    struct debug_dirs where = debug_dirs_of(set, file);
    load_cached(set, &where, entry);
    _cleanup_free_ uint64_t *some = entry->count ? calloc(count + 1, sizeof(*some)) : NULL;
    const uint64_t *missing = entry->count ? some : offsets;
    size_t missing_count = entry->count ? 0 : count;
    if (entry->count && !some)
        return -ENOMEM;
    for (size_t i = 0; i < count && entry->count && !is_complete(entry); i++)
        if (is_missing(entry, offsets[i]))
            some[missing_count++] = offsets[i];
    if (missing_count > 0 && !entry->failure) {
        err = run_job(set, file, missing, missing_count, entry);
        if (err == -EAGAIN)
            return err;
        entry->failure = err == -EDQUOT ? 0 : err; // the owner's CPU time comes back: try again next time
        entry->failed = now;
        set->counts.failed += err && !entry->is_counted;
        entry->is_counted |= err != 0;
        shrink(set, entry);
        if (err && entry->count == 0)
            return err;
    }
    *ret_pieces = entry;
    return 0;
}

void index_pieces__find(const struct index_pieces *pieces, uint64_t offset, bool no_inline,
                        struct index_chain *ret_chain)
{
    ret_chain->length = 0;
    for (size_t i = 0; i < pieces->count; i++) {
        const struct index *index = &pieces->pieces[i].index;
        enum index_answer answer = index__find(index, offset, no_inline, ret_chain->frames, &ret_chain->length);
        ret_chain->index = index;
        if (answer != INDEX_ANSWER_NOT_HERE)
            return;
    }
}

void index_pieces__cool(const struct index_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        madvise(pieces->pieces[i].bytes, pieces->pieces[i].length_bytes, MADV_DONTNEED);
}

struct symbolizer_counts index_set__counts(const struct index_set *set)
{
    return set->counts;
}
