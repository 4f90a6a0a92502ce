#include "symbolizer/naming_batch.h"

#include <errno.h>
#include <string.h>

#include "store/base/hash.h"
#include "symbolizer/symbol_name.h"

// Fewer are sorted by comparing: a pass over the digits costs as much as counting all of their values.
#define FEW        512
#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

struct answer { // of `count` offsets that follow each other in the order
    const struct index *index;
    size_t first_frame;
    size_t length;
    size_t count;
};

// Mangled names. Each stands once in its index, so that its address is its identity.
struct name_memo {
    struct memo_slot {
        const char *name; // NULL: free
        const char *shown;
    } * slots;
    size_t slot_count;
    size_t used;
};

struct answers {
    struct buf all;    // struct answer
    struct buf frames; // struct index_frame
    struct name_memo memo;
};

static int compare(const void *left, const void *right)
{
    const struct offset_place *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

// One pass of a radix sort; it keeps the order of what has the same digit.
static void sort_by_digit(const struct offset_place *from, struct offset_place *to, size_t count, unsigned shift)
{
    size_t starts[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        starts[(from[i].offset >> shift) % DIGITS]++;
    for (size_t i = 0, sum = 0; i < DIGITS; i++) {
        size_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[(from[i].offset >> shift) % DIGITS]++] = from[i];
}

static int sort_many(struct offset_place **order, size_t count, uint64_t highest)
{
    struct offset_place *other = calloc(count, sizeof(*other));
    if (!other)
        return -ENOMEM;
    for (unsigned shift = 0; shift < 64 && highest >> shift; shift += DIGIT_BITS) {
        sort_by_digit(*order, other, count, shift);
        struct offset_place *sorted = other;
        other = *order;
        *order = sorted;
    }
    free(other);
    return 0;
}

int naming_batch__new(const uint64_t *offsets, size_t count, struct naming_batch *ret_batch)
{
    struct naming_batch batch = {.order = calloc(count + 1, sizeof(*batch.order)), .count = count};
    uint64_t highest = 0;
    if (!batch.order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        batch.order[i] = (struct offset_place){offsets[i], i};
        highest |= offsets[i] == UINT64_MAX ? 0 : offsets[i]; // which stands for no offset, and may stand anywhere
    }
    if (count < FEW)
        qsort(batch.order, count, sizeof(*batch.order), compare);
    else if (sort_many(&batch.order, count, highest) != 0) {
        free(batch.order);
        return -ENOMEM;
    }
    *ret_batch = batch;
    return 0;
}

void naming_batch__release(struct naming_batch *batch)
{
    free(batch->order);
    batch->order = NULL;
}

static void release(struct answers *answers)
{
    buf__release(&answers->all);
    buf__release(&answers->frames);
    free(answers->memo.slots);
}

static struct memo_slot *memo_slot(const struct name_memo *memo, const char *name)
{
    size_t at = hash__mix((uintptr_t)name) & (memo->slot_count - 1);
    while (memo->slots[at].name && memo->slots[at].name != name)
        at = (at + 1) & (memo->slot_count - 1);
    return &memo->slots[at];
}

static bool grow_memo(struct name_memo *memo)
{
    struct name_memo grown = {.slot_count = memo->slot_count ? memo->slot_count * 2 : 256, .used = memo->used};
    grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < memo->slot_count; i++)
        if (memo->slots[i].name)
            *memo_slot(&grown, memo->slots[i].name) = memo->slots[i];
    free(memo->slots);
    *memo = grown;
    return true;
}

static void want_name(struct name_memo *memo, struct shown_names *names, const char *name)
{
    if (!symbol_name__is_mangled(name) || (memo->used * 2 >= memo->slot_count && !grow_memo(memo)))
        return;
    struct memo_slot *slot = memo_slot(memo, name);
    if (slot->name)
        return;
    slot->name = name;
    memo->used++;
    shown_names__want(names, name);
}

static const char *shown_name(const struct name_memo *memo, const char *name)
{
    const struct memo_slot *slot = memo->slot_count ? memo_slot(memo, name) : NULL;
    return slot && slot->shown ? slot->shown : name;
}

static bool is_last(const struct answers *answers, const struct index_chain *chain)
{
    if (answers->all.length_bytes == 0)
        return false;
    const struct answer *last = (const struct answer *)(answers->all.data + answers->all.length_bytes) - 1;
    const struct index_frame *frames = (const struct index_frame *)answers->frames.data + last->first_frame;
    return last->index == chain->index && last->length == chain->length &&
           (chain->length == 0 || memcmp(frames, chain->frames, chain->length * sizeof(*frames)) == 0);
}

// Searches every offset; names that are new are wanted.
static int search(const struct naming_batch *batch, const struct index_pieces *pieces, bool no_inline,
                  struct shown_names *names, struct answers *answers)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct index_chain chain = {.index = NULL};
        index_pieces__find(pieces, batch->order[i].offset, no_inline, &chain);
        if (!is_last(answers, &chain)) {
            struct answer answer = {chain.index, answers->frames.length_bytes / sizeof(struct index_frame),
                                    chain.length, 0};
            buf__append(&answers->all, &answer, sizeof(answer));
            buf__append(&answers->frames, chain.frames, chain.length * sizeof(struct index_frame));
            for (size_t j = 0; j < chain.length && names; j++)
                want_name(&answers->memo, names, chain.index->strings + chain.frames[j].function);
        }
        if (answers->all.failed || answers->frames.failed)
            return -ENOMEM;
        ((struct answer *)(answers->all.data + answers->all.length_bytes))[-1].count++;
    }
    return 0;
}

static void give(const struct naming_batch *batch, const struct answers *answers, symbol_chain_fn *take, void *context)
{
    const struct offset_place *place = batch->order;
    const struct answer *answer = (const struct answer *)answers->all.data;
    const struct answer *end = answer + answers->all.length_bytes / sizeof(*answer);
    for (; answer < end; answer++) {
        const struct index_frame *frames = (const struct index_frame *)answers->frames.data + answer->first_frame;
        struct symbol shown[LIMIT_CHAIN];
        for (size_t i = 0; i < answer->length; i++) {
            const char *name = answer->index->strings + frames[i].function;
            shown[i] = (struct symbol){.function = name[0] ? shown_name(&answers->memo, name) : NULL,
                                       .file = answer->index->strings + frames[i].file,
                                       .line = frames[i].line};
        }
        for (size_t i = 0; i < answer->count; i++, place++)
            take(place->index, shown, answer->length, context);
    }
}

int naming_batch__give(const struct naming_batch *batch, const struct index_pieces *pieces, bool no_inline,
                       struct shown_names *names, struct worker *worker, symbol_chain_fn *take, void *context)
{
    _cleanup_(release) struct answers answers = {0};
    if (names)
        shown_names__trim(names);
    int err = search(batch, pieces, no_inline, names, &answers);
    if (err)
        return err;
    if (names)
        shown_names__learn(names, worker); // without memory, or when the worker fails, names are shown as they are
    for (size_t i = 0; i < answers.memo.slot_count; i++)
        if (answers.memo.slots[i].name)
            answers.memo.slots[i].shown = shown_names__find(names, answers.memo.slots[i].name);
    give(batch, &answers, take, context);
    return 0;
}
