// Packed tables: looked up, walked, checked, renumbered. Their shape is described in bpf/wire/unwind_rows.h.
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "symbolizer/unwind/unwind_rows.h"

static struct unwind_head head_of(const struct unwind_table *table)
{
    struct unwind_head head;
    memcpy(&head, table->words, sizeof(head));
    return head;
}

void unwind_table__free(struct unwind_table *table)
{
    if (!table)
        return;
    if (!table->is_borrowed) {
        free(table->rules);
        free(table->words);
    }
    free(table);
}

static bool run_is_sound(const struct unwind_table *table, const struct unwind_head *head, uint32_t at)
{
    if (at < UNWIND_HEAD_WORDS + head->granules || at >= table->word_count)
        return false;
    uint32_t count = UNWIND_ROW_PLACE(table->words[at]), place = 0;
    if (count > UNWIND_RUN_MAX || count >= table->word_count - at)
        return false;
    if (UNWIND_ROW_RULE(table->words[at]) >= table->rule_count)
        return false;
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t word = table->words[at + i];
        if (UNWIND_ROW_PLACE(word) <= place || UNWIND_ROW_PLACE(word) >> head->shift ||
            UNWIND_ROW_RULE(word) >= table->rule_count)
            return false;
        place = UNWIND_ROW_PLACE(word);
    }
    return true;
}

int unwind_table__check(const struct unwind_table *table)
{
    if (table->word_count < UNWIND_HEAD_WORDS || table->word_count > UNWIND_WORDS_MAX || table->rule_count == 0 ||
        table->rule_count > UNWIND_RULES_MAX || UNWIND_KIND_OF(table->rules[0].kind) != UNWIND_GAP)
        return -EBADMSG;
    if (table->guest.kind >= WIRE_GUEST_END)
        return -EBADMSG;
    struct unwind_head head = head_of(table);
    if (head.words != table->word_count || head.shift < UNWIND_SHIFT_MIN || head.shift > UNWIND_SHIFT_MAX ||
        head.granules == 0 || head.granules > table->word_count - UNWIND_HEAD_WORDS ||
        head.base & ((1u << head.shift) - 1) || head.base + ((uint64_t)head.granules << head.shift) > 1ull << 32)
        return -EBADMSG;
    for (size_t i = 0; i < table->rule_count; i++)
        if (UNWIND_KIND_OF(table->rules[i].kind) > UNWIND_GO_CALL)
            return -EBADMSG;
    // Each run begins where the one before it ends, but for those of one word, which are shared: so no word is left
    // unchecked, and none is checked over and over where all granules share a few long runs.
    uint32_t checked = UNWIND_HEAD_WORDS + head.granules;
    for (uint32_t granule = 0; granule < head.granules; granule++) {
        uint32_t at = table->words[UNWIND_HEAD_WORDS + granule];
        if (at > checked || !run_is_sound(table, &head, at))
            return -EBADMSG;
        if (at == checked)
            checked = at + 1 + UNWIND_ROW_PLACE(table->words[at]);
        else if (UNWIND_ROW_PLACE(table->words[at]) != 0)
            return -EBADMSG;
    }
    return checked == table->word_count ? 0 : -EBADMSG;
}

struct packed_head {
    uint64_t rule_count, word_count;
    struct wire_guest guest;
};

int unwind_table__pack(const struct unwind_table *table, struct buf *ret_bytes)
{
    struct packed_head head = {table->rule_count, table->word_count, table->guest};
    buf__append(ret_bytes, &head, sizeof(head));
    buf__append(ret_bytes, table->rules, table->rule_count * sizeof(*table->rules));
    buf__append(ret_bytes, table->words, table->word_count * sizeof(*table->words));
    return ret_bytes->failed ? -ENOMEM : 0;
}

int unwind_table__unpack(const void *bytes, size_t length, struct unwind_table **ret_table)
{
    struct packed_head head;
    if (length < sizeof(head))
        return -EBADMSG;
    memcpy(&head, bytes, sizeof(head));
    if (head.rule_count > UNWIND_RULES_MAX || head.word_count > UNWIND_WORDS_MAX)
        return -EBADMSG;
    size_t rule_bytes = head.rule_count * sizeof(struct unwind_rule), word_bytes = head.word_count * sizeof(uint32_t);
    if (length != sizeof(head) + rule_bytes + word_bytes)
        return -EBADMSG;
    _cleanup_(unwind_table__freep) struct unwind_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    *table = (struct unwind_table){.rules = malloc(rule_bytes + 1),
                                   .rule_count = head.rule_count,
                                   .words = malloc(word_bytes + 1),
                                   .word_count = head.word_count,
                                   .guest = head.guest};
    if (!table->rules || !table->words)
        return -ENOMEM;
    memcpy(table->rules, (const uint8_t *)bytes + sizeof(head), rule_bytes);
    memcpy(table->words, (const uint8_t *)bytes + sizeof(head) + rule_bytes, word_bytes);
    int err = unwind_table__check(table);
    if (!err)
        *ret_table = take_pointer(table);
    return err;
}

// The last row of the run at or before the place: the index of its word.
static uint32_t find_in_run(const uint32_t *words, uint32_t at, uint32_t place)
{
    uint32_t low = at, high = at + UNWIND_ROW_PLACE(words[at]);
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (UNWIND_ROW_PLACE(words[middle]) <= place)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

struct unwind_rule unwind_table__find(const struct unwind_table *table, uint64_t file_offset)
{
    struct unwind_head head = head_of(table);
    if (file_offset < head.base || (file_offset - head.base) >> head.shift >= head.granules)
        return table->rules[0];
    uint64_t distance = file_offset - head.base;
    uint32_t at = table->words[UNWIND_HEAD_WORDS + (distance >> head.shift)];
    uint32_t place = (uint32_t)distance & ((1u << head.shift) - 1);
    return table->rules[UNWIND_ROW_RULE(table->words[find_in_run(table->words, at, place)])];
}

void unwind_table__each(const struct unwind_table *table, unwind_row_fn *take, void *context)
{
    struct unwind_head head = head_of(table);
    uint32_t last = 0; // before the table, all is UNWIND_GAP
    for (uint32_t granule = 0; granule < head.granules; granule++) {
        uint32_t at = table->words[UNWIND_HEAD_WORDS + granule];
        uint64_t start = head.base + ((uint64_t)granule << head.shift);
        for (uint32_t i = 0; i <= UNWIND_ROW_PLACE(table->words[at]); i++) {
            uint32_t word = table->words[at + i], rule = UNWIND_ROW_RULE(word);
            if (rule != last)
                take(start + (i ? UNWIND_ROW_PLACE(word) : 0), &table->rules[rule], context);
            last = rule;
        }
    }
}

void unwind_table__renumber(const struct unwind_table *table, const uint16_t *rule_ids, size_t first, size_t count,
                            uint32_t *ret_words)
{
    size_t runs = UNWIND_HEAD_WORDS + head_of(table).granules;
    size_t end = first + count < table->word_count ? first + count : table->word_count;
    size_t at = first;
    memset(ret_words, 0, count * sizeof(*ret_words));
    for (; at < end && at < runs; at++)
        ret_words[at - first] = table->words[at];
    for (; at < end; at++)
        ret_words[at - first] = (table->words[at] & 0xffff0000) | rule_ids[UNWIND_ROW_RULE(table->words[at])];
}
