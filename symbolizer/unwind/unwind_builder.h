// Rows, as they are found, to the packed table of bpf/wire/unwind_rows.h.
//
//   struct unwind_builder builder = {0};
//   unwind_builder__add(&builder, offset, rule);      // offsets grow; equal neighbours become one row
//   int err = unwind_builder__pack(&builder, &table);
//   unwind_builder__release(&builder);
#ifndef HEARTH_SYMBOLIZER_UNWIND_UNWIND_BUILDER_H
#define HEARTH_SYMBOLIZER_UNWIND_UNWIND_BUILDER_H

#include <stdbool.h>

#include "store/base/id_map.h"
#include "symbolizer/unwind/unwind_rows.h"

struct unwind_builder_row {
    uint32_t offset;
    uint32_t rule;
};

struct unwind_builder {
    struct unwind_builder_row *rows;
    size_t count, capacity;
    struct unwind_rule *rules; // rule 0 is UNWIND_GAP
    size_t rule_count, rule_capacity;
    struct id_map numbers; // bits of a rule -> its index
    bool failed;           // no memory, or more rows or rules than a table holds
};

// An offset at or below the last one replaces the last one's rule.
void unwind_builder__add(struct unwind_builder *builder, uint32_t offset, struct unwind_rule rule);

// Forgets rows behind the first `count`.
void unwind_builder__truncate(struct unwind_builder *builder, size_t count);

// -ENOMEM, -E2BIG.
int unwind_builder__pack(struct unwind_builder *builder, struct unwind_table **ret_table);
void unwind_builder__release(struct unwind_builder *builder);

#endif
