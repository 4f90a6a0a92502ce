// Addresses as words, and the text of their answers: what `hearth symbolize` reads, fills and prints at once. Answers
// come in any order and are printed in that of the addresses.
#ifndef HEARTH_REPORT_COMMANDS_ADDRESS_BATCH_H
#define HEARTH_REPORT_COMMANDS_ADDRESS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/limits.h"
#include "symbolizer/symbolizer.h"

enum address_format {
    ADDRESS_TEXT,
    ADDRESS_JSON_LINES, // an object a line, for stdin
    ADDRESS_JSON_ARRAY, // one array, for operands
};

struct address_answer { // where its text stands in `text`
    size_t at;
    size_t length;
};

// The address that other words than a number mean. -ENOENT: none.
typedef int address_word_fn(void *context, const char *word, uint64_t *ret_address);

struct address_batch { // zeroed but for the first three
    enum address_format format;
    address_word_fn *find_word; // NULL: only numbers are addresses
    void *find_context;
    uint64_t *addresses;
    bool *bad; // what was asked is no address
    size_t count;
    size_t capacity;
    struct address_answer *answers;
    struct buf text;
    const size_t *places; // of a part of the batch: its index in the whole; NULL: the same
    // The last answer of a part: the next one is often the same.
    struct symbol last[LIMIT_CHAIN];
    size_t last_length;
    struct address_answer last_answer; // length 0: none
};

// An address in hex, with or without 0x, as addr2line reads them. -ENOMEM.
int address_batch__add(struct address_batch *batch, const char *word, size_t length);
// Adds the lines of the input and takes them out of it, but for a last one that is not whole yet unless `at_end`.
int address_batch__add_lines(struct address_batch *batch, struct buf *input, bool at_end);

// Makes room for the answers. -ENOMEM.
int address_batch__begin(struct address_batch *batch);
// Begins a part, whose index i is that of the whole at places[i]; NULL: the part is the whole.
void address_batch__begin_part(struct address_batch *batch, const size_t *places);
// symbol_chain_fn of a batch: for answers of one symbolizer__resolve_file, and for any others.
void address_batch__take_of_file(size_t index, const struct symbol *chain, size_t length, void *context);
void address_batch__take(size_t index, const struct symbol *chain, size_t length, void *context);
// Fills in what has no answer. -ENOMEM.
int address_batch__end(struct address_batch *batch);

// To stdout. -ENOMEM.
int address_batch__print(const struct address_batch *batch);
void address_batch__release(struct address_batch *batch);

#endif
