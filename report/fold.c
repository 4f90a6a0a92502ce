// Two steps. The rows are first added up by (root, trie node): a day of intervals becomes as many pairs as there are
// distinct stacks. Then, root by root, each trie node that a pair reaches is given its node in the profile, once:
//
//   places[]  trie node -> profile node, of the root at hand; cleared through the list of those touched
//   expanded  store frame -> labels, outermost first: [foo inlined into main] -> {main, foo _[i]}
#include "report/fold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/base/cleanup.h"
#include "store/base/hash.h"
#include "store/base/limits.h"

static const char unknown[] = "[unknown]"; // the collector's word too

struct pair {
    uint32_t root; // label
    uint32_t node; // of the store's trie; 0: no stack
    uint64_t samples, value;
};

struct fold {
    struct profile *profile;
    unsigned side;
    struct store_reader *reader;
    const struct store_trie *trie;
    struct fold_extent extent;
    // Rows added up.
    struct pair *pairs;
    uint32_t pair_count, pair_capacity;
    uint32_t *slots; // pair + 1, by hash; twice as many as pair_capacity
    uint32_t *roots; // label + 1, by thread
    uint32_t root_capacity;
    // Frames expanded.
    uint32_t *expanded; // by frame: where in `chains` its labels begin; 0: not yet
    uint32_t frame_count;
    uint32_t *chains; // how many labels, then these
    uint32_t chain_used, chain_capacity;
    // Stacks placed.
    uint32_t *places, *touched;
};

static void fold__release(struct fold *fold)
{
    free(fold->pairs);
    free(fold->slots);
    free(fold->roots);
    free(fold->expanded);
    free(fold->chains);
    free(fold->places);
    free(fold->touched);
}

static int grow_pairs(struct fold *fold)
{
    if (fold->pair_capacity > UINT32_MAX / 8)
        return -EOVERFLOW;
    uint32_t capacity = fold->pair_capacity ? fold->pair_capacity * 2 : 4096;
    struct pair *pairs = reallocarray(fold->pairs, capacity, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    fold->pairs = pairs;
    uint32_t *slots = calloc(capacity * 2, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < fold->pair_count; i++) {
        uint32_t slot = (uint32_t)hash__mix((uint64_t)pairs[i].root << 32 | pairs[i].node) & (capacity * 2 - 1);
        while (slots[slot])
            slot = (slot + 1) & (capacity * 2 - 1);
        slots[slot] = i + 1;
    }
    free(fold->slots);
    fold->slots = slots;
    fold->pair_capacity = capacity;
    return 0;
}

static int find_pair(struct fold *fold, uint32_t root, uint32_t node, struct pair **ret_pair)
{
    if (fold->pair_count == fold->pair_capacity) {
        int err = grow_pairs(fold);
        if (err)
            return err;
    }
    uint32_t mask = fold->pair_capacity * 2 - 1, slot = (uint32_t)hash__mix((uint64_t)root << 32 | node) & mask;
    for (; fold->slots[slot]; slot = (slot + 1) & mask) {
        struct pair *pair = &fold->pairs[fold->slots[slot] - 1];
        if (pair->root == root && pair->node == node) {
            *ret_pair = pair;
            return 0;
        }
    }
    fold->slots[slot] = fold->pair_count + 1;
    *ret_pair = &fold->pairs[fold->pair_count++];
    **ret_pair = (struct pair){.root = root, .node = node};
    return 0;
}

// "COMM", or with threads "COMM-PID/TID" ("COMM-PID" where the recording kept no threads apart).
static int name_root(struct fold *fold, uint32_t thread_id, uint32_t *ret_label)
{
    const struct store_thread *thread = store_reader__thread(fold->reader, thread_id);
    const struct store_process *process = thread ? store_reader__process(fold->reader, thread->process) : NULL;
    const char *comm = thread && thread->comm && *thread->comm ? thread->comm : unknown;
    char name[256];
    if (profile__options(fold->profile)->one_root)
        snprintf(name, sizeof(name), "compared");
    else if (!profile__options(fold->profile)->threads || !process)
        snprintf(name, sizeof(name), "%s", comm);
    else if (thread->tid)
        snprintf(name, sizeof(name), "%s-%" PRIu32 "/%" PRIu32, comm, process->pid, thread->tid);
    else
        snprintf(name, sizeof(name), "%s-%" PRIu32, comm, process->pid);
    return profile__keep_label(fold->profile, &(struct label){.name = name, .kind = LABEL_ROOT}, ret_label);
}

static int find_root(struct fold *fold, uint32_t thread, uint32_t *ret_label)
{
    if (thread >= fold->root_capacity) {
        // Ids count up from 1, so that the array is as long as the store's list of threads.
        uint64_t capacity = thread < 1024 ? 1024 : (uint64_t)thread * 2;
        uint32_t *roots = capacity <= UINT32_MAX ? reallocarray(fold->roots, capacity, sizeof(*roots)) : NULL;
        if (!roots)
            return -ENOMEM;
        memset(roots + fold->root_capacity, 0, (capacity - fold->root_capacity) * sizeof(*roots));
        fold->roots = roots;
        fold->root_capacity = (uint32_t)capacity;
    }
    if (!fold->roots[thread]) {
        uint32_t label;
        int err = name_root(fold, thread, &label);
        if (err)
            return err;
        fold->roots[thread] = label + 1;
    }
    *ret_label = fold->roots[thread] - 1;
    return 0;
}

void fold_extent__widen(struct fold_extent *extent, const struct store_interval *interval)
{
    if (!extent->rows++ || interval->start_ns < extent->since_ns)
        extent->since_ns = interval->start_ns;
    if (interval->end_ns > extent->until_ns)
        extent->until_ns = interval->end_ns;
}

static int add_row(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct fold *fold = context;
    uint32_t root;
    struct pair *pair;
    int err = find_root(fold, value->thread, &root);
    if (!err)
        err = find_pair(fold, root, value->node, &pair);
    if (err)
        return err;
    pair->samples += value->count;
    pair->value += value->value;
    fold_extent__widen(&fold->extent, &row->interval);
    return 0;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static enum label_kind kind_of(const struct store_binary *binary)
{
    static const enum label_kind kinds[] = {
        [STORE_BINARY_ELF] = LABEL_USER,  [STORE_BINARY_KERNEL] = LABEL_KERNEL, [STORE_BINARY_JIT] = LABEL_JIT,
        [STORE_BINARY_MARK] = LABEL_MARK, [STORE_BINARY_VDSO] = LABEL_USER,
    };
    return (size_t)binary->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[binary->kind] : LABEL_USER;
}

// Functions of one name in two binaries are two, unless only names are asked for. JIT code of several processes is one.
static const char *module_of(const struct fold *fold, const struct store_binary *binary)
{
    if (profile__options(fold->profile)->names_only)
        return "";
    return binary->kind == STORE_BINARY_JIT ? "[jit]" : file_name(binary->path);
}

// "[libfoo.so+0x1234]"; a file name that has brackets of its own ("[vdso]") gives them up. Code without a file has
// addresses that mean nothing to anyone: "[jit]".
static void name_offset(const struct store_binary *binary, uint64_t offset, char *ret_name, size_t size)
{
    const char *module = file_name(binary->path);
    size_t length = strlen(module);
    bool bracketed = length > 2 && module[0] == '[' && module[length - 1] == ']';
    if (binary->kind == STORE_BINARY_JIT)
        snprintf(ret_name, size, "[jit]");
    else
        snprintf(ret_name, size, "[%.*s+0x%" PRIx64 "]", (int)(bracketed ? length - 2 : length),
                 bracketed ? module + 1 : module, offset);
}

static void name_line(const struct store_line *line, char *ret_name, size_t size)
{
    if (*line->file)
        snprintf(ret_name, size, "%s (%s:%" PRIu32 ")", line->function, file_name(line->file), line->line);
    else
        snprintf(ret_name, size, "%s", line->function);
}

static int push_chain(struct fold *fold, uint32_t value)
{
    if (fold->chain_used == fold->chain_capacity) {
        if (fold->chain_capacity > UINT32_MAX / 8)
            return -EOVERFLOW;
        uint32_t capacity = fold->chain_capacity ? fold->chain_capacity * 2 : 4096;
        uint32_t *chains = reallocarray(fold->chains, capacity, sizeof(*chains));
        if (!chains)
            return -ENOMEM;
        fold->chains = chains;
        fold->chain_capacity = capacity;
    }
    fold->chains[fold->chain_used++] = value;
    return 0;
}

static int push_label(struct fold *fold, const struct label *label)
{
    uint32_t id;
    int err = profile__keep_label(fold->profile, label, &id);
    return err ? err : push_chain(fold, id);
}

// Labels the functions of a frame, outermost first.
static int push_functions(struct fold *fold, const struct store_frame *frame, struct label *label)
{
    const struct profile_options *options = profile__options(fold->profile);
    char name[4096];
    for (size_t i = frame->chain_length; i-- > 0;) {
        const struct store_line *line = &frame->chain[i];
        label->name = line->function;
        if (options->grain == PROFILE_BY_LINE) {
            name_line(line, name, sizeof(name));
            label->name = name;
        }
        label->file = line->file;
        label->line_first = label->line_last = line->line;
        label->inlined = i + 1 < frame->chain_length;
        int err = push_label(fold, label);
        if (err || options->no_inline)
            return err;
    }
    return 0;
}

static int push_frame(struct fold *fold, uint32_t frame_id)
{
    const struct store_frame *frame = store_reader__frame(fold->reader, frame_id);
    const struct store_binary *binary = frame ? store_reader__binary(fold->reader, frame->binary) : NULL;
    if (!binary)
        return push_label(fold, &(struct label){.name = unknown, .kind = LABEL_USER});
    struct label label = {.module = module_of(fold, binary), .kind = kind_of(binary)};
    char name[4096];
    if (label.kind == LABEL_MARK) {
        label.name = frame->chain_length ? frame->chain[0].function : binary->path;
        label.module = "";
        if (strcmp(label.name, unknown) == 0) // an address in no known mapping: code, but nobody's
            label.kind = LABEL_USER;
        return push_label(fold, &label);
    }
    if (profile__options(fold->profile)->grain == PROFILE_BY_FRAME)
        label.frame = frame_id;
    else if (frame->chain_length)
        return push_functions(fold, frame, &label);
    name_offset(binary, frame->offset, name, sizeof(name));
    label.name = name;
    return push_label(fold, &label);
}

static int expand(struct fold *fold, uint32_t frame, const uint32_t **ret_chain)
{
    if (frame >= fold->frame_count)
        frame = 0; // named in the trie, not in the list of frames
    if (!fold->expanded[frame]) {
        uint32_t start = fold->chain_used;
        int err = push_chain(fold, 0);
        if (!err)
            err = push_frame(fold, frame);
        if (err)
            return err;
        fold->chains[start] = fold->chain_used - start - 1;
        fold->expanded[frame] = start;
    }
    *ret_chain = &fold->chains[fold->expanded[frame]];
    return 0;
}

static int descend(struct fold *fold, uint32_t frame, uint32_t *node)
{
    const uint32_t *chain;
    int err = expand(fold, frame, &chain);
    for (uint32_t i = 1; !err && i <= chain[0]; i++)
        err = profile__child(fold->profile, *node, chain[i], node);
    return err;
}

// The profile node of a trie node below `root`: up to the nearest ancestor that has a place, and down again.
static int place(struct fold *fold, uint32_t root, uint32_t node, uint32_t *touched_count, uint32_t *ret_place)
{
    uint32_t first = *touched_count, at = node;
    while (at && !fold->places[at]) {
        fold->touched[(*touched_count)++] = at;
        at = fold->trie->parents[at];
    }
    uint32_t place = at ? fold->places[at] : root;
    for (uint32_t i = *touched_count; i-- > first;) {
        int err = descend(fold, fold->trie->frames[fold->touched[i]], &place);
        if (err)
            return err;
        fold->places[fold->touched[i]] = place;
    }
    *ret_place = place;
    return 0;
}

static int place_root(struct fold *fold, const struct pair *pairs, uint32_t count)
{
    uint32_t root, touched_count = 0;
    int err = profile__child(fold->profile, 0, pairs[0].root, &root);
    for (uint32_t i = 0; !err && i < count; i++) {
        uint32_t node;
        err = place(fold, root, pairs[i].node, &touched_count, &node);
        if (!err)
            profile__count(fold->profile, fold->side, node, pairs[i].samples, pairs[i].value);
    }
    while (touched_count)
        fold->places[fold->touched[--touched_count]] = 0;
    return err;
}

// A store is data from strangers too.
static int check_trie(struct fold *fold, struct fault *fault)
{
    const struct store_trie *trie = fold->trie;
    for (uint32_t i = 1; i < trie->count; i++) {
        if (trie->parents[i] >= i)
            return fault__set(fault, -EBADMSG, "the store is damaged: stack node %" PRIu32 " is its own ancestor", i);
        if (trie->frames[i] >= fold->frame_count && store_reader__frame(fold->reader, trie->frames[i]))
            fold->frame_count = trie->frames[i] + 1;
    }
    for (uint32_t i = 0; i < fold->pair_count; i++)
        if (fold->pairs[i].node && fold->pairs[i].node >= trie->count)
            return fault__set(fault, -EBADMSG, "the store is damaged: there is no stack node %" PRIu32,
                              fold->pairs[i].node);
    return 0;
}

static int by_root_and_node(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    if (left->root != right->root)
        return left->root < right->root ? -1 : 1;
    return left->node < right->node ? -1 : left->node > right->node;
}

static int place_all(struct fold *fold, struct fault *fault)
{
    int err = store_reader__trie(fold->reader, fault, &fold->trie);
    if (!err)
        err = check_trie(fold, fault);
    if (err)
        return err;
    fold->expanded = calloc((size_t)fold->frame_count + 1, sizeof(*fold->expanded));
    fold->places = calloc((size_t)fold->trie->count + 1, sizeof(*fold->places));
    fold->touched = calloc((size_t)fold->trie->count + 1, sizeof(*fold->touched));
    if (!fold->expanded || !fold->places || !fold->touched)
        return -ENOMEM;
    err = push_chain(fold, 0); // so that 0 is no place in `chains`
    qsort(fold->pairs, fold->pair_count, sizeof(*fold->pairs), by_root_and_node);
    for (uint32_t i = 0, next; !err && i < fold->pair_count; i = next) {
        for (next = i + 1; next < fold->pair_count && fold->pairs[next].root == fold->pairs[i].root;)
            next++;
        err = place_root(fold, &fold->pairs[i], next - i);
    }
    return err;
}

int fold__store(struct profile *profile, unsigned side, struct store_reader *reader, const struct store_query *query,
                struct fault *fault, struct fold_extent *ret_extent)
{
    _cleanup_(fold__release) struct fold fold = {.profile = profile, .side = side, .reader = reader};
    int err = store_reader__values(reader, query, fault, add_row, &fold);
    if (!err && fold.pair_count)
        err = place_all(&fold, fault);
    if (err)
        return err;
    *ret_extent = fold.extent;
    return 0;
}
