// Options as a table: parsing, -h, the man page, shell completion and "did you mean" are all printed from it.
//
//   struct request { const char *store; bool lines; struct filter filter; };
//   static const struct option_row rows[] = {
//       {'i', "input", "STORE", "the store to read", option__string, offsetof(struct request, store)},
//       {0, "lines", NULL, "a frame per line of source", option__flag, offsetof(struct request, lines)},
//       OPTION_ROWS_OF(filter_rows, struct request, filter),
//       {0},
//   };
//
// A table says where in a struct each value goes, and the caller brings the struct: one table fills any number of them.
//
// Short options may be glued (-F99), long ones take "--name VALUE" or "--name=VALUE", "--" ends the options, and
// so does the first operand of a command whose operands start another program (options__parse's stop_at_operand).
#ifndef HEARTH_STORE_BASE_OPTIONS_H
#define HEARTH_STORE_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/fault.h"

struct option_row {
    char letter;      // 0: none
    const char *name; // without the dashes; NULL: none (then letter is set); a row without any of these ends the table
    const char *argument; // "HZ", or NULL for a flag
    const char *help;     // one line
    // Stores `text` (NULL for flags) into `target`; on failure says in the fault what was wrong with the value.
    int (*parse)(const char *text, void *target, struct fault *fault);
    size_t offset; // of the target in the struct that the table fills
    // The table of a struct that lies at `offset`: its rows stand here in place of this one. NULL: this is an option.
    const struct option_row *rows;
};

#define OPTION_ROWS_OF(table, type, member)                                                                            \
    {                                                                                                                  \
        .rows = (table), .offset = offsetof(type, member)                                                              \
    }

// Calls `visit` with each option of the table and the offset of its value, in the order of the rows, until one call
// returns true. Returns whether one did.
typedef bool options_visitor_fn(const struct option_row *row, size_t offset, void *context);
bool options__visit(const struct option_row *rows, options_visitor_fn *visit, void *context);

struct option_list { // of -e EVENT -e EVENT: the values are borrowed from argv
    const char **values;
    size_t count;
};

int option__flag(const char *text, void *target, struct fault *fault);    // bool: true
int option__no_flag(const char *text, void *target, struct fault *fault); // bool: false (for --no-inline)
int option__string(const char *text, void *target, struct fault *fault);  // const char *
int option__list(const char *text, void *target, struct fault *fault);    // struct option_list, a value a use
int option__u64(const char *text, void *target, struct fault *fault);     // uint64_t, decimal, more than nothing
int option__share(const char *text, void *target, struct fault *fault);   // double, 0.2 from "20" or "20%", at most 1
int option__bytes(const char *text, void *target, struct fault *fault);   // uint64_t, from "1000", "500M", "2G"
int option__seconds_ns(const char *text, void *target, struct fault *fault); // uint64_t ns, from "10", "0.5", "500ms"

// Parses argv[0..argc) by the table into the struct `values`. The operands are moved to the front of argv and counted
// in ret_operands. -EINVAL with a fault (exit code EXIT_CODE_USAGE) for an unknown option (with a "did you mean"), a
// missing or a bad value. "-h" and "--help" are not seen here: main looks for them first.
int options__parse(const struct option_row *rows, void *values, bool stop_at_operand, int argc, char **argv,
                   struct fault *fault, int *ret_operands);

// Gives the option of that long name a value, as a line of a file does. A flag takes "yes", which sets it, and "no",
// which leaves it as it is. -EINVAL with a fault for an unknown name (with a "did you mean") and a bad value. Lists
// borrow text.
int options__set(const struct option_row *rows, void *values, const char *name, const char *text, struct fault *fault);

// Whether two structs of the table have other values of an option. Of a list, and of an option with a parse function of
// its own: false.
bool options__differ(const struct option_row *row, size_t offset, const void *values, const void *others);

// Frees the lists among the values.
void options__release(const struct option_row *rows, void *values);

// The name of `names` (ended by NULL) nearest to `word`, or NULL when none is near.
const char *options__nearest(const char *word, const char *const *names);

#endif
