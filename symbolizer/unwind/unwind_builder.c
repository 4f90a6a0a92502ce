#include "symbolizer/unwind/unwind_builder.h"

#include <errno.h>
#include <string.h>

#include "store/base/grow.h"

// A granule holds this many rows or more on average: its two words of index and first row are then 3 % of the table.
#define ROWS_A_GRANULE 64

static uint64_t bits_of(struct unwind_rule rule)
{
    uint64_t bits;
    memcpy(&bits, &rule, sizeof(bits));
    return bits;
}

static uint32_t number_of(struct unwind_builder *builder, struct unwind_rule rule)
{
    uint64_t bits = bits_of(rule);
    uint32_t number;
    if (id_map__get(&builder->numbers, bits, &number))
        return number;
    number = (uint32_t)builder->rule_count;
    if (number == UNWIND_RULES_MAX || GROW(builder->rules, builder->rule_capacity, builder->rule_count + 1) != 0 ||
        id_map__put(&builder->numbers, bits, number) != 0) {
        builder->failed = true;
        return 0;
    }
    builder->rules[builder->rule_count++] = rule;
    return number;
}

void unwind_builder__add(struct unwind_builder *builder, uint32_t offset, struct unwind_rule rule)
{
    if (builder->failed)
        return;
    if (builder->rule_count == 0)
        number_of(builder, (struct unwind_rule){.kind = UNWIND_GAP});
    if (builder->count && offset <= builder->rows[builder->count - 1].offset) {
        offset = builder->rows[builder->count - 1].offset;
        builder->count--;
    }
    uint32_t number = number_of(builder, rule);
    if (builder->count && builder->rows[builder->count - 1].rule == number)
        return;
    if (builder->count >= UNWIND_WORDS_MAX || GROW(builder->rows, builder->capacity, builder->count + 1) != 0) {
        builder->failed = true;
        return;
    }
    builder->rows[builder->count++] = (struct unwind_builder_row){.offset = offset, .rule = number};
}

void unwind_builder__truncate(struct unwind_builder *builder, size_t count)
{
    builder->count = count;
}

struct plan { // how rows fall into granules
    uint32_t base, shift, granules;
    size_t words;
};

// The rows at or behind `first` that lie in the granule: [*ret_begin, *ret_end) without one at its very start, and the
// rule in force there. Returns where the next granule's rows begin.
struct run {
    size_t begin, end;
    uint32_t rule;
};

static struct run next_run(const struct unwind_builder *builder, const struct plan *plan, uint32_t granule,
                           size_t first)
{
    uint64_t start = plan->base + ((uint64_t)granule << plan->shift), end = start + (1ull << plan->shift);
    struct run run = {.begin = first, .rule = first ? builder->rows[first - 1].rule : 0};
    if (first < builder->count && builder->rows[first].offset == start)
        run.rule = builder->rows[run.begin++].rule;
    for (run.end = run.begin; run.end < builder->count && builder->rows[run.end].offset < end;)
        run.end++;
    return run;
}

// False when a run would be too long: the granules must be smaller.
static bool measure(const struct unwind_builder *builder, struct plan *plan)
{
    uint32_t last = builder->rows[builder->count - 1].offset;
    plan->base = builder->rows[0].offset >> plan->shift << plan->shift;
    plan->granules = ((last - plan->base) >> plan->shift) + 1;
    plan->words = UNWIND_HEAD_WORDS + (size_t)plan->granules;
    uint32_t shared = UINT32_MAX;
    size_t first = 0;
    for (uint32_t granule = 0; granule < plan->granules; granule++) {
        struct run run = next_run(builder, plan, granule, first);
        if (run.end - run.begin > UNWIND_RUN_MAX)
            return false;
        if (run.begin < run.end || run.rule != shared)
            plan->words += 1 + run.end - run.begin;
        if (run.begin == run.end)
            shared = run.rule;
        first = run.end;
    }
    return true;
}

static int make_plan(const struct unwind_builder *builder, struct plan *ret_plan)
{
    uint64_t span = (uint64_t)builder->rows[builder->count - 1].offset - builder->rows[0].offset + 1;
    struct plan plan = {.shift = UNWIND_SHIFT_MIN};
    while (plan.shift < UNWIND_SHIFT_MAX && builder->count / ((span >> plan.shift) + 1) < ROWS_A_GRANULE)
        plan.shift++;
    while (!measure(builder, &plan))
        plan.shift--; // ends at UNWIND_SHIFT_MIN, where a run has at most 256 rows
    if (plan.words > UNWIND_WORDS_MAX)
        return -E2BIG;
    *ret_plan = plan;
    return 0;
}

static void fill(const struct unwind_builder *builder, const struct plan *plan, uint32_t *words)
{
    struct unwind_head head = {
        .base = plan->base, .granules = plan->granules, .shift = plan->shift, .words = (uint32_t)plan->words};
    memcpy(words, &head, sizeof(head));
    uint32_t *index = words + UNWIND_HEAD_WORDS;
    uint32_t at = UNWIND_HEAD_WORDS + plan->granules, shared = UINT32_MAX, shared_at = 0;
    size_t first = 0;
    for (uint32_t granule = 0; granule < plan->granules; granule++) {
        struct run run = next_run(builder, plan, granule, first);
        first = run.end;
        if (run.begin == run.end && run.rule == shared) {
            index[granule] = shared_at;
            continue;
        }
        if (run.begin == run.end) {
            shared = run.rule;
            shared_at = at;
        }
        index[granule] = at;
        words[at++] = (uint32_t)(run.end - run.begin) << 16 | run.rule;
        uint32_t start = plan->base + (granule << plan->shift);
        for (size_t i = run.begin; i < run.end; i++)
            words[at++] = (builder->rows[i].offset - start) << 16 | builder->rows[i].rule;
    }
}

int unwind_builder__pack(struct unwind_builder *builder, struct unwind_table **ret_table)
{
    if (builder->count == 0)
        unwind_builder__add(builder, 0, (struct unwind_rule){.kind = UNWIND_GAP});
    if (builder->failed)
        return builder->count >= UNWIND_WORDS_MAX || builder->rule_count == UNWIND_RULES_MAX ? -E2BIG : -ENOMEM;
    struct plan plan;
    int err = make_plan(builder, &plan);
    if (err)
        return err;
    _cleanup_(unwind_table__freep) struct unwind_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    table->word_count = plan.words;
    table->words = calloc(plan.words, sizeof(*table->words));
    table->rule_count = builder->rule_count;
    table->rules = malloc(builder->rule_count * sizeof(*table->rules));
    if (!table->words || !table->rules)
        return -ENOMEM;
    memcpy(table->rules, builder->rules, builder->rule_count * sizeof(*table->rules));
    fill(builder, &plan, table->words);
    *ret_table = take_pointer(table);
    return 0;
}

void unwind_builder__release(struct unwind_builder *builder)
{
    free(builder->rows);
    free(builder->rules);
    id_map__release(&builder->numbers);
    *builder = (struct unwind_builder){0};
}
