#include "symbolizer/naming/naming_batch.h"

#include <errno.h>
#include <string.h>

#include "store/base/id_map.h"
#include "symbolizer/symbols/symbol_name.h"

// An offset and its index in one word, which is half as much to sort: files reach a terabyte, batches 16 million. No
// file reaches further.
#define INDEX_BITS     24
#define INDEX_MASK     ((1ull << INDEX_BITS) - 1)
#define OFFSET_NOWHERE (UINT64_MAX >> INDEX_BITS)

// Fewer are sorted by comparing: a pass over the digits costs as much as counting all of their values.
#define FEW        512
#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)

// A batch with many new names is done in parts: while workers demangle those of some, the next one is searched and the
// one before is given. A part is worth the fork of its worker; one worker stays for whoever needs rows meanwhile.
#define PART_NAMES 2048
#define PARTS      (LIMIT_WORKERS - 1)

#define BLOCK 16 // offsets searched together

struct answer { // of `count` offsets that follow each other in the order
    const struct index *index;
    size_t first_frame;
    size_t length;
    size_t count;
};

struct answers {
    struct buf all;     // struct answer
    struct buf frames;  // struct index_frame
    struct buf numbers; // uint32_t, of each frame: its name among the shown names
    struct id_map memo; // a mangled name, by its address: each stands once in its index -> its number
};

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

// One pass of a radix sort; it keeps the order of what has the same digit.
static void sort_by_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
    uint32_t starts[DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        starts[(from[i] >> shift) % DIGITS]++;
    for (uint32_t i = 0, sum = 0; i < DIGITS; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[(from[i] >> shift) % DIGITS]++] = from[i];
}

// They stand in the order of their indexes, and equal offsets stay so.
static int sort_many(uint64_t **order, size_t count, uint64_t highest)
{
    uint64_t *other = reallocarray(NULL, count, sizeof(*other));
    if (!other)
        return -ENOMEM;
    for (unsigned shift = INDEX_BITS; shift < 64 && highest >> (shift - INDEX_BITS); shift += DIGIT_BITS) {
        sort_by_digit(*order, other, count, shift);
        uint64_t *sorted = other;
        other = *order;
        *order = sorted;
    }
    free(other);
    return 0;
}

int naming_batch__new(const uint64_t *offsets, size_t count, struct naming_batch *ret_batch)
{
    uint64_t highest = 0;
    if (count > INDEX_MASK)
        return -E2BIG;
    struct naming_batch batch = {.order = reallocarray(NULL, count + 1, sizeof(*batch.order)), .count = count};
    if (!batch.order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = offsets[i] < OFFSET_NOWHERE ? offsets[i] : OFFSET_NOWHERE;
        batch.order[i] = offset << INDEX_BITS | i;
        highest |= offset == OFFSET_NOWHERE ? 0 : offset; // which may stand anywhere
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
    buf__release(&answers->numbers);
    id_map__release(&answers->memo);
}

static uint32_t want_name(struct id_map *memo, struct shown_names *names, const char *name)
{
    uint32_t number;
    if (!symbol_name__is_mangled(name))
        return SHOWN_AS_IT_IS;
    if (id_map__get(memo, (uintptr_t)name, &number))
        return number;
    number = shown_names__want(names, name);
    if (number != SHOWN_AS_IT_IS && id_map__put(memo, (uintptr_t)name, number) != 0)
        return SHOWN_AS_IT_IS;
    return number;
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

static void add_answer(struct answers *answers, const struct index_chain *chain, struct shown_names *names)
{
    struct answer answer = {chain->index, answers->frames.length_bytes / sizeof(struct index_frame), chain->length, 0};
    // A name of the symbol table comes once: what has it has followed each other.
    bool is_symbol = chain->length == 1 && chain->frames[0].file == 0;
    buf__append(&answers->all, &answer, sizeof(answer));
    buf__append(&answers->frames, chain->frames, chain->length * sizeof(struct index_frame));
    for (size_t i = 0; i < chain->length && names; i++) {
        const char *name = chain->index->strings + chain->frames[i].function;
        uint32_t number = is_symbol ? shown_names__want(names, name) : want_name(&answers->memo, names, name);
        buf__append(&answers->numbers, &number, sizeof(number));
    }
}

static bool has_failed(const struct answers *answers)
{
    return answers->all.failed || answers->frames.failed || answers->numbers.failed;
}

// The names lie anywhere in the index: they are on their way from memory while others are looked at.
static void fetch_names(const struct index_chain *chain)
{
    for (size_t i = 0; i < chain->length; i++) {
        const char *name = chain->index->strings + chain->frames[i].function;
        __builtin_prefetch(name);
        __builtin_prefetch(name + 64);
    }
}

// Searches offsets until enough of their names are new, and returns where it stopped.
static size_t search(const struct naming_batch *batch, size_t from, const struct index_pieces *pieces, bool no_inline,
                     struct shown_names *names, struct answers *answers)
{
    struct index_chain chains[BLOCK]; // large: not cleared each time
    size_t at = from;
    while (at < batch->count && (!names || shown_names__wanted(names) < PART_NAMES) && !has_failed(answers)) {
        size_t count = batch->count - at < BLOCK ? batch->count - at : BLOCK;
        for (size_t i = 0; i < count; i++) {
            chains[i].index = NULL;
            index_pieces__find(pieces, batch->order[at + i] >> INDEX_BITS, no_inline, &chains[i]);
            if (names)
                fetch_names(&chains[i]);
        }
        for (size_t i = 0; i < count; i++) {
            if (at + i == from || !is_last(answers, &chains[i]))
                add_answer(answers, &chains[i], names);
            if (has_failed(answers))
                break;
            ((struct answer *)(answers->all.data + answers->all.length_bytes))[-1].count++;
        }
        at += count;
    }
    return at;
}

struct part {          // of a batch, while its names are being demangled
    size_t first, end; // offsets
    size_t first_answer, end_answer;
    struct learning learning;
};

static void give(const struct naming_batch *batch, const struct part *part, const struct answers *answers,
                 const struct shown_names *names, symbol_chain_fn *take, void *context)
{
    const uint64_t *place = batch->order + part->first;
    for (size_t i = part->first_answer; i < part->end_answer; i++) {
        const struct answer *answer = (const struct answer *)answers->all.data + i;
        const struct index_frame *frames = (const struct index_frame *)answers->frames.data + answer->first_frame;
        const uint32_t *numbers = (const uint32_t *)answers->numbers.data + (names ? answer->first_frame : 0);
        struct symbol shown[LIMIT_CHAIN];
        for (size_t j = 0; j < answer->length; j++) {
            const char *name = names ? shown_names__text(names, numbers[j]) : NULL;
            if (!name)
                name = answer->index->strings + frames[j].function;
            shown[j] = (struct symbol){.function = name[0] ? name : NULL,
                                       .file = answer->index->strings + frames[j].file,
                                       .line = frames[j].line};
        }
        for (size_t j = 0; j < answer->count; j++, place++)
            take(*place & INDEX_MASK, shown, answer->length, context);
    }
}

static void give_none(const struct naming_batch *batch, size_t first, size_t end, symbol_chain_fn *take, void *context)
{
    for (size_t i = first; i < end; i++)
        take(batch->order[i] & INDEX_MASK, NULL, 0, context);
}

static int begin_part(const struct naming_batch *batch, size_t from, const struct index_pieces *pieces, bool no_inline,
                      struct shown_names *names, struct worker *worker, struct answers *answers, struct part *ret_part)
{
    *ret_part = (struct part){.first = from, .first_answer = answers->all.length_bytes / sizeof(struct answer)};
    ret_part->end = search(batch, from, pieces, no_inline, names, answers);
    ret_part->end_answer = answers->all.length_bytes / sizeof(struct answer);
    if (names)
        shown_names__begin(names, worker, &ret_part->learning);
    return has_failed(answers) ? -ENOMEM : 0;
}

int naming_batch__give(const struct naming_batch *batch, const struct index_pieces *pieces, bool no_inline,
                       struct shown_names *names, struct worker *worker, symbol_chain_fn *take, void *context)
{
    _cleanup_(release) struct answers answers = {0};
    struct part parts[PARTS]; // a ring
    size_t begun = 0, given = 0, from = 0;
    int err = 0;
    if (names)
        shown_names__trim(names);
    while (given < begun || (from < batch->count && !err)) {
        if (from < batch->count && begun - given < PARTS && !err) {
            struct part *part = &parts[begun++ % PARTS];
            err = begin_part(batch, from, pieces, no_inline, names, worker, &answers, part);
            from = part->end;
            continue;
        }
        struct part *part = &parts[given++ % PARTS];
        if (names) // without memory, or when the worker fails, names are shown as they are
            shown_names__end(names, &part->learning);
        if (!err)
            give(batch, part, &answers, names, take, context);
        else
            give_none(batch, part->first, part->end, take, context);
    }
    give_none(batch, from, batch->count, take, context); // what memory did not suffice for
    return err;
}
