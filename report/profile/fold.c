// Two steps. The rows are first added up by (root, trie node): a day of intervals becomes as many pairs as there are
// distinct stacks. Then, root by root, each trie node that a pair reaches is given its node in the profile, once:
//
//   places[]  trie node -> profile node, of the root at hand; cleared through the list of those touched
#include "report/profile/fold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/profile/frame_labels.h"
#include "report/profile/thread_split.h"
#include "store/base/cleanup.h"
#include "store/base/grow.h"
#include "store/base/hash.h"
#include "store/base/limits.h"
#include "store/base/wide.h"
#include "store/reader/reader_questions.h"

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
    struct frame_labels *frame_labels;
    // Stacks placed.
    uint32_t *places, *touched;
};

static void fold__release(struct fold *fold)
{
    free(fold->pairs);
    free(fold->slots);
    free(fold->roots);
    frame_labels__free(fold->frame_labels);
    free(fold->places);
    free(fold->touched);
}

static int grow_pairs(struct fold *fold)
{
    if (fold->pair_capacity > UINT32_MAX / 8)
        return -EOVERFLOW;
    if (profile__options(fold->profile)->by_thread && fold->pair_count >= LIMIT_FLAME_THREAD_STACKS)
        return -E2BIG;
    uint32_t capacity = fold->pair_capacity ? fold->pair_capacity * 2 : 4096;
    if (RESIZE(fold->pairs, capacity) != 0)
        return -ENOMEM;
    const struct pair *pairs = fold->pairs;
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

static int name_root(struct fold *fold, uint32_t thread_id, uint32_t *ret_label)
{
    const struct store_thread *thread = store_reader__thread(fold->reader, thread_id);
    const struct store_process *process = thread ? store_reader__process(fold->reader, thread->process) : NULL;
    char name[GROUP_NAME_BYTES] = STORE_MARK_UNKNOWN;
    if (profile__options(fold->profile)->by_thread)
        return thread_split__keep_root(fold->profile, process, thread, ret_label);
    if (process)
        profile__group(fold->profile)->root(process, thread, name);
    return profile__keep_label(fold->profile, &(struct label){.name = name, .kind = LABEL_ROOT}, ret_label);
}

static int find_root(struct fold *fold, uint32_t thread, uint32_t *ret_label)
{
    if (thread >= fold->root_capacity) {
        // Ids count up from 1, so that the array is as long as the store's list of threads.
        uint64_t capacity = thread < 1024 ? 1024 : (uint64_t)thread * 2;
        if (capacity > UINT32_MAX || RESIZE(fold->roots, capacity) != 0)
            return -ENOMEM;
        memset(fold->roots + fold->root_capacity, 0, (capacity - fold->root_capacity) * sizeof(*fold->roots));
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
    pair->value = saturated_sum(pair->value, value->value);
    fold_extent__widen(&fold->extent, &row->interval);
    return 0;
}

static int descend(struct fold *fold, uint32_t frame, uint32_t *node)
{
    const uint32_t *chain;
    const struct store_frame *kept = store_reader__frame(fold->reader, frame);
    fold->extent.is_folded |= kept && store_offset__is_folded(kept->offset);
    int err = frame_labels__of(fold->frame_labels, frame, &chain);
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
static int check_trie(struct fold *fold, struct fault *fault, uint32_t *ret_last_frame)
{
    const struct store_trie *trie = fold->trie;
    uint32_t last_frame = 0;
    for (uint32_t i = 1; i < trie->count; i++) {
        if (trie->parents[i] >= i)
            return fault__set(fault, -EBADMSG, "the store is damaged: stack node %" PRIu32 " is its own ancestor", i);
        if (trie->frames[i] > last_frame && store_reader__frame(fold->reader, trie->frames[i]))
            last_frame = trie->frames[i];
    }
    for (uint32_t i = 0; i < fold->pair_count; i++)
        if (fold->pairs[i].node && fold->pairs[i].node >= trie->count)
            return fault__set(fault, -EBADMSG, "the store is damaged: there is no stack node %" PRIu32,
                              fold->pairs[i].node);
    *ret_last_frame = last_frame;
    return 0;
}

// How many nodes of the trie the pairs reach: about as many as the profile will have.
static int count_reached(const struct fold *fold, uint32_t *ret_count)
{
    _cleanup_free_ uint8_t *seen = calloc(fold->trie->count, 1);
    if (!seen)
        return -ENOMEM;
    uint32_t count = 0;
    for (uint32_t i = 0; i < fold->pair_count; i++)
        for (uint32_t at = fold->pairs[i].node; at && !seen[at]; at = fold->trie->parents[at], count++)
            seen[at] = 1;
    *ret_count = count;
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
    uint32_t last_frame = 0, reached = 0;
    int err = store_reader__trie(fold->reader, fault, &fold->trie);
    if (!err)
        err = check_trie(fold, fault, &last_frame);
    if (!err)
        err = count_reached(fold, &reached);
    if (!err)
        err = profile__reserve(fold->profile, reached);
    if (!err)
        err = frame_labels__new(fold->profile, fold->reader, last_frame, &fold->frame_labels);
    if (err)
        return err;
    fold->places = calloc((size_t)fold->trie->count + 1, sizeof(*fold->places));
    fold->touched = calloc((size_t)fold->trie->count + 1, sizeof(*fold->touched));
    if (!fold->places || !fold->touched)
        return -ENOMEM;
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
    store_reader__allow_twins(reader);
    int err = store_reader__values(reader, query, fault, add_row, &fold);
    if (!err && fold.pair_count)
        err = place_all(&fold, fault);
    if (err)
        return err;
    *ret_extent = fold.extent;
    return 0;
}
